"""The outcomes of a bulk that was accepted as a whole: the same as if each had been made one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.accepted import Accepted, has_accepted, recipients_of, segments_of
from devinotify.channels.batch import accepted, failed
from devinotify.exceptions import NotSent, Verdict
from devinotify.models import BulkReceipt, Outcome

NUMBERS = ("+79161234567", "+79161234568", "+79161234569")
AT = datetime(2026, 1, 2, tzinfo=UTC)


def bulk(ids: int, recipients: tuple[str, ...] = NUMBERS) -> Accepted:
    """Return the outcomes of a bulk whose reply had so many ids."""
    receipt = BulkReceipt(recipients, tuple(map(str, range(ids))), estimated_segments=2, sent_at=AT, resends=True)
    return Accepted("sms", recipients, receipt)


@given(count=st.integers(1, 20), each=st.integers(0, 4), over=st.integers(0, 1))
def test_as_if_each_had_been_made(count: int, each: int, over: int) -> None:
    """The outcomes, their recipients and their segments are those of the receipts one by one."""
    recipients = tuple(f"+7916000{number:04d}" for number in range(count))
    found = bulk(count * each + over, recipients)
    expected = [
        accepted("sms", recipient, receipt) for recipient, receipt in zip(recipients, found.receipt, strict=True)
    ]
    assert expected == [*found]
    assert recipients == recipients_of(found) == recipients_of(expected)
    assert segments_of(found) == segments_of(expected)
    assert count == len(found) == len(expected)
    assert has_accepted(found)
    assert has_accepted(expected)


def test_made_once_and_when_they_are_asked_for() -> None:
    """Each outcome is one object, whoever asks for it."""
    found = bulk(6)
    first = found[0]
    assert first is found[0]
    assert first is next(iter(found))
    assert [first] == found[:1]
    assert (NUMBERS[0], Verdict.ACCEPTED, ("0", "1")) == (
        first.recipient,
        first.verdict,
        first.receipt and first.receipt.message_ids,
    )
    assert first.attempts[0].receipt is first.receipt


def test_no_receipt_for_others() -> None:
    """A receipt for another number of recipients is refused: it would be somebody else's."""
    with pytest.raises(ValueError, match="a receipt for 3 recipients in place of 2"):
        Accepted("sms", NUMBERS[:2], BulkReceipt(NUMBERS, ("1", "2", "3")))


def test_shows_no_number() -> None:
    """What stands in a traceback shows nobody's number."""
    assert "<Accepted sms to 3 recipients>" == repr(bulk(3))


def test_of_others() -> None:
    """Outcomes that were made one by one tell the same of themselves; none was accepted where all have errors."""
    refused = [failed("sms", number, NotSent("no way")) for number in NUMBERS]
    assert not has_accepted(refused)
    assert NUMBERS == recipients_of(refused)
    assert 0 == segments_of(refused)
    one = Outcome(NUMBERS[0], Verdict.ACCEPTED, "sms")
    assert has_accepted([*refused, one])
