"""The plugin manager: what is loaded, in which order, and what was left out and why.

Every implementation is guarded as it is registered: what it raises becomes a PluginError that names plugin
and hook, what it answers is checked against the hook's type, and what goes wrong after a send is logged and
leaves the outcomes as they are.
"""

from __future__ import annotations

import functools
import importlib.metadata
import itertools
import logging
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import pluggy

from devinotify import hookspecs
from devinotify.channels.answers import is_outcomes
from devinotify.channels.protocol import check_channel
from devinotify.exceptions import DevinotifyError, InvalidInput, PluginError, Verdict
from devinotify.models import Message
from devinotify.phones import PhoneNumber
from devinotify.redact import scrub
from devinotify.text import Segmentation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.channels.protocol import Channel

log: logging.Logger = logging.getLogger(__name__)

DISABLE_VARIABLE = "DEVINOTIFY_DISABLE_PLUGINS"
"""The environment variable that lists, separated by commas, the names of plugins to leave out."""

BUILT_IN = "built in"
"""The origin of what the core brings itself."""
IN_CODE = "given in code"
"""The origin of what is given to ``make_plugin_manager``."""


def _is_list_of(kind: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, list) and all(isinstance(item, kind) for item in answer)


def _is_channels(answer: object) -> bool:
    # What each of them must have is told one by one, where they are taken in.
    return isinstance(answer, list) and all(hasattr(item, "name") for item in answer)


def _is_a(kind: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, kind)


def _is_messages(answer: object) -> bool:
    return isinstance(answer, list) and all(isinstance(item, Message) and _is_well_formed(item) for item in answer)


def _is_well_formed(message: Message) -> bool:
    # Nothing checks what ``dataclasses.replace`` was given, and what breaks further on may break within a send.
    recipients = message.recipients
    return (
        isinstance(message.text, str)
        and isinstance(recipients, tuple)
        and all(isinstance(recipient, str) for recipient in recipients)
        and isinstance(message.title, str | None)
        and isinstance(message.sender, str | None)
        and isinstance(message.channel, str)
        and isinstance(message.send_at, datetime | None)
        and (message.validity is None or type(message.validity) is int)
        and isinstance(message.tags, frozenset)
        and all(isinstance(tag, str) for tag in message.tags)
    )


def _is_refusals(answer: object) -> bool:
    return isinstance(answer, dict) and all(
        isinstance(recipient, str) and isinstance(error, DevinotifyError) for recipient, error in answer.items()
    )


_STANDS = frozenset({Verdict.ACCEPTED, Verdict.UNKNOWN})
"""Verdicts that no wrapper can take back: something was sent, or may have been."""


