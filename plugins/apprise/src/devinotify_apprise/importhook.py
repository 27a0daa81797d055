"""Lets every ``import apprise`` of a process know ``devino://``, from when Apprise first asks which plugins there are.

The finder that ``devinotify apprise install --library`` puts at the start of the interpreter asks for Apprise here, and
loads this module to do so: what imports no Apprise has none of this.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

APPRISE = "apprise"
FINDER = "DevinotifyApprise"
"""The name of the finder's class, which lives in no module."""


def find(path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
    """Return what the other finders know of Apprise, to be introduced to this package once it is loaded."""
    for finder in sys.meta_path:
        if type(finder).__name__ == FINDER:
            continue
        look = getattr(finder, "find_spec", None)  # old finders have none
        spec: ModuleSpec | None = None if look is None else look(APPRISE, path, target)
        if spec is not None:
            _follow(spec.loader)
            return spec
    return None


def _follow(loader: Any) -> None:  # noqa: ANN401 - whatever finders bring
    """Introduce the module that the loader loads next; what a namespace package has for a loader is left alone."""
    load = getattr(loader, "exec_module", None)
    if load is None or not hasattr(loader, "__dict__") or isinstance(loader, type):
        return

    def exec_module(module: ModuleType) -> None:
        vars(loader).pop("exec_module", None)  # from here on it is the loader that it was
        load(module)
        _introduce(module)

    loader.exec_module = exec_module


def _introduce(apprise: ModuleType) -> None:
    """Have ``devino://`` added to the plugins of Apprise whenever it has loaded them, now if it has."""
    find = getattr(apprise, "NotificationManager", None)
    if find is None:  # a module of somebody's own that has the name
        return
    manager = find()
    load = manager.load_modules

    def load_modules(*args: object, **kwargs: object) -> None:
        load(*args, **kwargs)
        if manager:  # where somebody has switched all plugins off, it is empty
            _register()

    manager.load_modules = load_modules
    if manager:
        _register()


def _register() -> None:
    try:
        from devinotify_apprise.registration import register

        register()
    except Exception as error:  # noqa: BLE001 - a program that uses Apprise for something else goes on, whatever we lack
        logging.getLogger(APPRISE).warning("devino:// is not available: %s: %s", type(error).__name__, error)
