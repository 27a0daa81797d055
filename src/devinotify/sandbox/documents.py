"""What the control API shows, as JSON documents: it reads the emulator and changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING

from devinotify.sandbox import views
from devinotify.sandbox.arguments import COUNT, Argument
from devinotify.sandbox.clock import iso
from devinotify.sandbox.emulator import NotFound
from devinotify.sandbox.fates import FATES, MAGIC_PREFIX
from devinotify.sandbox.faults import KINDS
from devinotify.sandbox.search import matching, page

if TYPE_CHECKING:
    from devinotify.sandbox.arguments import Values
    from devinotify.sandbox.emulator import Emulator

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_SENDERS = 100
PAGE = (
    Argument("limit", COUNT, f"how many at most, up to {MAX_LIMIT}"),
    Argument("offset", COUNT, "how many to leave out at the beginning"),
)


def limits(values: Values) -> tuple[int, int]:
    """Return how many to leave out, and how many to show at most."""
    return values.get("offset", 0), min(values.get("limit", DEFAULT_LIMIT), MAX_LIMIT)


def messages(emulator: Emulator, values: Values) -> object:
    """Return what arrived, newest first."""
    now = emulator.now()
    offset, limit = limits(values)
    total, found = page(matching(emulator, now, values, newest_first=True), offset, limit)
    return {"total": total, "messages": [views.arrived(message, now).as_dict() for message in found]}


def message(emulator: Emulator, values: Values) -> object:
    """Return one message with all that is known of it."""
    now = emulator.now()
    message = emulator.store.get(values["number"])
    if message is None:
        raise NotFound("there is no such message")
    return {
        "message": views.arrived(message, now).as_dict(),
        "anatomy": views.anatomy(message),
        "story": views.story(message, now),
        "request": None if message.request is None else asdict(views.request(message.request)),
    }


def statistics(emulator: Emulator, _: Values) -> object:
    """Return the counts of what arrived, and the money."""
    now = emulator.now()
    statuses: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    senders: Counter[str] = Counter()
    segments = 0
    spent = Decimal(0)
    posted = emulator.posted()
    for message in emulator.store:
        statuses[views.STATES[message.channel][message.at(now).state].status] += 1
        channels[message.channel] += 1
        senders[message.sender] += 1
        segments += len(message.part_ids)
        spent += message.price * len(message.part_ids)
    return {
        "total": len(emulator.store),
        "status": dict(statuses),
        "channel": dict(channels),
        "segments": segments,
        "spent": f"{spent:f}",
        "balance": f"{emulator.account.balance:f}",
        "sessions": emulator.account.live_sessions(now),
        "incoming": len(emulator.store.incoming),
        "faults": sum(not armed.over(now) for armed in emulator.faults),
        "senders": [sender for sender, _ in senders.most_common(MAX_SENDERS)],
        "posted": None if posted is None else asdict(posted),
        "now": iso(now),
    }


def fates(emulator: Emulator, _: Values) -> object:
    """Return the fates, their magic numbers, and what was set."""
    named = {**FATES, **emulator.settings.timelines}
    return {
        "magic_prefix": f"+{MAGIC_PREFIX}",
        "fates": [
            {
                "fate": fate.name,
                "number": f"+{MAGIC_PREFIX}{fate.ending}" if fate.ending else None,
                "meaning": fate.meaning,
                "sms": [list(step) for step in fate.sms],
                "viber": [list(step) for step in fate.viber],
                "refusal": fate.refusal,
                "changed": fate.name in emulator.settings.timelines,
            }
            for fate in named.values()
        ],
        "set": dict(emulator.settings.fates),
        "states": {
            channel: [
                {"state": code, "status": state.status, "meaning": state.meaning} for code, state in table.items()
            ]
            for channel, table in views.STATES.items()
        },
    }


def faults(emulator: Emulator, _: Values) -> object:
    """Return the armed faults and the kinds of fault."""
    now = emulator.now()
    return {
        "faults": [asdict(views.fault(armed, now)) for armed in emulator.faults],
        "kinds": [
            {"kind": kind.name, "does": kind.does, "arguments": dict(kind.own), "accepts": kind.accepts}
            for kind in KINDS.values()
        ],
    }


def clock(emulator: Emulator, _: Values) -> object:
    """Return the time that the sandbox goes by."""
    now = emulator.now()
    return {"now": iso(now), "seconds": now, "advanced": emulator.clock.advanced, "running": emulator.clock.running}


def incoming(emulator: Emulator, values: Values) -> object:
    """Return the incoming messages, newest first."""
    sender = "".join(filter(str.isdecimal, values.get("sender", "")))
    found = [
        message
        for message in reversed(emulator.store.incoming)
        if not sender or sender == message.sender.removeprefix("+")
    ]
    offset, limit = limits(values)
    shown = found[offset : offset + limit]
    return {"total": len(found), "incoming": [asdict(views.incoming(message)) for message in shown]}


def balance(emulator: Emulator, _: Values) -> object:
    """Return the money left."""
    return {"balance": f"{emulator.account.balance:f}"}


def sessions(emulator: Emulator, _: Values) -> object:
    """Return how many sessions are valid."""
    return {"valid": emulator.account.live_sessions(emulator.now())}


def requests(emulator: Emulator, values: Values) -> object:
    """Return the last requests, newest first, each with its number in this run."""
    offset, limit = limits({"limit": MAX_LIMIT, **values})
    log = list(reversed(emulator.store.requests))
    shown = [{"id": record.serial, **asdict(views.request(record))} for record in log[offset : offset + limit]]
    return {"total": len(log), "requests": shown}