def _keeps_verdicts(before: object, after: object) -> bool:
    """Whether outcomes are of the same recipients as before, and each verdict that stands is still there."""
    if after is before or not isinstance(before, list) or not isinstance(after, list):
        return True
    verdicts = {outcome.recipient: outcome.verdict for outcome in before}
    return len(before) == len(after) and all(
        outcome.recipient in verdicts
        and (outcome.verdict is verdicts[outcome.recipient] or verdicts[outcome.recipient] not in _STANDS)
        for outcome in after
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a hook's implementations may answer.

    ``may_raise`` is as good as an answer. ``may_pass`` allows ``None``, and ``may_end`` allows it as the final
    answer, which a wrapper gives. ``wraps`` allows wrappers; ``after_send`` keeps them from undoing a send.
    """

    expects: str
    accepts: Callable[[object], bool]
    may_raise: tuple[type[Exception], ...] = ()
    may_pass: bool = True
    may_end: bool = False
    wraps: bool = True
    after_send: bool = False


_NOTHING = _Rule("nothing", lambda answer: answer is None, wraps=False)

_RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        "devinotify_register_channels": _Rule("a list of channels", _is_channels, may_pass=False, wraps=False),
        "devinotify_resolve_recipient": _Rule("a list of recipients", _is_list_of(str), may_end=True),
        "devinotify_normalize_phone": _Rule("a PhoneNumber", _is_a(PhoneNumber), may_raise=(InvalidInput,)),
        "devinotify_estimate_segments": _Rule("a Segmentation", _is_a(Segmentation)),
        "devinotify_map_error": _Rule("a DevinotifyError", _is_a(DevinotifyError), may_end=True),
        "devinotify_prepare_message": _Rule("a list of messages", _is_messages),
        "devinotify_screen_recipients": _Rule("a dict of errors by recipient", _is_refusals, wraps=False),
        "devinotify_send_message": _Rule("a list of outcomes", is_outcomes, after_send=True),
        "devinotify_outcome_recorded": _NOTHING,
        "devinotify_status_changed": _NOTHING,
        "devinotify_message_received": _NOTHING,
        "devinotify_register_commands": _NOTHING,
    }
)
"""Every hook with its rule."""


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that is in use: its name, where it came from, and the hooks that it implements."""

    name: str
    origin: str
    hooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailedPlugin:
    """A plugin that was left out: its name, where it came from, and why; ``disabled`` where that was asked for."""

    name: str
    origin: str
    reason: str
    disabled: bool = False


class PluginManager(pluggy.PluginManager):
    """pluggy's manager with guarded implementations and an account of what was left out."""

    def __init__(self) -> None:
        super().__init__(hookspecs.PROJECT)
        self.add_hookspecs(hookspecs)
        self.failures: list[FailedPlugin] = []
        self._origins: dict[str, str] = {}
        self._known: dict[tuple[str, bool], bool] = {}  # answers of ``listens``, until something is registered

    def register(self, plugin: object, name: str | None = None, origin: str = IN_CODE) -> str:
        """Register a plugin, guard its implementations and return its name; raise PluginError where it is not one.

        Without ``name`` it is called after its module or class.
        """
        label = name or self._free_name(plugin)
        try:
            self._check(plugin, label)
            if super().register(plugin, label) is None:
                raise ValueError("it is blocked")
        except Exception as error:
            # pluggy 1.5 may have got half way; whatever the plugin's own attributes raise ends here as well.
            if self.get_plugin(label) is plugin and plugin is not None:
                self.unregister(plugin)
            why = scrub(str(error))
            raise PluginError(f"the plugin {label} does not validate: {why}", plugin=label) from error
        self._origins[label] = origin
        for caller in self.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin and caller.name in _RULES:
                    implementation.function = _guarded(implementation, caller.name)  # type: ignore[misc]  # ours to replace
        self._known.clear()
        return label

    def _free_name(self, plugin: object) -> str:
        name = str(getattr(plugin, "__name__", None) or type(plugin).__name__)
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        return next(free for free in names if not self.has_plugin(free))

    def _check(self, plugin: object, name: str) -> None:
        """Raise ValueError for what is not a plugin, or cannot be one beside those that there are."""
        if plugin is None or isinstance(plugin, type):
            raise ValueError("offer a module or an object, not a class or nothing")
        if self.has_plugin(name):
            raise ValueError("there is another plugin of this name")
        if any(plugin is other for other in self.get_plugins()):
            raise ValueError(f"it is registered already, as {self.get_name(plugin)}")
        for attribute in dir(plugin):
            options = self.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                continue
            hook = options.get("specname") or attribute
            if hook not in _RULES:
                if options.get("optionalhook"):
                    continue
                raise ValueError(f"there is no hook {hook}")
            if options.get("hookwrapper"):
                raise ValueError(f"{hook}: write wrapper=True in place of hookwrapper=True")
            if options.get("wrapper") and not _RULES[hook].wraps:
                raise ValueError(f"{hook} takes no wrappers: every implementation of it is called")

    def load_entry_points(self, disabled: Iterable[str] | None = None) -> None:
        """Load the installed plugins one by one, in the order of their names; ``failures`` notes what does not load.

        ``disabled`` names plugins to leave out: without it, those of ``DEVINOTIFY_DISABLE_PLUGINS``.
        """
        left_out = set(_disabled() if disabled is None else disabled)
        try:
            points = sorted(importlib.metadata.entry_points(group=hookspecs.PROJECT), key=lambda point: point.name)
        except Exception as error:  # noqa: BLE001 - one broken distribution must not stop a send
            self._leave_out("?", "the installed distributions", error)
            return
        for point in points:
            origin = _origin(point)
            if point.name in left_out:
                reason = f"left out by {DISABLE_VARIABLE}"
                self.failures.append(FailedPlugin(point.name, origin, reason, disabled=True))
                continue
            try:
                self.register(point.load(), point.name, origin)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does must not stop the others
                self._leave_out(point.name, origin, error)

    def _leave_out(self, name: str, origin: str, error: BaseException) -> None:
        reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        self.failures.append(FailedPlugin(name, origin, scrub(reason)))
        log.warning("the plugin %s (%s) is left out: %s", name, origin, type(error).__name__)

    def channels(self) -> dict[str, Channel]:
        """Return the channels by name, the built-in ones first, then as their plugins were registered.

        A plugin whose hook fails, or brings a channel whose name is taken or is not a name, is taken out as a whole;
        ``failures`` says why.
        """
        found: dict[str, Channel] = {}
        places = {name: place for place, (name, _) in enumerate(self.list_name_plugin())}
        implementations = self.hook.devinotify_register_channels.get_hookimpls()
        # Whatever trylast and tryfirst say: who came first has the name.
        for implementation in sorted(implementations, key=lambda one: places[one.plugin_name]):
            try:
                brought = _by_name(cast("list[Channel]", implementation.function()), found)
            except Exception as error:
                name = implementation.plugin_name
                origin = self._origins.get(name, "")
                if origin == BUILT_IN:
                    raise
                self.unregister(implementation.plugin)
                self._leave_out(name, origin, error)
            else:
                found |= brought
        return found

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
        taken = super().unregister(plugin, name)
        self._known.clear()
        return taken

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
            except PluginError as error:
                log.error("%s", error)


_BUILT_INS: Mapping[str, str] = MappingProxyType(
    {
        "phones": "devinotify.channels.built_in",
        "segments": "devinotify.channels.built_in",
        "prepare": "devinotify.channels.built_in",
        "sms": "devinotify.channels.built_in",
        "viber": "devinotify.channels.built_in",
        "sms-viber": "devinotify.delivery.built_in",
        "viber-sms": "devinotify.channels.built_in",
        "null": "devinotify.channels.built_in",
    }
)
"""The core's own plugins in their order, and the module whose ``built_ins()`` has each: loaded by name, as those of
others are, when a manager is made. Some stand above this module, and they import the client."""


def make_plugin_manager(*plugins: object, discover: bool = True) -> PluginManager:
    """Return a new manager with the built-ins, the installed plugins, and ``plugins`` in this order.

    It serves one Notifier. Installed plugins are the entry points of the group ``devinotify``; those that
    ``DEVINOTIFY_DISABLE_PLUGINS`` names (separated by commas) are left out, and so is one that does not import,
    register or validate: ``manager.failures`` says why. ``discover=False`` leaves all of them out. Raises
    PluginError where one of ``plugins`` does not validate.
    """
    manager = PluginManager()
    for name, home in _BUILT_INS.items():
        manager.register(importlib.import_module(home).built_ins()[name], name, BUILT_IN)
    if discover:
        manager.load_entry_points()
    for plugin in plugins:
        manager.register(plugin)
    return manager


def _disabled() -> Iterable[str]:
    return filter(None, map(str.strip, os.environ.get(DISABLE_VARIABLE, "").split(",")))


def _origin(point: importlib.metadata.EntryPoint) -> str:
    """Return where an installed plugin comes from: its distribution, or what it loads where that cannot be told."""
    try:
        known = point.dist is not None and point.dist.name and f"{point.dist.name} {point.dist.version}"
    except Exception:  # noqa: BLE001 - what a distribution without metadata raises depends on the Python
        known = None
    return known or point.value


def _by_name(brought: Iterable[Channel], taken: Mapping[str, Channel]) -> dict[str, Channel]:
    """Return one plugin's channels by name; raise ValueError for a name that is taken already, or is not a name."""
    found: dict[str, Channel] = {}
    for channel in brought:
        check_channel(channel)
        name = channel.name
        if name in taken or name in found:
            raise ValueError(f"there is a channel named {name} already")
        found[name] = channel
    return found


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
            fits = (answer is None and self.rule.may_pass) or self.rule.accepts(answer)
        except self.rule.may_raise:
            raise
        except Exception as error:  # noqa: BLE001 - raised again, by another name
            failure = self._failed(error)
            raise failure from failure.__cause__
        if not fits:
            raise self._wrong(answer)
        return answer

    def wrap(self, function: Callable[..., Any], *arguments: object) -> Generator[None, Any, Any]:
        try:
            generator = function(*arguments)
            next(generator)
        except StopIteration:
            raise self._error("did not yield") from None
        except Exception as error:  # noqa: BLE001 - raised again, by another name
            failure = self._failed(error)
            raise failure from failure.__cause__
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
            if not self._ends(answer):
                failure = self._wrong(answer)
            elif self.rule.after_send and not _keeps_verdicts(result, answer):
                failure = self._error("took back what was sent")
            elif _is_unknown(inner) and self.rule.after_send:
                failure = self._error("answered for a send of unknown outcome")
            else:
                return answer
        except Exception as error:
            # Passed on as it came, or a refusal: with a send behind it, no wrapper may refuse.
            if error is inner or (inner is None and isinstance(error, self.rule.may_raise)):
                raise
            failure = self._failed(error)
        else:
            failure = self._error("yielded twice")
        if not self.rule.after_send or (inner is not None and not _is_unknown(inner)):
            raise failure
        log.error("%s; the outcomes stay as they were", failure)
        if inner is not None:
            raise inner
        return result

    def _ends(self, answer: object) -> bool:
        return (answer is None and self.rule.may_end) or self.rule.accepts(answer)

    def _failed(self, error: Exception) -> PluginError:
        if isinstance(error, PluginError):  # raised on purpose, in words that are meant to be shown
            failure = error
            failure.plugin, failure.hook = failure.plugin or self.plugin, failure.hook or self.hook
        else:
            # The exception's own words may hold a text or a number; its type and the chained cause tell enough.
            failure = self._error(f"raised {type(error).__name__}")
            failure.__cause__ = error
        # An implementation that sends may say itself that it has, or may have.
        sent = self.rule.after_send and _is_unknown(error)
        failure.verdict = Verdict.UNKNOWN if sent else Verdict.NOT_SENT
        return failure

    def _wrong(self, answer: object) -> PluginError:
        return self._error(f"answered {type(answer).__name__} in place of {self.rule.expects}")

    def _error(self, what: str) -> PluginError:
        return PluginError(
            f"the plugin {self.plugin} {what} in {self.hook}",
            plugin=self.plugin,
            hook=self.hook,
            verdict=Verdict.NOT_SENT,
        )


def _is_unknown(error: BaseException | None) -> bool:
    """Whether an error says that something was sent, or may have been."""
    return isinstance(error, DevinotifyError) and error.verdict in _STANDS
