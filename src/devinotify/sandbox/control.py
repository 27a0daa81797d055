"""The control API under ``/sandbox``, as a table of routes: JSON in, JSON out.

========  =======================  =====================================================================
method    path                     does
========  =======================  =====================================================================
GET       /sandbox                 lists these routes, and what a client has to be given
GET       /sandbox/messages        lists what arrived, newest first (filters: see ``search.py``)
POST      /sandbox/messages        ``{"number": 3, "fate": "expired"}``: makes that come true now
DELETE    /sandbox/messages        ``?number=3``: forgets a message, or all where no number is given
GET       /sandbox/message         ``?number=3``: one message with its segments, its story and its request
GET       /sandbox/inbox           lists what arrived and what was refused (filters as above)
POST      /sandbox/inbox           ``{"key": "3", "read": true, "tags": ["A"]}``: marks one, or all that fit
DELETE    /sandbox/inbox           ``?key=r3``, or filters: forgets one, or all that fit
GET       /sandbox/entry           ``?key=r3``: one of the inbox with all that is known of it
GET       /sandbox/export.json     the inbox as a file (filters as above)
GET       /sandbox/export.csv      the same for a spreadsheet
GET       /sandbox/curl            ``?key=3`` or ``?request=7``: the lines that make a request again
POST      /sandbox/release         ``{"number": 3}``: sends a message on to a real account, if there is one
GET       /sandbox/statistics      counts messages and segments by status and channel; money; senders
GET       /sandbox/fates           lists the fates, their magic numbers, and what was set
POST      /sandbox/fates           ``{"number": "+7…" or "*", "fate": "expired" or null}``: from now on
POST      /sandbox/timelines       ``{"fate": "slow", "sms": [[5, -1], [60, 0]]}``: when it reaches what
POST      /sandbox/zones           ``{"number": "+7…", "zone": "Asia/Vladivostok" or null}``
GET       /sandbox/answers         lists what phones answer by themselves
POST      /sandbox/answers         ``{"number": "+7…" or "*", "text": "STOP" or null}``: from now on
GET       /sandbox/faults          lists the armed faults and the kinds of fault
POST      /sandbox/faults          ``{"kind": "drop", "operation": "Sms/Send", "times": 1}``: arms one
DELETE    /sandbox/faults          ``?id=3``: disarms a fault, or all where no id is given
GET       /sandbox/clock           tells the time that the sandbox goes by
POST      /sandbox/clock           ``{"advance": 7200}``: moves it forward by so many seconds
GET       /sandbox/incoming        lists the incoming messages, newest first
POST      /sandbox/incoming        ``{"text": "…", "sender": "+7…", "recipient": "…"}``: adds one, as of now
GET       /sandbox/balance         tells the money left
POST      /sandbox/balance         ``{"balance": "10.50"}``: sets it
GET       /sandbox/sessions        counts the valid sessions
POST      /sandbox/sessions        ``{"expire": true}``: ends them all
GET       /sandbox/requests        lists the last requests to the gateway, secrets masked
POST      /sandbox/reset           back to the start
========  =======================  =====================================================================

A POST's body is a JSON object; the parameters of the others stand in the query. An unknown or missing
argument, or a wrong value, is answered with 400 and ``{"error": "…"}``, a number that nothing has with 404.
Besides, ``/sandbox/events`` is a stream of server-sent events, one whenever something has changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.gateway.codes import SMS_STATES, VIBER_STATES
from devinotify.sandbox import documents, inbox, release, views
from devinotify.sandbox.arguments import (
    BOOLEAN,
    COUNT,
    INTEGER,
    MONEY,
    NUMBER,
    SECONDS,
    STEPS,
    TEXT,
    TRUE,
    Argument,
    Values,
    one_of,
    or_null,
    values_of,
)
from devinotify.sandbox.fates import steps_of
from devinotify.sandbox.faults import KINDS, Fault
from devinotify.sandbox.messages import DEFAULT_RECIPIENT as DEFAULT_RECIPIENT
from devinotify.sandbox.operations import OPERATIONS
from devinotify.sandbox.search import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from devinotify.sandbox.emulator import Emulator


@dataclass(frozen=True, slots=True)
class Route:
    """One route: what it answers, and the arguments it takes."""

    method: str
    path: str
    does: str
    answer: Callable[[Emulator, Values], object]
    arguments: tuple[Argument, ...] = ()
    slow: bool = False
    """Whether it talks to somebody, and so takes the emulator's lock itself and is not to be run on an event loop."""

    def values(self, given: Mapping[str, object]) -> Values:
        """Return the checked arguments; raises ValueError naming the one that is wrong."""
        return values_of(self.arguments, given)


