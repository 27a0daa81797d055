"""What a store keeps, and what it shows of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from devinotify import exceptions as errors
from devinotify.models import Message
from devinotify.outbox import Batch, Row, RowState, StoredMessage, records
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.exceptions import DevinotifyError

NUMBER = "+79161234567"


def test_a_naive_deadline_is_refused() -> None:
    """A datetime that names no instant is told to be one."""
    with pytest.raises(errors.InvalidInput, match="time zone"):
        records.encode_time(datetime(2025, 1, 1))  # noqa: DTZ001 - that is the point


@table(
    "error",
    [
        errors.NotEnoughCredits("no money", code=5),
        errors.NotSent("refused"),
        errors.InvalidPhoneNumber("bad", reason="too_short"),
        errors.ViberRejected("no", reason="error-subject-unknown"),
        errors.Suppressed("has opted out", reason="opted_out"),
        errors.Suppressed("may get no more for now"),
        errors.PluginError("broken"),
    ],
)
def test_an_error_survives_its_storage(error: DevinotifyError) -> None:
    """An error comes back as its class, with its words, code and reason."""
    name, code, reason, text = records.encode_error(error)
    row = _row()._replace(error=name, error_code=code, error_reason=reason, error_text=text)
    back = row.exception()
    assert (type(error), str(error), getattr(error, "code", None), getattr(error, "reason", None)) == (
        type(back),
        str(back),
        getattr(back, "code", None),
        getattr(back, "reason", None),
    )


def test_a_plugins_error_is_stored_as_the_nearest_of_ours() -> None:
    """A class that only a plugin knows is stored as the one of ours that it refines."""

    class OutOfMoney(errors.NotEnoughCredits):
        """A plugin's own name for it."""

    assert "NotEnoughCredits" == records.encode_error(OutOfMoney("no", code=5))[0]


def test_a_class_that_is_gone_becomes_the_base() -> None:
    """A name that this version does not know still gives an error."""
    assert errors.DevinotifyError is type(_row()._replace(error="Vanished", error_text="x").exception())


def test_no_error_is_none() -> None:
    """A row without an error has no exception."""
    assert _row().exception() is None


def test_a_description_is_scrubbed_and_short() -> None:
    """No number stands in a stored error, and not much of anything."""
    text = records.encode_error(errors.NotSent(f"{NUMBER} " + "x y " * 200))[3]
    assert (True, False, True) == (text is not None, NUMBER in str(text), len(str(text)) <= records.ERROR_LENGTH)


def test_reprs_hold_no_number_and_no_text() -> None:
    """Row, message and batch show neither the recipient nor the text."""
    stored = _stored(Message("the secret", ()))
    shown = repr(Batch(1, stored, (_row(),)))
    shown += repr(_row()) + repr(stored) + repr(_row()._replace(error="NotSent"))
    assert (False, False, True) == (NUMBER in shown, "secret" in shown, "+7916***4567" in shown)


def test_a_batch_gives_the_message_for_its_rows() -> None:
    """The message for the channel has the rows' recipients and the step's channel."""
    stored = _stored(Message("a", (), channel="sms-viber"))
    batch = Batch(1, stored, (_row(), _row()._replace(recipient="+79160000000")))
    assert replace(stored.message, recipients=(NUMBER, "+79160000000"), channel="sms") == batch.message


def test_an_unsent_row_has_no_receipt() -> None:
    """Without a sending there is nothing to ask the state of."""
    assert _row().receipt is None


def _row() -> Row:
    return Row(1, 1, NUMBER, "sms", RowState.QUEUED)


def _stored(message: Message) -> StoredMessage:
    moment = datetime.fromtimestamp(0, UTC)
    return StoredMessage(1, message, moment, None, None, None, watch=True, fallback=False, meta={})
