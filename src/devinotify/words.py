"""Numbers of things, what was meant by a mistyped name, what is text, and how to install what is missing.

For messages to people, in plain English. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return the number with its noun, and its verb where that is given: ``1 row is``, ``2,000 rows are``.

    ``many`` is what stands after any number but 1; it is ``one`` with an s unless it is told otherwise.
    """
    return f"{number} {one}" if number == 1 else f"{number:,} {many or one + 's'}"


def meant(given: str, known: Iterable[str], most: int = 1) -> str:
    """Return the nearest of the known names as a question, ``did you mean sms?``; nothing where none is near."""
    from difflib import get_close_matches  # not what every start pays for

    near = get_close_matches(given, list(known), most)
    return f"did you mean {' or '.join(near)}?" if near else ""


def is_text(value: object) -> bool:
    """Whether it is text that is not empty, and that UTF-8 can carry."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate, which no URL, no request and no file can carry
        return False
    return True


def installing(extra: str) -> str:
    """Return the command that installs one of our extras, wherever the core came from."""
    return f"pip install 'devinotify[{extra}]' (in a clone of its repository: pip install '.[{extra}]')"


def installing_plugin(plugin: str) -> str:
    """Return the command that installs one of our plugins, by the name of its folder, wherever the core came from."""
    return f"pip install devinotify-{plugin} (in a clone of its repository: pip install ./plugins/{plugin})"
