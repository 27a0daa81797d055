"""The inbox: what arrived and what was refused as one list, with what its reader does there."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from devinotify.sandbox import curl, documents, exports, release, views
from devinotify.sandbox.arguments import BOOLEAN, COUNT, TEXTS, Argument
from devinotify.sandbox.emulator import NotFound
from devinotify.sandbox.messages import REFUSED_KEY, PlatformMessage
from devinotify.sandbox.search import FILTERS, listed, page

if TYPE_CHECKING:
    from devinotify.sandbox.arguments import Values
    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.search import Listed

KEY = Argument("key", means=f"a message's number, or of a refused send {REFUSED_KEY} and its number")
MARKS = (
    Argument("read", BOOLEAN, "whether it counts as read"),
    Argument("tags", TEXTS, "words to find it by, in place of those it has"),
)
CHOICE = (KEY, *FILTERS)
"""One of the list, or all that fit."""
LISTED = (*FILTERS, *documents.PAGE)
ONE = (replace(KEY, required=True),)
REQUEST = (
    KEY,
    Argument("request", COUNT, "a request's id, in place of key"),
    Argument("base", means=f"the gateway's base URL, {curl.BASE} where it is missing"),
)
MOST_TAGS = 10
MAX_TAG = 30
"""Characters of a tag."""


def found(emulator: Emulator, key: str) -> Listed:
    """Return what has a key; raises NotFound where nothing has."""
    refused = key.startswith(REFUSED_KEY)
    digits = key.removeprefix(REFUSED_KEY)
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0
    one = emulator.store.get_refused(number) if refused else emulator.store.get(number)
    if one is None:
        raise NotFound("there is no such message")
    return one


def _chosen(emulator: Emulator, values: Values) -> list[Listed]:
    key = values.get("key")
    filters = {name: value for name, value in values.items() if name != "key"}
    if key is None:
        return list(listed(emulator, emulator.now(), filters))
    if filters:
        raise ValueError("key names one: leave the filters out")
    return [found(emulator, key)]


def entries(emulator: Emulator, values: Values) -> object:
    """Return the list, newest first, and what there is in all."""
    now = emulator.now()
    offset, limit = documents.limits(values)
    total, shown = page(listed(emulator, now, values), offset, limit)
    store = emulator.store
    return {
        "total": total,
        "all": len(store) + len(store.refused),
        "unread": sum(not one.read for one in store) + sum(not one.read for one in store.refused),
        "refused": len(store.refused),
        "tags": sorted({tag for one in (*store, *store.refused) for tag in one.tags}),
        "entries": [asdict(views.entry(one, now)) for one in shown],
    }


def entry(emulator: Emulator, values: Values) -> object:
    """Return one of the list with all that is known of it."""
    now = emulator.now()
    one = found(emulator, values["key"])
    message = isinstance(one, PlatformMessage)
    return {
        "entry": asdict(views.entry(one, now)),
        "message": views.arrived(one, now).as_dict() if isinstance(one, PlatformMessage) else None,
        "anatomy": views.anatomy(one),
        "story": views.story(one, now) if isinstance(one, PlatformMessage) else [],
        "request": None if one.request is None else asdict(views.request(one.request)),
        "releasable": message and release.allows(emulator, one),
    }


def _tags(given: list[str]) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(tag.strip() for tag in given))
    if len(tags) > MOST_TAGS or not all(0 < len(tag) <= MAX_TAG and tag.isprintable() for tag in tags):
        raise ValueError(f"tags must be at most {MOST_TAGS}, of 1 to {MAX_TAG} characters each")
    return tags


def mark(emulator: Emulator, values: Values) -> object:
    """Mark one, or all that fit, as read, unread or tagged."""
    values = dict(values)
    read, given = values.pop("read", None), values.pop("tags", None)
    if read is None and given is None:
        raise ValueError("read or tags is missing")
    tags = None if given is None else _tags(given)
    chosen = _chosen(emulator, values)
    for one in chosen:
        emulator.store.mark(one, read=read, tags=tags)
    emulator.changed()
    return {"marked": len(chosen)}


def delete(emulator: Emulator, values: Values) -> object:
    """Forget one, or all that fit."""
    chosen = _chosen(emulator, values)
    for one in chosen:
        if isinstance(one, PlatformMessage):
            emulator.store.remove(one.serial)
        else:
            emulator.store.remove_refused(one.serial)
    emulator.changed()
    return {"deleted": len(chosen)}


def export_json(emulator: Emulator, values: Values) -> object:
    """Return all that fit as one JSON document, to be kept."""
    now = emulator.now()
    return exports.as_json([views.entry(one, now) for one in listed(emulator, now, values)])


def export_csv(emulator: Emulator, values: Values) -> object:
    """Return all that fit as CSV, to be kept."""
    now = emulator.now()
    return exports.as_csv([views.entry(one, now) for one in listed(emulator, now, values)])


def as_curl(emulator: Emulator, values: Values) -> object:
    """Return the lines that make a request again: that of a message, or one of the log."""
    key, number = values.get("key"), values.get("request")
    if (key is None) == (number is None):
        raise ValueError("key or request is missing: give one of them")
    if key is not None:
        record = found(emulator, key).request
    else:
        record = next((one for one in emulator.store.requests if one.serial == number), None)
    if record is None:
        raise NotFound("there is no such request")
    account = emulator.account
    return {"curl": curl.lines(record, values.get("base", curl.BASE), account.login, emulator.shown_password)}
