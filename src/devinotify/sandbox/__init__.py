"""A gateway to try everything on without an account: a real HTTP server on loopback that behaves like the real one.

>>> from devinotify.sandbox import Sandbox
>>> with Sandbox() as sandbox:
...     url = sandbox.url

The server parts need the extra ``sandbox``. They are imported when a Sandbox is started, so
that this package costs nothing until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devinotify.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what a lazily loaded name is cannot be said here
    if name in __all__:
        from devinotify.sandbox import sandbox

        return getattr(sandbox, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