def _force(emulator: Emulator, values: Values) -> object:
    message = emulator.force(values["number"], values["fate"])
    return views.arrived(message, emulator.now()).as_dict()


def _forget(emulator: Emulator, values: Values) -> object:
    return {"deleted": emulator.forget(values.get("number"))}


def _set_fate(emulator: Emulator, values: Values) -> object:
    emulator.set_fate(values["number"], values["fate"])
    return {"set": dict(emulator.settings.fates)}


def _set_timeline(emulator: Emulator, values: Values) -> object:
    steps = {}
    for channel, states in (("sms", SMS_STATES), ("viber", VIBER_STATES)):
        given = values.get(channel)
        try:
            steps[channel] = None if given is None else steps_of(given, states)
        except ValueError as wrong:
            raise ValueError(f"{channel} {wrong}") from None
    emulator.set_timeline(values["fate"], **steps)
    return documents.fates(emulator, {})


def _set_answer(emulator: Emulator, values: Values) -> object:
    emulator.set_answer(values["number"], values["text"])
    return _answers(emulator, {})


def _answers(emulator: Emulator, _: Values) -> object:
    return {"set": dict(emulator.settings.answers)}


def _set_zone(emulator: Emulator, values: Values) -> object:
    emulator.set_time_zone(values["number"], values["zone"])
    return {"set": dict(emulator.settings.zones)}


def _add_fault(emulator: Emulator, values: Values) -> object:
    armed = emulator.add_fault(Fault(**values))
    return asdict(views.fault(armed, emulator.now()))


def _remove_faults(emulator: Emulator, values: Values) -> object:
    emulator.remove_faults(values.get("id"))
    return documents.faults(emulator, {})


def _advance(emulator: Emulator, values: Values) -> object:
    emulator.advance(values["advance"])
    return documents.clock(emulator, {})


def _add_incoming(emulator: Emulator, values: Values) -> object:
    recipient = values.get("recipient", DEFAULT_RECIPIENT)
    return asdict(views.incoming(emulator.add_incoming(values["text"], values["sender"], recipient)))


def _set_balance(emulator: Emulator, values: Values) -> object:
    emulator.set_balance(values["balance"])
    return documents.balance(emulator, {})


def _expire_sessions(emulator: Emulator, _: Values) -> object:
    return {"expired": emulator.expire_sessions()}


def _reset(emulator: Emulator, _: Values) -> object:
    emulator.reset()
    return {"reset": True}


