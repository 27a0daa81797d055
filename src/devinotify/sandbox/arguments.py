"""The arguments of the control API: how each type of value is read, checked and described. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devinotify.sandbox import money

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

Values = dict[str, Any]
"""Arguments that have passed their types' checks."""

MAX_COUNT = 999_999_999


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("must be a smaller number") from None


def _seconds(value: object) -> float:
    try:
        return _number(value)
    except ValueError as wrong:
        raise ValueError(str(wrong).replace("a number", "a number of seconds")) from None


def _money(value: object) -> Decimal:
    if not isinstance(value, str | int | float):
        raise ValueError(f"must be {money.RANGE}, best as a string")
    return money.amount(value)


def _true(value: object) -> bool:
    if value is not True:
        raise ValueError("must be true")
    return True


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _count(value: object) -> int:
    # A query's arguments are all strings.
    text = str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e9 else str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError("must be a whole number, 0 or more")
    return int(text)


def _integer(value: object) -> int:
    number = _number(value)
    if not math.isfinite(number) or not number.is_integer():
        raise ValueError("must be a whole number")
    return value if isinstance(value, int) else int(number)


def _steps(value: object) -> list[tuple[float, int]]:
    if not isinstance(value, list) or not all(isinstance(step, list) and len(step) == 2 for step in value):
        raise ValueError("must be a list of pairs, each of seconds and a state")
    return [(_number(after), _integer(state)) for after, state in value]


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("must be a list of strings")
    return value


@dataclass(frozen=True, slots=True)
class ValueType:
    """One type of value: what reads and checks it, and its JSON Schema."""

    read: Callable[[object], object]
    schema: Mapping[str, object]


TEXT = ValueType(_text, {"type": "string"})
TEXTS = ValueType(_texts, {"type": "array", "items": {"type": "string"}})
MONEY = ValueType(_money, {"type": ["string", "number"], "minimum": 0, "maximum": money.MOST})
TRUE = ValueType(_true, {"const": True})
BOOLEAN = ValueType(_boolean, {"type": "boolean"})
COUNT = ValueType(_count, {"type": "integer", "minimum": 0, "maximum": MAX_COUNT})
INTEGER = ValueType(_integer, {"type": "integer"})
NUMBER = ValueType(_number, {"type": "number"})
SECONDS = ValueType(_seconds, {"type": "number", "minimum": 0})
STEPS = ValueType(
    _steps,
    {
        "type": "array",
        "maxItems": 50,
        "items": {
            "type": "array",
            "prefixItems": [{"type": "number", "minimum": 0}, {"type": "integer"}],
            "items": False,
            "minItems": 2,
        },
    },
)


def one_of(*values: str) -> ValueType:
    """Return the type of a string out of a few."""

    def read(value: object) -> str:
        if value not in values:
            raise ValueError(f"must be one of: {', '.join(values)}")
        return str(value)

    return ValueType(read, {"type": "string", "enum": list(values)})


def or_null(given: ValueType) -> ValueType:
    """Return the type of a value that may be null as well."""
    named = given.schema.get("type")
    if isinstance(named, str) and "enum" not in given.schema:
        schema: Mapping[str, object] = {**given.schema, "type": [named, "null"]}
    else:
        schema = {"anyOf": [given.schema, {"type": "null"}]}
    return ValueType(lambda value: None if value is None else given.read(value), schema)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a route: its name, the type of value it takes, what it means, and whether it must be there."""

    name: str
    takes: ValueType = TEXT
    means: str = ""
    required: bool = False


def values_of(arguments: tuple[Argument, ...], given: Mapping[str, object]) -> Values:
    """Return the checked arguments; raises ValueError naming the one that is wrong."""
    known = {argument.name: argument for argument in arguments}
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(known) or "none"
        raise ValueError(f"no such argument: {unknown[0][:40]!r}; there are: {names}")
    values: Values = {}
    for name, argument in known.items():
        if name in given:
            try:
                values[name] = argument.takes.read(given[name])
            except ValueError as wrong:
                raise ValueError(f"{name} {wrong}") from None
        elif argument.required:
            raise ValueError(f"{name} is missing")
    return values
