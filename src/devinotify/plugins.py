"""The plugin manager: what is loaded, in which order, and what was left out and why.

Every implementation is guarded as it is registered: what it raises becomes a PluginError that names plugin
and hook, what it answers is checked against the hook's type, and what goes wrong after a send is logged and
leaves the outcomes as they are.
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

from devinotify import hookspecs
from devinotify.exceptions import DevinotifyError, InvalidPhoneNumber, PluginError, Verdict
from devinotify.models import Channel, Message, Outcome
from devinotify.phones import PhoneNumber
from devinotify.text import Segmentation

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

DISABLE_VARIABLE = "DEVINOTIFY_DISABLE_PLUGINS"
"""The environment variable that lists, separated by commas, the names of plugins to leave out."""


def _is_list_of(kind: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, list) and all(isinstance(item, kind) for item in answer)


def _is_a(kind: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, kind)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a hook's implementations may answer, and raise as an answer; ``after_send`` keeps a wrapper from undoing."""

    expects: str
    accepts: Callable[[object], bool]
    may_raise: tuple[type[Exception], ...] = ()
    may_pass: bool = True
    after_send: bool = False


_NOTHING = _Rule("nothing", lambda answer: answer is None)

_RULES: dict[str, _Rule] = {
    "devinotify_register_channels": _Rule("a list of channels", _is_list_of(Channel), may_pass=False),
    "devinotify_resolve_recipient": _Rule("a list of recipients", _is_list_of(str)),
    "devinotify_normalize_phone": _Rule("a PhoneNumber", _is_a(PhoneNumber), may_raise=(InvalidPhoneNumber,)),
    "devinotify_estimate_segments": _Rule("a Segmentation", _is_a(Segmentation)),
    "devinotify_map_error": _Rule("a DevinotifyError", _is_a(DevinotifyError)),
    "devinotify_prepare_message": _Rule("a list of messages", _is_list_of(Message)),
    "devinotify_send_message": _Rule("a list of outcomes", _is_list_of(Outcome), after_send=True),
    "devinotify_outcome_recorded": _NOTHING,
    "devinotify_status_changed": _NOTHING,
    "devinotify_register_commands": _NOTHING,
}


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that is in use: its name, where it came from, and the hooks that it implements."""

    name: str
    origin: str
    hooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailedPlugin:
    """A plugin that was left out: its name, where it came from, and why."""

    name: str
    origin: str
    reason: str


class PluginManager(pluggy.PluginManager):
    """pluggy's manager with guarded implementations and an account of what was left out."""

    def __init__(self) -> None:
        super().__init__(hookspecs.PROJECT)
        self.add_hookspecs(hookspecs)
        self.failures: list[FailedPlugin] = []
        self._origins: dict[str, str] = {}
        self._known: dict[tuple[str, bool], bool] = {}  # answers of ``listens``, until something is registered

    def register(self, plugin: object, name: str | None = None, origin: str = "given in code") -> str | None:
        """Register a plugin and guard its implementations; raise PluginError where it does not validate."""
        self._known.clear()
        label = name or self.get_canonical_name(plugin)
        try:
            registered = super().register(plugin, name)
            if registered is None:
                return None
            self._check_hooks(plugin)
        except (pluggy.PluginValidationError, ValueError) as error:
            if self.is_registered(plugin):
                self.unregister(plugin)
            raise PluginError(f"the plugin {label} does not validate: {error}", plugin=label) from error
        self._origins[registered] = origin
        for caller in self.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    implementation.function = _guarded(implementation, caller.name)  # type: ignore[misc]  # ours to replace
        return registered

    def _check_hooks(self, plugin: object) -> None:
        """Raise PluginValidationError for an implementation of no hook of ours, or in the old wrapper style."""
        for attribute in dir(plugin):
            options = self.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                continue
            hook = options.get("specname") or attribute
            if hook not in _RULES and not options.get("optionalhook"):
                raise pluggy.PluginValidationError(plugin, f"there is no hook {hook}")
            if options.get("hookwrapper"):
                raise pluggy.PluginValidationError(plugin, f"{hook}: write wrapper=True in place of hookwrapper=True")

    def load_entry_points(self, disabled: Iterable[str] = ()) -> None:
        """Load the installed plugins one by one, in the order of their names; ``failures`` notes what does not load."""
        left_out = set(disabled)
        points = importlib.metadata.entry_points(group=hookspecs.PROJECT)
        for point in sorted(points, key=lambda point: point.name):
            origin = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
            if point.name in left_out:
                self.failures.append(FailedPlugin(point.name, origin, f"left out by {DISABLE_VARIABLE}"))
                continue
            try:
                self.register(point.load(), point.name, origin)
            except Exception as error:  # noqa: BLE001 - whatever a plugin does on import must not stop the others
                self.failures.append(FailedPlugin(point.name, origin, f"{type(error).__name__}: {error}"))
                log.warning("the plugin %s of %s is left out: %s", point.name, origin, type(error).__name__)

    def loaded(self) -> list[LoadedPlugin]:
        """Return the plugins in use, in the order in which they were registered."""
        return [
            LoadedPlugin(
                name,
                self._origins.get(name, ""),
                tuple(sorted(caller.name for caller in self.get_hookcallers(plugin) or ())),
            )
            for name, plugin in self.list_name_plugin()
            if plugin is not None
        ]

    def unregister(self, plugin: object | None = None, name: str | None = None) -> object:
        """Take a plugin out again and return it."""
        self._known.clear()
        return super().unregister(plugin, name)

    def listens(self, hook: str, *, outside: bool = False) -> bool:
        """Whether anything implements the hook of this full name; ``outside``: anything but a built-in."""
        known = self._known.get((hook, outside))
        if known is None:
            found = getattr(self.hook, hook).get_hookimpls()
            known = any(not outside or self._origins.get(one.plugin_name) != BUILT_IN for one in found)
            self._known[hook, outside] = known
        return known

    def observe(self, hook: str, **arguments: object) -> None:
        """Call each observer apart from the others; one that raises is logged, by its name, and breaks nothing."""
        for implementation in reversed(getattr(self.hook, hook).get_hookimpls()):
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception as error:  # noqa: BLE001 - an observer must not break what it observes
                log.error("%s", error if isinstance(error, PluginError) else type(error).__name__)


