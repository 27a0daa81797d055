"""The plugin manager: what is loaded, in which order, and what was left out and why."""

from __future__ import annotations

import importlib.metadata
import itertools
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pluggy

from devinotify import hookspecs
from devinotify.channels.protocol import check_channel
from devinotify.exceptions import PluginError
from devinotify.plugins.guard import guarded
from devinotify.plugins.rules import OWN_RULES, RULES
from devinotify.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from devinotify.channels.protocol import Channel
    from devinotify.text import Segmentation

    _Observer = tuple[str, Callable[..., Any], tuple[str, ...]]

log: logging.Logger = logging.getLogger(__name__)

DISABLE_VARIABLE = "DEVINOTIFY_DISABLE_PLUGINS"
"""The environment variable that lists, separated by commas, the names of plugins to leave out."""

BUILT_IN = "built in"
"""The origin of what the core brings itself."""
IN_CODE = "given in code"
"""The origin of what is given to ``make_plugin_manager``."""


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
        self.around: Callable[[], AbstractContextManager[object]] | None = None
        """What the Notifier that is served puts round each call of a plugin, so that it finds its outbox."""
        # Answers of ``listens`` and ``_observers``, until something is registered: they are asked for every message.
        self._known: dict[tuple[str, bool], bool] = {}
        self._known_together: dict[frozenset[tuple[str, bool]], bool] = {}
        self._watching: dict[str, Sequence[_Observer]] = {}

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
                if implementation.plugin is plugin and caller.name in RULES:
                    rule = (OWN_RULES if origin == BUILT_IN else RULES)[caller.name]
                    inside = None if origin == BUILT_IN else self._inside
                    implementation.function = guarded(implementation, caller.name, rule, inside)  # type: ignore[misc]  # ours to replace
        self._forget_answers()
        return label

    def _inside(self, function: Callable[..., object], *arguments: object) -> object:
        if self.around is None:
            return function(*arguments)
        with self.around():
            return function(*arguments)

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
            if hook not in RULES:
                if options.get("optionalhook"):
                    continue
                raise ValueError(f"there is no hook {hook}")
            if options.get("hookwrapper"):
                raise ValueError(f"{hook}: write wrapper=True in place of hookwrapper=True")
            if options.get("wrapper") and not RULES[hook].wraps:
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

    def segmentation(self, text: str) -> Segmentation:
        """Return what a text costs, by the plugin that tells, else by the core's own count; raise PluginError."""
        return cast("Segmentation", self.hook.devinotify_estimate_segments(text=text))

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
        self._forget_answers()
        return taken

    def _forget_answers(self) -> None:
        self._known.clear()
        self._known_together.clear()
        self._watching.clear()

    def listens(self, hook: str, *, outside: bool = False) -> bool:
        """Whether anything implements the hook of this full name; ``outside``: anything but a built-in."""
        known = self._known.get((hook, outside))
        if known is None:
            found = getattr(self.hook, hook).get_hookimpls()
            known = any(not outside or self._origins.get(one.plugin_name) != BUILT_IN for one in found)
            self._known[hook, outside] = known
        return known

    def listens_to_any(self, hooks: frozenset[tuple[str, bool]]) -> bool:
        """Whether anything implements any of these hooks; with ``True`` beside it, anything but a built-in."""
        known = self._known_together.get(hooks)
        if known is None:
            known = any(self.listens(hook, outside=outside) for hook, outside in hooks)
            self._known_together[hooks] = known
        return known

    def observers(self, hook: str) -> list[str]:
        """Return the names of the plugins that an observer hook is told to, in the order in which they are."""
        return [name for name, _, _ in self._observers(hook)]

    def observe(
        self, hook: str, *, only: Collection[str] | None = None, **arguments: object
    ) -> Mapping[str, PluginError]:
        """Call each observer apart from the others; one that raises is logged, by its name, and breaks nothing.

        With ``only`` those of these names. Returns the errors of those that raised, by their names.
        """
        failures: dict[str, PluginError] = {}
        for plugin, function, names in self._observers(hook):
            if only is not None and plugin not in only:
                continue
            try:
                function(*map(arguments.__getitem__, names))  # a batch has a thousand outcomes
            except PluginError as error:
                log.error("%s", error)
                failures[plugin] = error
        return failures

    def _observers(self, hook: str) -> Sequence[_Observer]:
        """Return the implementations of an observer hook, the last registered first: plugin, function, arguments."""
        found = self._watching.get(hook)
        if found is None:
            implementations = reversed(getattr(self.hook, hook).get_hookimpls())
            found = self._watching[hook] = [(one.plugin_name, one.function, one.argnames) for one in implementations]
        return found


_BUILT_INS: Mapping[str, str] = MappingProxyType(
    {
        "phones": "devinotify.channels.built_in",
        "segments": "devinotify.channels.built_in",
        "prepare": "devinotify.channels.built_in",
        "limits": "devinotify.delivery.built_in",
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
