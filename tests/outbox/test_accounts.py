"""Whose rows are whose: nobody sends, looks up or goes on with another account's."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Notifier, Worker, hookimpl, make_plugin_manager
from devinotify.delivery import storage
from devinotify.exceptions import Forbidden, InvalidInput
from devinotify.models import DeliveryStatus
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.buckets import INCOMING, PAGE
from tests.outbox.support import Clock, accepted, claim, failed, message, numbers, state
from tests.tables import table

if TYPE_CHECKING:
    from tests.outbox.conftest import Place, Places

MINE, THEIRS = "me@gateway.example/rest", "they@gateway.example/rest"
URL = "devino://{}:secret@SENDER/79161234567?channel=null"


def account_of(outbox: Outbox, message_id: int) -> str | None:
    """Return whose a stored message is."""
    stored = outbox.message(message_id)
    assert stored is not None
    return stored.account


@table("count", [1, 3])
def test_a_message_is_stored_with_its_account(places: Places, count: int) -> None:
    """A single one and one to many."""
    outbox = places().open()
    row = outbox.enqueue(message(*numbers(count)), account=MINE)[0]
    batch = claim(outbox)
    assert (MINE, MINE) == (account_of(outbox, row.message_id), batch.stored.account)


def test_every_way_in_takes_the_account(outbox: Outbox) -> None:
    """Many at once, a message that is fed later, and one that is sent at once."""
    outbox.enqueue_many([message()], account=MINE)
    registered = outbox.register(message(), account=MINE)
    outbox.extend(registered, numbers(2))
    batch = outbox.begin(message(), account=MINE)
    assert batch is not None
    found = {account_of(outbox, row.message_id) for row in outbox}
    assert ({MINE}, 4, MINE) == (found, len(list(outbox.rows(account=MINE))), batch.stored.account)


def test_what_names_none_is_the_outboxs_own(place: Place) -> None:
    """By every way in; who names one is heard."""
    mine, theirs = place.open(account=MINE), place.open(account=THEIRS)
    mine.enqueue(message())
    mine.enqueue(message(*numbers(2)))
    mine.enqueue_many([message()])
    mine.extend(mine.register(message()), numbers(2))
    batch = mine.begin(message())
    assert batch is not None
    assert {MINE} == {account_of(mine, row.message_id) for row in mine}
    (other,) = mine.enqueue(message(), account=THEIRS)
    taken = theirs.claim(account=THEIRS)
    assert taken is not None
    assert ([other.id], None) == ([row.id for row in taken.rows], theirs.claim(account=THEIRS))


def test_the_account_of_an_outbox_is_one(places: Places) -> None:
    """What names no account is refused before anything is opened."""
    with pytest.raises(InvalidInput, match="LOGIN@host"):
        places().open(account="me")


def test_what_a_plugin_enqueues_is_its_notifiers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two accounts on one outbox the other's worker does not send it, and its own does."""
    monkeypatch.setattr(storage, "open_outbox", lambda _, **options: place.open(**options))

    class Thanks:
        @hookimpl
        def devinotify_outcome_recorded(self, message: Message) -> None:
            """Have one more follow what was sent."""
            outbox = Outbox.current()
            if outbox is not None and message.text == "hello":
                outbox.enqueue(replace(message, text="thank you"))

    with (
        Notifier(URL.format("me"), plugins=make_plugin_manager(Thanks(), discover=False)) as mine,
        Notifier(URL.format("they"), plugins=make_plugin_manager(discover=False)) as theirs,
    ):
        mine.notify("hello")
        outbox = place.open()
        (row,) = outbox
        states = []
        for notifier in (theirs, mine):
            Worker(notifier).run(once=True)
            states += [each.state for each in outbox]
        assert (mine.url.account, [RowState.QUEUED, RowState.ACCEPTED]) == (account_of(outbox, row.message_id), states)


def test_without_one_it_is_nobodys(outbox: Outbox) -> None:
    """Whoever comes first may send it."""
    (row,) = outbox.enqueue(message())
    assert account_of(outbox, row.message_id) is None


def test_an_account_is_one(outbox: Outbox) -> None:
    """What names no account is refused where it enters."""
    with pytest.raises(InvalidInput, match="LOGIN@host"):
        outbox.enqueue(message(), account="me")
    assert 0 == len(outbox)


