"""The table of hooks in docs/reference/hooks.md, from the specifications: ``python -m tests.docs.hook_reference``."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from devinotify import hookspecs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGIN, END = "<!-- hooks -->", "<!-- /hooks -->"

_KIND = re.compile(r"^(First result with wrappers|First result|All|Observer)[.,]", re.MULTILINE)


def hooks() -> dict[str, Callable[..., object]]:
    """Return the specifications by name, in the order of the module."""
    return {name: value for name, value in vars(hookspecs).items() if name.startswith("devinotify_")}


def kind(specification: Callable[..., object]) -> str:
    """Return the kind that a specification's docstring names; raise ValueError where it names none, or several."""
    found = _KIND.findall(inspect.getdoc(specification) or "")
    if len(found) != 1:
        raise ValueError(f"{specification.__name__}: {found}")
    return str(found[0]).lower()


def signature(specification: Callable[..., object]) -> str:
    """Return the name, the arguments and the answer, as a plugin writes them."""
    parameters = ", ".join(
        f"{parameter.name}: {parameter.annotation}"
        for parameter in inspect.signature(specification).parameters.values()
    )
    return f"{specification.__name__}({parameters}) -> {inspect.signature(specification).return_annotation}"


def markdown() -> str:
    """Return the table: each hook's signature, kind, and the first line of its documentation."""
    return "\n".join([BEGIN, "| hook | kind | for |", "|---|---|---|", *_rows(), END])


def _rows() -> Iterator[str]:
    for specification in hooks().values():
        purpose = (inspect.getdoc(specification) or "").splitlines()[0].rstrip(".")
        cells = (f"`{signature(specification)}`", kind(specification), purpose)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    print(markdown())
