"""Values that no log shows: texts whose repr says nothing, since ``notifiers`` logs its data by their reprs. Pure."""

from __future__ import annotations

from typing import Any


class Hidden(str):
    """A text that is used as any other and shown as ``***``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def hidden(value: Any) -> Any:  # noqa: ANN401 - whatever a caller gives
    """Return a text, or a list of such, that is shown as ``***``, and anything else as it is."""
    if isinstance(value, list | tuple):
        return [hidden(each) for each in value]
    return Hidden(value) if isinstance(value, str) else value


def shown(value: Any) -> Any:  # noqa: ANN401 - whatever was hidden
    """Return what was hidden as it was given."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    return str(value) if isinstance(value, str) else value