BUILT_IN = "built in"


def make_plugin_manager(*plugins: object, discover: bool = True) -> PluginManager:
    """Return a new manager with the built-ins, the installed plugins, and ``plugins`` in this order.

    Installed plugins are the entry points of the group ``devinotify``; those that ``DEVINOTIFY_DISABLE_PLUGINS``
    names (separated by commas) are left out, and so is one that does not import, register or validate:
    ``manager.failures`` says why. Raises PluginError where one of ``plugins`` does not validate.
    """
    # The built-ins import channels, which import the client: only whoever builds a manager pays for that.
    from devinotify import channels

    manager = PluginManager()
    for name, plugin in channels.built_ins().items():
        manager.register(plugin, name, BUILT_IN)
    if discover:
        disabled = os.environ.get(DISABLE_VARIABLE, "")
        manager.load_entry_points(filter(None, (name.strip() for name in disabled.split(","))))
    for plugin in plugins:
        manager.register(plugin)
    return manager


def _guarded(implementation: pluggy.HookImpl, hook: str) -> Callable[..., Any]:
    function = implementation.function
    guard = _Guard(implementation.plugin_name, hook, _RULES[hook])
    if implementation.wrapper:
        return functools.wraps(function)(functools.partial(guard.wrap, function))
    return functools.wraps(function)(functools.partial(guard.call, function))


@dataclass(frozen=True, slots=True)
class _Guard:
    """Stands between pluggy and one implementation."""

    plugin: str
    hook: str
    rule: _Rule

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - as the hook has it
        try:
            answer = function(*arguments)
        except self.rule.may_raise:
            raise
        except Exception as error:
            raise self._failed(error) from error
        self._check(answer)
        return answer

    def wrap(self, function: Callable[..., Any], *arguments: object) -> Generator[None, Any, Any]:
        try:
            generator = function(*arguments)
            next(generator)
        except StopIteration:
            raise self._error("did not yield") from None
        except Exception as error:
            raise self._failed(error) from error
        try:
            result = yield
        except Exception as inner:  # noqa: BLE001 - handed on to the wrapper, which may raise it again
            return self._resume(functools.partial(generator.throw, inner), inner, None)
        return self._resume(functools.partial(generator.send, result), None, result)

    def _resume(self, resume: Callable[[], object], inner: Exception | None, result: object) -> object:
        """Let the wrapper go on after its ``yield``; where the send is done, its own failure changes nothing."""
        try:
            resume()
        except StopIteration as stop:
            answer = stop.value
            failure = None if self._fits(answer) else self._wrong(answer)
        except Exception as error:
            if error is inner or isinstance(error, (*self.rule.may_raise, PluginError)):
                raise
            failure = self._failed(error)
        else:
            failure = self._error("yielded twice")
        if failure is None:
            return answer
        if self.rule.after_send and inner is None:
            log.error("%s; the outcomes stay as they were", failure)
            return result
        raise failure

    def _fits(self, answer: object) -> bool:
        return (answer is None and self.rule.may_pass) or self.rule.accepts(answer)

    def _check(self, answer: object) -> None:
        if not self._fits(answer):
            raise self._wrong(answer)

    def _failed(self, error: Exception) -> PluginError:
        if isinstance(error, PluginError):
            return error
        # The exception's own words may hold a text or a number; its type and the chained cause tell enough.
        return self._error(f"raised {type(error).__name__}")

    def _wrong(self, answer: object) -> PluginError:
        return self._error(f"answered {type(answer).__name__} in place of {self.rule.expects}")

    def _error(self, what: str) -> PluginError:
        return PluginError(
            f"the plugin {self.plugin} {what} in {self.hook}",
            plugin=self.plugin,
            hook=self.hook,
            verdict=Verdict.NOT_SENT,
        )
