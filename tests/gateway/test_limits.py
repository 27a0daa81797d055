"""The numbers that the gateway's client lives by, each typed here once more."""

from __future__ import annotations

from datetime import timedelta

from devinotify import redact
from devinotify.gateway import calls, checks, codes, conversation, http1, replies, route, wire
from devinotify.gateway.aio import pool, racing
from devinotify.retry import Backoff
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "bytes of a reply": (1024 * 1024, http1.REPLY_LIMIT),
    "bytes of a reply's head": (64 * 1024, http1.HEAD_LIMIT),
    "bytes of a request that may be broken off by its answer": (16 * 1024, http1.LONG_REQUEST),
    "lists and objects in one another": (100, replies.DEEPEST),
    "seconds that one address has before the next": (0.25, racing.HEAD_START),
    "seconds for the ends of connections": (1.0, pool.GOODBYE),
    "seconds for connecting": (5.0, route.CONNECT_TIMEOUT),
    "seconds that an idle connection is good for": (4.0, route.IDLE_LIMIT),
    "seconds by which a session is renewed early": (300, conversation.RENEW_EARLY),
    "pauses after a refused login": (Backoff(1.0, 2.0, 30.0), conversation.LOGIN_AGAIN),
    "pauses of what was not sent": (Backoff(0.1, 2.0, jitter=0.5, tries=3), conversation.NOT_SENT_AGAIN),
    "pauses of a read": (Backoff(0.1, 2.0, jitter=0.5, tries=2), conversation.READ_AGAIN),
    "seconds waited for a gateway that asks for a pause": (5.0, conversation.LONGEST_RETRY_AFTER),
    "ids of one bulk": (20_000, calls.BULK_LIMIT),
    "characters shown of the gateway's words": (200, wire.DESCRIPTION_LENGTH),
    "characters shown of a reply": (120, redact.EXCERPT_LENGTH),
    "how far back incoming messages are kept": (timedelta(days=366), checks.INCOMING_REACH),
    "how long ago is now": (timedelta(seconds=30), checks.PAST_GRACE),
    "where any time comes last": (timedelta(hours=-12), checks.LAST_ZONE.utcoffset(None)),
    "minutes of an SMS": (10_080, codes.SMS_MAX_VALIDITY),
    "the longest period of statistics": (timedelta(days=90), checks.STATISTICS_RANGE),
}


@table("name", PINNED)
def test_a_limit_is_what_it_was(name: str) -> None:
    """A limit changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual


def test_a_send_that_left_is_not_tried_again() -> None:
    """There is no first repetition of what may have gone out."""
    assert conversation.SEND_AGAIN.allows(1) is False