def _index(emulator: Emulator, _: Values) -> object:
    return {
        "gateway": "/rest",
        "gateway_v2": "/rest/v2",
        "description": "/openapi.json",
        "login": emulator.account.login,
        "operations": [{"methods": list(op.methods), "path": op.path} for op in OPERATIONS],
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


_PHONE = Argument("number", means="a phone number, or * for all others", required=True)
_SERIAL = Argument("number", COUNT, "the message's number", required=True)
_PAGE = documents.PAGE
_FAULT = (
    Argument("kind", one_of(*KINDS), "what goes wrong", required=True),
    Argument("operation", means="an operation such as Sms/Send, or * for all"),
    Argument("number", means="a phone number that the request is about, or * for any"),
    Argument("probability", NUMBER, "from 0 to 1: how often it strikes"),
    Argument("seed", or_null(INTEGER), "makes the same requests fail each time"),
    Argument("times", or_null(INTEGER), "how often it strikes at most"),
    Argument("lasts", or_null(SECONDS), "seconds after which it is over"),
    Argument("seconds", or_null(SECONDS), "latency: how long it waits"),
    Argument("code", or_null(INTEGER), "error, rate: a Code of the error table"),
    Argument("status", or_null(INTEGER), "status, html, rate: the HTTP status"),
    Argument("limit", or_null(INTEGER), "rate: requests a second"),
    Argument("accepts", or_null(BOOLEAN), "whether the request is carried out all the same"),
)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/sandbox", "lists the routes", _index),
    Route("GET", "/sandbox/messages", "lists what arrived, newest first", documents.messages, (*FILTERS, *_PAGE)),
    Route(
        "POST",
        "/sandbox/messages",
        "makes a fate of a message come true now",
        _force,
        (_SERIAL, Argument("fate", means="a fate's name", required=True)),
    ),
    Route(
        "DELETE",
        "/sandbox/messages",
        "forgets a message, or all",
        _forget,
        (Argument("number", COUNT, "the message's number; all where it is missing"),),
    ),
    Route("GET", "/sandbox/message", "shows one message with all that is known of it", documents.message, (_SERIAL,)),
    Route(
        "GET", "/sandbox/inbox", "lists what arrived and what was refused, newest first", inbox.entries, inbox.LISTED
    ),
    Route("POST", "/sandbox/inbox", "marks one, or all that fit", inbox.mark, (*inbox.CHOICE, *inbox.MARKS)),
    Route("DELETE", "/sandbox/inbox", "forgets one, or all that fit", inbox.delete, inbox.CHOICE),
    Route("GET", "/sandbox/entry", "shows one of the inbox with all that is known of it", inbox.entry, inbox.ONE),
    Route("GET", "/sandbox/export.json", "all that fits, as a file", inbox.export_json, FILTERS),
    Route("GET", "/sandbox/export.csv", "all that fits, as a file for a spreadsheet", inbox.export_csv, FILTERS),
    Route("GET", "/sandbox/curl", "the lines that make a request again", inbox.as_curl, inbox.REQUEST),
    Route("POST", "/sandbox/release", "sends a message on to a real account", release.perform, (_SERIAL,), slow=True),
    Route("GET", "/sandbox/statistics", "counts what arrived, and tells the money", documents.statistics),
    Route("GET", "/sandbox/fates", "lists the fates and their magic numbers", documents.fates),
    Route(
        "POST",
        "/sandbox/fates",
        "gives a number, or * for every other one, a fate; null takes it back",
        _set_fate,
        (_PHONE, Argument("fate", or_null(TEXT), "a fate's name", required=True)),
    ),
    Route(
        "POST",
        "/sandbox/timelines",
        "sets after how many seconds a fate reaches which states; null for both channels takes it back",
        _set_timeline,
        (
            Argument("fate", means="a fate's name, or a new one", required=True),
            Argument("sms", or_null(STEPS), "pairs of seconds after the sending and an SMS state"),
            Argument("viber", or_null(STEPS), "pairs of seconds after the sending and a Viber state"),
        ),
    ),
    Route(
        "POST",
        "/sandbox/zones",
        "gives a number a time zone; null takes it back",
        _set_zone,
        (_PHONE, Argument("zone", or_null(TEXT), "a name like Asia/Vladivostok", required=True)),
    ),
    Route("GET", "/sandbox/answers", "lists what phones answer by themselves", _answers),
    Route(
        "POST",
        "/sandbox/answers",
        "has a number, or * for every other one, answer what arrives; null takes it back",
        _set_answer,
        (_PHONE, Argument("text", or_null(TEXT), "what it says", required=True)),
    ),
    Route("GET", "/sandbox/faults", "lists the armed faults and the kinds of fault", documents.faults),
    Route("POST", "/sandbox/faults", "arms a fault", _add_fault, _FAULT),
    Route(
        "DELETE",
        "/sandbox/faults",
        "disarms a fault, or all",
        _remove_faults,
        (Argument("id", COUNT, "the fault's number; all where it is missing"),),
    ),
    Route("GET", "/sandbox/clock", "tells the time", documents.clock),
    Route(
        "POST",
        "/sandbox/clock",
        "moves the clock forward by so many seconds",
        _advance,
        (Argument("advance", SECONDS, "seconds", required=True),),
    ),
    Route(
        "GET",
        "/sandbox/incoming",
        "lists the incoming messages, newest first",
        documents.incoming,
        (Argument("sender", means="the number that it came from"), *_PAGE),
    ),
    Route(
        "POST",
        "/sandbox/incoming",
        "adds an incoming message",
        _add_incoming,
        (
            Argument("text", required=True),
            Argument("sender", means="the number that it comes from", required=True),
            Argument("recipient", means="the account's number that it goes to"),
        ),
    ),
    Route("GET", "/sandbox/balance", "tells the money left", documents.balance),
    Route("POST", "/sandbox/balance", "sets it", _set_balance, (Argument("balance", MONEY, required=True),)),
    Route("GET", "/sandbox/sessions", "counts the valid sessions", documents.sessions),
    Route("POST", "/sandbox/sessions", "ends them all", _expire_sessions, (Argument("expire", TRUE, required=True),)),
    Route(
        "GET", "/sandbox/requests", "lists the last requests, secrets masked, newest first", documents.requests, _PAGE
    ),
    Route("POST", "/sandbox/reset", "back to the start", _reset),
)

BY_PATH: Mapping[str, Mapping[str, Route]] = MappingProxyType(
    {path: {route.method: route for route in ROUTES if route.path == path} for path in (r.path for r in ROUTES)}
)
"""Path -> method -> route."""


def answer(emulator: Emulator, route: Route, given: Mapping[str, object]) -> object:
    """Return a route's JSON document; raises ValueError with a reason for wrong arguments, NotFound for none such."""
    values = route.values(given)
    if route.slow:
        return route.answer(emulator, values)
    with emulator.lock:
        return route.answer(emulator, values)
