"""The numbers that whoever sends lives by, each typed here once more."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from devinotify.delivery import (
    allotment,
    batch_size,
    cursor,
    dispatching,
    fallback,
    holding,
    limiting,
    looking,
    on_loop,
    rate_limit,
    receiving,
    recipients,
    replies,
    sending,
    shared_pace,
    storage,
    waiting,
    worker,
)
from devinotify.retry import Backoff
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "the part of a limit from which on it is told of": (Decimal("0.8"), allotment.NEAR),
    "times that a recipient is refused alone before the account is blamed": (3, batch_size.ALONE),
    "how far the first reading of incoming messages goes back": (timedelta(days=1), cursor.FIRST),
    "how late an incoming message may be told of": (timedelta(hours=1), cursor.LATE),
    "how long a period without incoming messages grows": (timedelta(days=7), cursor.SILENCE),
    "how far into the future incoming messages are asked for": (timedelta(days=1), cursor.AHEAD),
    "how far back incoming messages are asked for": (timedelta(days=364), cursor.REACH),
    "troubles of the gateway in a row": (8, dispatching.MOST_TROUBLES),
    "refused sessions in a row": (3, dispatching.MOST_LOGINS),
    "refused batches in a row": (3, dispatching.MOST_REFUSALS),
    "seconds between two looks whether anything is left to be sent": (1.0, dispatching.LOOK_EVERY),
    "seconds for the next step of a fallback": (60.0, fallback.LEASE),
    "seconds in which a claimed request has to leave": (600.0, holding.OLDEST),
    "counts of past periods removed at a time": (1000, limiting.SWEPT),
    "looks at deliveries a second": (10.0, looking.RATE),
    "looks at deliveries at a time": (2, looking.CONNECTIONS),
    "deliveries that one connection takes on": (20, looking.SOME),
    "failed looks in a row": (3, looking.MOST_FAILURES),
    "sends of an event loop at a time": (100, on_loop.AT_ONCE),
    "pauses after trouble": (Backoff(0.25, 2.0, 60.0), rate_limit.PAUSES),
    "seconds waited for a gateway that asks for a pause": (600.0, rate_limit.LONGEST_ASKED),
    "seconds between two readings of incoming messages": (15.0, receiving.EVERY),
    "aliases in one another": (20, recipients.DEEPEST),
    "recipients that plugins are asked about at once": (1000, recipients.AT_A_TIME),
    "pauses of an address that takes no reply": (Backoff(1.0, 2.0, 300.0), replies.AGAIN),
    "how an outcome is recorded again": (Backoff(0.1, 3.0, 20.0, tries=6), sending.RECORD_AGAIN),
    "seconds that what was put back stands behind the others": (1.0, sending.PUT_BACK),
    "seconds after which the shared pace is asked for again": (10.0, shared_pace.ASK_EVERY),
    "seconds of patience that a first step does not outlive": (60.0, storage.SHORTEST_PATIENCE),
    "what each pause between two looks is multiplied with": (1.5, waiting.SLOWER),
    "seconds between two looks": (60.0, waiting.LONGEST_POLL),
    "seconds for the last looks": (1.0, waiting.LAST_LOOKS),
    "seconds that an idle worker sleeps": (1.0, worker.NAP),
    "the part of a nap that is left to chance": (0.25, worker.JITTER),
    "seconds for which a worker that found nothing asks no more": (0.1, worker.PAUSE),
    "connections of a worker": (4, worker.CONNECTIONS),
    "values between two collections of a worker": (50_000, worker.COLLECT_EVERY),
    "seconds between two searches for what dead workers left": (30.0, worker.RECOVER_EVERY),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
