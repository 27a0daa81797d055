"""A bulk that was accepted as a whole is settled as if each of its outcomes were told, in every store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.accepted import Accepted
from devinotify.models import BulkReceipt, Message
from devinotify.outbox import RowState
from tests.outbox.support import START, claim, numbers
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.models import Outcome
    from devinotify.outbox import Row
    from tests.outbox.conftest import Place, Places

RECIPIENTS = numbers(4)
AT = datetime.fromtimestamp(START, UTC)


def settled(
    place: Place, bulk: Accepted, told: Callable[[Accepted], Sequence[Outcome]]
) -> tuple[list[RowState], list[Row]]:
    """Return what a settlement answers for the rows of a bulk, and the rows after it."""
    outbox = place.open()
    outbox.enqueue(Message("hi", RECIPIENTS, channel="sms"))
    states = outbox.settle(claim(outbox), told(bulk))
    return [*states.values()], [*outbox]


@table("ids", [4, 8, 5, 0])
@table("channel, sent_at, resends", [("sms", AT, False), ("viber", None, True)])
def test_settled_as_a_whole(places: Places, ids: int, channel: str, sent_at: datetime | None, resends: bool) -> None:
    """The rows are the same, where the ids divide evenly and where nobody knows whose they are."""
    receipt = BulkReceipt(RECIPIENTS, tuple(map(str, range(ids))), channel, sent_at=sent_at, resends=resends)
    bulk = Accepted("sms", RECIPIENTS, receipt)
    each = settled(places(), bulk, lambda some: [*some])
    assert [RowState.ACCEPTED] * 4 == each[0]
    assert each == settled(places(), bulk, lambda some: some)
