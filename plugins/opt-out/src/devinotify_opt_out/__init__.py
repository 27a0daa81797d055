"""Who answers STOP gets no more messages, and who answers START gets them again.

Installed, it is loaded by the entry-point group ``devinotify`` and configured by environment variables; in code, give
``make_plugin_manager`` an ``OptOut`` of your own.

>>> from devinotify import make_plugin_manager
>>> plugins = make_plugin_manager(OptOut(confirmation="You get no more messages from us."), discover=False)
"""

from __future__ import annotations

from devinotify_opt_out.opt_out import OptOut
from devinotify_opt_out.settings import FromEnvironment
from devinotify_opt_out.stop_list import Entry, StopList
from devinotify_opt_out.words import Wish, wish_of

__all__ = ["Entry", "FromEnvironment", "OptOut", "StopList", "Wish", "plugin", "wish_of"]

plugin: FromEnvironment = FromEnvironment()
"""What the entry point names: reads its settings when they are needed, so that nothing is frozen at import."""
