"""A table that one test walks, where a test of its own for each row would cost some 8 ms of a core whatever it does."""

from __future__ import annotations

import functools
import inspect
import reprlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200

_Param = type(pytest.param())

# pytest's own ways to end a test are no Exceptions. To skip a row would skip those after it.
_FAILURES = (Exception, BaseExceptionGroup, pytest.fail.Exception, pytest.skip.Exception)


class _Row:
    """What a row gives the test, and the name of the row where it fails."""

    def __init__(self, columns: list[str], given: Any, name: object) -> None:  # noqa: ANN401 - a value or a tuple
        values = tuple(given) if len(columns) > 1 else (given,)
        if isinstance(given, _Param):
            if given.marks:
                raise TypeError("a row of a table is not marked: the whole test is, or it is parametrized")
            values, name = tuple(given.values), given.id
        self.arguments = dict(zip(columns, values, strict=True))
        self._name = name

    def __str__(self) -> str:
        if isinstance(self._name, str):
            return self._name
        return ", ".join(f"{name}={_SHORT.repr(value)}" for name, value in self.arguments.items())


def table(
    columns: str, given: Iterable[Any], *, ids: Iterable[str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what has a test walk all rows of a table, and fail with each row that fails.

    It reads as ``pytest.mark.parametrize`` does: a row is a value, or a tuple with one for each of the columns, or
    ``pytest.param`` with an ``id``. Tables above one another are walked as their product. Fixtures are made once for
    all rows, and no row has marks of its own: a test that needs either is parametrized.
    """
    names = [name.strip() for name in columns.split(",")]
    given = [*given]
    named = [None] * len(given) if ids is None else ids
    rows = [_Row(names, *each) for each in zip(given, named, strict=True)]

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def walk(**fixtures: Any) -> None:  # noqa: ANN401 - whatever the test asks for
            __tracebackhide__ = True
            if not rows:
                pytest.fail("the table has no rows")
            failures: list[BaseException] = []
            for number, row in enumerate(rows, 1):
                try:
                    test(**fixtures, **row.arguments)
                except _FAILURES as failure:
                    failure.add_note(f"in row {number}: {row}")
                    failures.append(failure)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(rows)} rows fail", failures)

        fixtures = [each for name, each in signature.parameters.items() if name not in names]
        walk.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined] # which pytest asks
        return walk

    return decorated