@table("count", [1, 3])
def test_nobody_claims_another_accounts_rows(places: Places, count: int) -> None:
    """Not even where they have waited for longer."""
    outbox = places().open()
    outbox.enqueue(message(*numbers(count)), account=THEIRS)
    assert outbox.claim(account=MINE) is None
    (mine,) = outbox.enqueue(message(), account=MINE)
    batch = outbox.claim(account=MINE)
    assert batch is not None
    assert ([mine.id], None) == ([row.id for row in batch.rows], outbox.claim(account=MINE))


def test_rows_of_another_account_are_not_claimed_by_their_ids(outbox: Outbox) -> None:
    """Those that are one's own, or nobody's, are."""
    theirs, nobodys = outbox.enqueue(message(), account=THEIRS), outbox.enqueue(message())
    assert (None, True, True) == (
        outbox.claim(rows=theirs, account=MINE),
        outbox.claim(rows=nobodys, account=MINE) is not None,
        outbox.claim(rows=theirs, account=THEIRS) is not None,
    )


def test_the_oldest_comes_first_whatever_the_account(outbox: Outbox, clock: Clock) -> None:
    """Who names no account gets all, each batch of one message."""
    order = []
    for account in (THEIRS, None, MINE):
        order += outbox.enqueue(message(), account=account)
        clock.now += 1
    assert [row.id for row in order] == [claim(outbox).rows[0].id for _ in range(3)]


def test_what_is_nobodys_is_the_first_claimers(outbox: Outbox) -> None:
    """The whole message: what is left of it is not the second one's."""
    outbox.enqueue(message(*numbers(3)))
    batch = outbox.claim(1, account=MINE)
    assert batch is not None
    assert (MINE, None, 2) == (
        batch.stored.account,
        outbox.claim(account=THEIRS),
        len(outbox.claim(account=MINE) or ()),
    )


def test_a_retried_row_stays_its_accounts(outbox: Outbox) -> None:
    """What was nobody's when it was enqueued, too."""
    outbox.enqueue(message())
    batch = outbox.claim(account=MINE)
    assert batch is not None
    outbox.settle(batch, failed(batch, Forbidden("no", code=7)))
    outbox.retry(batch.rows)
    assert (None, True) == (outbox.claim(account=THEIRS), outbox.claim(account=MINE) is not None)


@table("account", [MINE, None])
def test_deliveries_are_looked_at_by_their_account(places: Places, account: str | None) -> None:
    """A message of nobody's that was sent without an account is the first watcher's."""
    place = places()
    outbox, clock = place.open(), place.clock
    outbox.enqueue(message(), account=account)
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    clock.now += 60
    if account:
        assert [] == outbox.watch_due(account=THEIRS)
    assert [batch.rows[0].id] == [row.id for row in outbox.watch_due(account=MINE, lease=1)]
    clock.now += 60
    assert ([], MINE) == (outbox.watch_due(account=THEIRS), account_of(outbox, batch.stored.id))


def test_a_fallback_is_its_messages_accounts(outbox: Outbox, clock: Clock) -> None:
    """The next step is queued for the same account."""
    outbox.enqueue(message(), account=MINE, fallback=True)
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, Forbidden("no", code=7)))
    outbox.step_later(batch.rows, "viber", not_before=clock.datetime, deadline=clock.datetime)
    step = outbox.claim(account=MINE) if outbox.claim(account=THEIRS) is None else None
    assert step is not None
    assert ("viber", MINE) == (step.message.channel, step.stored.account)


def test_counts_rows_and_the_next_due_are_an_accounts(outbox: Outbox, clock: Clock) -> None:
    """Its own and nobody's; without an account everybody's."""
    outbox.enqueue(message(), account=THEIRS)
    clock.now += 10
    outbox.enqueue(message(*numbers(2)), account=MINE)
    outbox.enqueue(message())
    ids = [row.id for row in outbox.rows(account=MINE)]
    assert (3, 1 + 1, 4, [2, 3, 4], clock.now, clock.now - 10) == (
        outbox.counts(MINE).queued,
        outbox.counts(THEIRS).queued,
        outbox.counts().queued,
        ids,
        outbox.next_due(MINE),
        outbox.next_due(),
    )


def test_counts_of_an_account_look_into_the_intake(outbox: Outbox) -> None:
    """A single message that nobody has read yet counts where it belongs."""
    outbox.enqueue(message(), account=THEIRS)
    assert (0, 1, 1) == (outbox.counts(MINE).queued, outbox.counts(THEIRS).queued, outbox.counts().queued)


