"""A provider for the ``notifiers`` library, by devinotify.

>>> from notifiers import get_notifier
>>> get_notifier("devino").notify(message="Hello", url="devino://login:password@SENDER", to="+79161234567")
"""

from __future__ import annotations

from devinotify_notifiers.provider import Devino

__all__ = ["Devino"]
