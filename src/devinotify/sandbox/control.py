"""The control API under ``/sandbox``, as a table of routes: JSON in, JSON out.

========  ======================  ======================================================================
method    path                    does
========  ======================  ======================================================================
GET       /sandbox                lists these routes, and the base URL to give to a client
GET       /sandbox/messages       lists what arrived, newest first (filters: see ``messages``)
GET       /sandbox/fates          lists the fates, their magic numbers, and what was set
POST      /sandbox/fates          ``{"number": "+7…" or "*", "fate": "expired" or null}``: from now on
POST      /sandbox/zones          ``{"number": "+7…", "zone": "Asia/Vladivostok" or null}``
GET       /sandbox/clock          tells the time that the sandbox goes by
POST      /sandbox/clock          ``{"advance": 7200}``: moves it forward by so many seconds
GET       /sandbox/incoming       lists the incoming messages
POST      /sandbox/incoming       ``{"text": "…", "sender": "+7…", "recipient": "…"}``: adds one, as of now
GET       /sandbox/balance        tells the money left
POST      /sandbox/balance        ``{"balance": "10.50"}``: sets it
GET       /sandbox/sessions       counts the valid sessions
POST      /sandbox/sessions       ``{"expire": true}``: ends them all
GET       /sandbox/requests       lists the last requests to the gateway, secrets masked
POST      /sandbox/reset          back to the start
========  ======================  ======================================================================

A POST's body is a JSON object; a GET's parameters stand in the query. An unknown or missing argument, or a
wrong value, is answered with 400 and ``{"error": "…"}``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devinotify.sandbox import views
from devinotify.sandbox.clock import iso
from devinotify.sandbox.fates import FATES, MAGIC_PREFIX
from devinotify.sandbox.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.store import StoredMessage

Values = dict[str, Any]
"""Arguments that have passed their kinds' checks."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
DEFAULT_RECIPIENT = "79160000000"
"""The account's own number where an incoming message names none."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _text_or_null(value: object) -> str | None:
    return None if value is None else _text(value)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number of seconds")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("must be a smaller number") from None


def _money(value: object) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidOperation
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError("must be a number, best as a string") from None


def _true(value: object) -> bool:
    if value is not True:
        raise ValueError("must be true")
    return True


def _count(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError("must be a whole number, 0 or more")
    return int(text)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a route: its name, what reads and checks its value, and whether it must be there."""

    name: str
    read: Callable[[object], object]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One route: what it answers, and the arguments it takes."""

    method: str
    path: str
    does: str
    answer: Callable[[Emulator, Values], object]
    arguments: tuple[Argument, ...] = ()

    def values(self, given: Mapping[str, object]) -> Values:
        """Return the checked arguments; raises ValueError naming the one that is wrong."""
        known = {argument.name: argument for argument in self.arguments}
        unknown = sorted(set(given) - set(known))
        if unknown:
            names = ", ".join(known) or "none"
            raise ValueError(f"no such argument: {unknown[0][:40]!r}; there are: {names}")
        values: Values = {}
        for name, argument in known.items():
            if name in given:
                try:
                    values[name] = argument.read(given[name])
                except ValueError as wrong:
                    raise ValueError(f"{name} {wrong}") from None
            elif argument.required:
                raise ValueError(f"{name} is missing")
        return values


def matching(emulator: Emulator, now: float, filters: Values, *, newest_first: bool) -> Iterator[StoredMessage]:
    """Return the stored messages that fit every filter: channel, to, sender, text, status, operation.

    ``to`` is a part of the number's digits, ``text`` a part of the text in any case; the others are equal.
    """
    to = "".join(filter(str.isdecimal, filters["to"])) if filters.get("to") else ""
    text = filters.get("text", "").casefold()
    equal = {name: filters[name] for name in ("channel", "sender", "operation") if filters.get(name)}
    status = filters.get("status")
    for message in reversed(emulator.store) if newest_first else emulator.store:
        if (
            to in message.recipient
            and (not text or text in message.text.casefold())
            and all(getattr(message, name) == value for name, value in equal.items())
            and (not status or views.STATES[message.channel][message.at(now).state].status == status)
        ):
            yield message


def _messages(emulator: Emulator, values: Values) -> object:
    now = emulator.now()
    found = list(matching(emulator, now, values, newest_first=True))
    offset = values.get("offset", 0)
    page = islice(found, offset, offset + min(values.get("limit", DEFAULT_LIMIT), MAX_LIMIT))
    return {"total": len(found), "messages": [views.arrived(message, now).as_dict() for message in page]}


def _fates(emulator: Emulator, _: Values) -> object:
    return {
        "magic_prefix": f"+{MAGIC_PREFIX}",
        "fates": [
            {
                "fate": fate.name,
                "number": f"+{MAGIC_PREFIX}{fate.ending}",
                "meaning": fate.meaning,
                "sms": [list(step) for step in fate.sms],
                "viber": [list(step) for step in fate.viber],
                "refusal": fate.refusal,
            }
            for fate in FATES.values()
        ],
        "set": dict(emulator.fates),
    }


def _set_fate(emulator: Emulator, values: Values) -> object:
    emulator.set_fate(values["number"], values["fate"])
    return {"set": dict(emulator.fates)}


def _set_zone(emulator: Emulator, values: Values) -> object:
    emulator.set_time_zone(values["number"], values["zone"])
    return {"set": dict(emulator.zones)}


def _clock(emulator: Emulator, _: Values) -> object:
    now = emulator.now()
    return {"now": iso(now), "seconds": now}


def _advance(emulator: Emulator, values: Values) -> object:
    emulator.advance(values["advance"])
    return _clock(emulator, {})


def _incoming(emulator: Emulator, _: Values) -> object:
    return {"incoming": [asdict(views.incoming(message)) for message in reversed(emulator.store.incoming)]}


def _add_incoming(emulator: Emulator, values: Values) -> object:
    recipient = values.get("recipient", DEFAULT_RECIPIENT)
    return asdict(views.incoming(emulator.add_incoming(values["text"], values["sender"], recipient)))


def _balance(emulator: Emulator, _: Values) -> object:
    return {"balance": f"{emulator.account.balance:f}"}


def _set_balance(emulator: Emulator, values: Values) -> object:
    emulator.set_balance(values["balance"])
    return _balance(emulator, {})


def _sessions(emulator: Emulator, _: Values) -> object:
    return {"valid": emulator.account.live_sessions(emulator.now())}


def _expire_sessions(emulator: Emulator, _: Values) -> object:
    return {"expired": emulator.expire_sessions()}


def _requests(emulator: Emulator, _: Values) -> object:
    return {"requests": [asdict(views.request(record)) for record in reversed(emulator.store.requests)]}


def _reset(emulator: Emulator, _: Values) -> object:
    emulator.reset()
    return {"reset": True}


def _index(_: Emulator, __: Values) -> object:
    return {
        "gateway": "/rest",
        "operations": [{"methods": list(op.methods), "path": f"/rest/{op.name}"} for op in OPERATIONS],
        "control": [
            {
                "method": route.method,
                "path": route.path,
                "does": route.does,
                "arguments": [argument.name for argument in route.arguments],
            }
            for route in ROUTES
        ],
    }


FILTERS = tuple(Argument(name, _text) for name in ("channel", "to", "sender", "text", "status", "operation"))
_NUMBER = Argument("number", _text, required=True)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/sandbox", "lists the routes", _index),
    Route(
        "GET",
        "/sandbox/messages",
        "lists what arrived, newest first",
        _messages,
        (*FILTERS, Argument("limit", _count), Argument("offset", _count)),
    ),
    Route("GET", "/sandbox/fates", "lists the fates and their magic numbers", _fates),
    Route(
        "POST",
        "/sandbox/fates",
        "gives a number, or * for every other one, a fate; null takes it back",
        _set_fate,
        (_NUMBER, Argument("fate", _text_or_null, required=True)),
    ),
    Route(
        "POST",
        "/sandbox/zones",
        "gives a number a time zone; null takes it back",
        _set_zone,
        (_NUMBER, Argument("zone", _text_or_null, required=True)),
    ),
    Route("GET", "/sandbox/clock", "tells the time", _clock),
    Route(
        "POST",
        "/sandbox/clock",
        "moves the clock forward by so many seconds",
        _advance,
        (Argument("advance", _seconds, required=True),),
    ),
    Route("GET", "/sandbox/incoming", "lists the incoming messages, newest first", _incoming),
    Route(
        "POST",
        "/sandbox/incoming",
        "adds an incoming message",
        _add_incoming,
        (
            Argument("text", _text, required=True),
            Argument("sender", _text, required=True),
            Argument("recipient", _text),
        ),
    ),
    Route("GET", "/sandbox/balance", "tells the money left", _balance),
    Route("POST", "/sandbox/balance", "sets it", _set_balance, (Argument("balance", _money, required=True),)),
    Route("GET", "/sandbox/sessions", "counts the valid sessions", _sessions),
    Route("POST", "/sandbox/sessions", "ends them all", _expire_sessions, (Argument("expire", _true, required=True),)),
    Route("GET", "/sandbox/requests", "lists the last requests, secrets masked, newest first", _requests),
    Route("POST", "/sandbox/reset", "back to the start", _reset),
)

BY_PATH: Mapping[str, Mapping[str, Route]] = MappingProxyType(
    {path: {route.method: route for route in ROUTES if route.path == path} for path in (r.path for r in ROUTES)}
)
"""Path -> method -> route."""


def answer(emulator: Emulator, route: Route, given: Mapping[str, object]) -> object:
    """Return a route's JSON document; raises ValueError with a reason for wrong arguments."""
    values = route.values(given)
    with emulator.lock:
        return route.answer(emulator, values)
