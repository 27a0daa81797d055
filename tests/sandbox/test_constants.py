"""The numbers that the sandbox lives by, each typed here once more."""

from __future__ import annotations

from devinotify.retry import Backoff
from devinotify.sandbox import (
    access,
    app,
    bodies,
    checks,
    documents,
    events,
    fates,
    faults,
    handlers,
    inbox,
    messages,
    requestlog,
    server,
    store,
    webhook,
)
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "characters of a token at least": (16, access.MIN_TOKEN),
    "characters of a token at most": (256, access.MAX_TOKEN),
    "seconds that a browser stays signed in": (43_200, access.VISIT),
    "bytes of a control request": (65_536, app.MAX_CONTROL_BODY),
    "bytes of an oversized body that are read": (8_388_608, app.MAX_DRAINED),
    "bytes of a body": (1_048_576, bodies.MAX_BYTES),
    "pairs of a request": (50_000, bodies.MAX_FIELDS),
    "minutes that a message is valid": (1440, checks.DEFAULT_VALIDITY),
    "messages of a page": (100, documents.DEFAULT_LIMIT),
    "messages of a page at most": (1000, documents.MAX_LIMIT),
    "senders of an account": (100, documents.MAX_SENDERS),
    "streams at a time": (64, events.MAX_STREAMS),
    "seconds between two events": (0.2, events.PAUSE),
    "seconds after which a stream says something": (15.0, events.PING),
    "steps of a timeline": (50, fates.MAX_STEPS),
    "seconds of a timeline": (31_622_400.0, fates.MAX_DELAY),
    "requests of a limit": (10_000, faults.MAX_LIMIT),
    "seconds that a fault lasts": (31_622_400.0, faults.MAX_LASTS),
    "times that a fault is met": (1_000_000, faults.MAX_TIMES),
    "seconds over which a rate is counted": (1.0, faults.WINDOW),
    "requests a second of the vendor's": (10, faults.VENDORS_RATE),
    "seconds that incoming messages are kept": (31_622_400.0, handlers.INCOMING_REACH),
    "seconds that statistics are told for": (7_776_000.0, handlers.STATISTICS_RANGE),
    "tags of a message": (10, inbox.MOST_TAGS),
    "characters of a tag": (30, inbox.MAX_TAG),
    "characters of an incoming text": (2000, messages.MAX_INCOMING_TEXT),
    "characters of an incoming address": (32, messages.MAX_ADDRESS),
    "bytes kept of a body": (8192, requestlog.KEPT_BYTES),
    "headers kept": (40, requestlog.KEPT_HEADERS),
    "characters kept of a header": (500, requestlog.KEPT_CHARACTERS),
    "seconds that an idle connection is kept": (30, server.KEEP_ALIVE),
    "seconds for a request's head and its body": (30.0, server.REQUEST_TIMEOUT),
    "seconds after which a server is said to hang": (30.0, server.STOP_TIMEOUT),
    "requests remembered": (1000, store.KEEP_REQUESTS),
    "refused sends remembered": (1000, store.KEEP_REFUSED),
    "messages that wait to be posted": (1000, webhook.WAITING),
    "how a message is posted again": (Backoff(1.0, 2.0, 30.0, tries=4), webhook.RETRIES),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