def test_nobody_wakes_for_another_accounts_rows(outbox: Outbox) -> None:
    """Neither for those that wait, nor for those that were nobody's and are taken."""
    outbox.enqueue(message(*numbers(2)))
    outbox.claim(1, account=THEIRS)
    assert (None, True) == (outbox.next_due(MINE), outbox.next_due(THEIRS) is not None)


def test_what_waits_elsewhere_is_told_by_account(outbox: Outbox) -> None:
    """Queued rows of others; nobody's are not elsewhere."""
    outbox.enqueue(message(*numbers(3)), account=THEIRS)
    outbox.enqueue(message(), account=MINE)
    outbox.enqueue(message())
    claim(outbox, 1)
    assert ({THEIRS: 2}, {MINE: 1}) == (outbox.waiting_elsewhere(MINE), outbox.waiting_elsewhere(THEIRS))


def test_an_accounts_rows_are_handed_over(outbox: Outbox) -> None:
    """All of them, those under way and those that are done as well; nobody's stay nobody's."""
    outbox.enqueue(message(*numbers(3)), account=THEIRS)
    outbox.enqueue(message())
    batch = claim(outbox, 1)
    assert (3, 0, 0) == (
        outbox.adopt(THEIRS, MINE),
        outbox.adopt(THEIRS, MINE),
        outbox.adopt(MINE, MINE),
    )
    assert {batch.rows[0].id: RowState.ACCEPTED} == outbox.settle(batch, accepted(batch))
    assert (MINE, 4, 1) == (account_of(outbox, 1), outbox.counts(MINE).total, outbox.counts(THEIRS).total)


def test_with_the_rows_goes_what_else_is_the_accounts(outbox: Outbox) -> None:
    """Its pace, and all that is known of its incoming messages, be it more than a page of them."""
    told = {f"id:{number}": "2026-01-28T12:00:00+00:00" for number in range(PAGE + 1)}
    outbox.bucket(INCOMING + THEIRS).put(told)
    outbox.set_pace(7, THEIRS)
    assert 0 == outbox.adopt(THEIRS, MINE)
    assert (told, {}) == tuple(dict(outbox.bucket(INCOMING + whose).items()) for whose in (MINE, THEIRS))
    assert (7, None) == (outbox.pace(MINE), outbox.pace(THEIRS))


def test_an_account_keeps_what_it_has_of_its_own(outbox: Outbox) -> None:
    """It may have read its incoming messages, or been given a pace, before it took over another's rows."""
    for account, value, pace in ((THEIRS, "2026-01-28T12:00:00+00:00", 7), (MINE, "2026-01-29T12:00:00+00:00", 8)):
        outbox.bucket(INCOMING + account).put({"cursor": value})
        outbox.set_pace(pace, account)
    outbox.adopt(THEIRS, MINE)
    mine, theirs = (dict(outbox.bucket(INCOMING + whose).items()) for whose in (MINE, THEIRS))
    assert ({"cursor": "2026-01-29T12:00:00+00:00"}, {}, 8) == (mine, theirs, outbox.pace(MINE))


def test_a_new_outbox_has_nobody_to_introduce(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """What is enqueued without an account now is the first worker's, not the first opener's."""
    outbox.enqueue(message())
    with caplog.at_level(logging.INFO):
        assert (0, []) == (outbox.introduce(MINE), caplog.messages)
    assert account_of(outbox, 1) is None


def test_delivery_states_do_not_change_the_account(outbox: Outbox) -> None:
    """A row is its account's whatever becomes of it."""
    outbox.enqueue(message(), account=MINE)
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    outbox.record_state(batch.rows[0], state(DeliveryStatus.DELIVERED))
    assert (MINE, 1) == (account_of(outbox, 1), outbox.counts(MINE).delivered)


def test_the_name_tells_the_store(place: Place, outbox: Outbox) -> None:
    """The path of a file; what is in memory says so; a URL has its password masked."""
    assert outbox.name == place.name


def test_a_sender_is_alive_from_its_first_claim_until_it_closes(place: Place, outbox: Outbox) -> None:
    """One that only reads is none."""
    outbox.enqueue(message())
    with place.open() as other:
        before = outbox.senders_alive()
        claim(other)
        during = outbox.senders_alive()
    assert (False, True, False) == (before, during, outbox.senders_alive())


def test_nobody_is_the_sender_that_he_asks_after(outbox: Outbox) -> None:
    """Who has claimed himself waits for nobody."""
    outbox.enqueue(message())
    claim(outbox)
    assert not outbox.senders_alive()
