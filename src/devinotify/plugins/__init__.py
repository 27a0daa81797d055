"""The plugins: what is loaded, what each hook may answer, and what guards a send against what plugins do."""

from __future__ import annotations

from devinotify.plugins.manager import (
    BUILT_IN,
    DISABLE_VARIABLE,
    IN_CODE,
    FailedPlugin,
    LoadedPlugin,
    PluginManager,
    make_plugin_manager,
)

__all__ = [
    "BUILT_IN",
    "DISABLE_VARIABLE",
    "IN_CODE",
    "FailedPlugin",
    "LoadedPlugin",
    "PluginManager",
    "make_plugin_manager",
]
