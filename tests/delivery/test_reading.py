"""What the outcomes of a batch mean for what is still queued."""

from __future__ import annotations

from datetime import UTC, datetime

from devinotify import exceptions as errors
from devinotify.channels.batch import failed
from devinotify.delivery.reading import CAUSES, EFFECTS, Cause, Meaning, Reading, read
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.models import Outcome
from tests.tables import table

FINE = Outcome("+79161234560", Verdict.ACCEPTED, "sms")
UNKNOWN = Verdict.UNKNOWN


OVER = errors.LimitExceeded("x", limit="5RUB/day", resets_at=datetime(2030, 1, 1, tzinfo=UTC))


def test_a_limit_is_not_used_up_by_what_did_not_leave() -> None:
    """Its room is given back: what is told, and stops the batch or not, is that the gateway cannot be reached."""
    away = errors.NotSent("connection refused")
    mixed = [failed("sms", "+79161234560", away), failed("sms", "+79161234561", OVER)]
    for outcomes in (mixed, mixed[::-1]):
        reading = read(outcomes)
        assert (None, True, away, 1) == (reading.stop, reading.trouble, reading.error, len(reading.over))


def test_a_limit_that_may_be_used_up_ends_it() -> None:
    """What may have left has not given its room back."""
    lost = errors.OutcomeUnknown("x")
    reading = read([failed("sms", "+79161234560", lost), failed("sms", "+79161234561", OVER)])
    assert Cause.OVER_LIMIT == reading.stop


Meant = tuple[int, int, Cause | None, bool, Cause | None]


def meant(reading: Reading) -> Meant:
    """Return how many are settled and put back, the end, whether it is trouble, and the end after more like it."""
    back = len(reading.release) + len(reading.held)
    return len(reading.settle), back, reading.stop, reading.trouble, reading.refused


@table(
    "error, meaning",
    [
        (errors.NotEnoughCredits("x"), (0, 1, Cause.CREDITS, False, None)),
        (errors.Unauthorized("x"), (0, 1, None, True, Cause.LOGIN)),
        (errors.InvalidSession("x"), (0, 1, None, True, Cause.LOGIN)),
        (errors.Unauthorized("x", verdict=UNKNOWN), (1, 0, None, True, None)),
        (errors.InvalidSender("x"), (0, 1, Cause.REFUSED, False, None)),
        (errors.UnexpectedResponse("x", verdict=Verdict.REJECTED, retryable=True), (0, 1, None, True, None)),
        (errors.NotSent("x"), (1, 0, None, True, None)),
        (errors.NotSent("given up", retryable=False), (1, 0, None, False, None)),
        (errors.OutcomeUnknown("x"), (1, 0, None, True, None)),
        (errors.InternalServerError("x"), (1, 0, None, True, None)),
        (errors.InvalidOperation("x"), (0, 1, None, False, Cause.REFUSED)),
        (errors.Forbidden("x"), (0, 1, None, False, Cause.REFUSED)),
        (errors.PluginError("x"), (0, 1, None, False, Cause.PLUGIN)),
        (errors.InvalidArgument("x"), (1, 0, None, False, None)),
        (errors.ViberRejected("x", reason="error-address-unknown"), (1, 0, None, False, None)),
        (errors.ViberRejected("x", reason="error-account-locked"), (0, 1, Cause.REFUSED, False, None)),
        (errors.ViberRejected("x", reason="error-account-locked", verdict=UNKNOWN), (1, 0, None, True, None)),
        (errors.InvalidText("x"), (1, 0, None, False, None)),
    ],
)
def test_what_an_error_means(error: DevinotifyError, meaning: Meant) -> None:
    """An account's refusal puts the batch back and stops; a passing one puts it back; the rest is settled."""
    assert meaning == meant(read([failed("sms", "+79161234567", error)]))


def test_a_batch_of_several_fates() -> None:
    """What was accepted before the credits ran out is settled, and only the rest put back."""
    reading = read([FINE, failed("sms", "+79161234567", errors.NotEnoughCredits("x"))])
    assert (1, 1, Cause.CREDITS, False, None) == meant(reading)
    assert {"+79161234567"} == reading.release


def test_a_partly_refused_batch_is_no_refusal_of_the_whole() -> None:
    """One accepted recipient shows that the account may send."""
    assert not read([FINE, failed("sms", "+79161234567", errors.Forbidden("x"))]).refused


@table("beside", [OVER, errors.InvalidPhoneNumber("x"), errors.NotSent("x")])
def test_who_was_not_sent_to_shows_nothing_of_the_account(beside: DevinotifyError) -> None:
    """Where nobody passed, those who were refused for nobody's sake are put back, whoever else is in the batch."""
    refused = [failed("sms", f"+7916123456{n}", errors.Forbidden("x")) for n in range(2)]
    reading = read([*refused, failed("sms", "+79161234569", beside)])
    assert (refused, Cause.REFUSED, None) == (reading.held, reading.refused, reading.stop)


def test_the_gateway_is_not_blamed_for_a_plugin() -> None:
    """Only what plugins alone refuse is put down to them: with one refusal of the gateway's, it is the gateway's."""
    by_plugin, by_gateway = (
        failed("sms", f"+7916123456{n}", error)
        for n, error in enumerate([errors.PluginError("x"), errors.Forbidden("x")])
    )
    assert [Cause.PLUGIN, Cause.REFUSED] == [read([by_plugin]).refused, read([by_plugin, by_gateway]).refused]


def test_the_longest_pause_asked_for_counts() -> None:
    """Of several errors, the one that wants to wait longest decides."""
    some = [errors.OutcomeUnknown("x") for _ in range(3)]
    some[1].retry_after = 7.0
    assert 7.0 == read([failed("sms", f"+7916123456{n}", error) for n, error in enumerate(some)]).retry_after


def test_every_meaning_and_every_cause_is_in_the_tables() -> None:
    """None is forgotten."""
    assert (set(Meaning), set(Cause)) == (set(EFFECTS), set(CAUSES))


@table("error", [errors.PluginError("x"), errors.InvalidSender("x")], ids=["a hook", "its sender"])
def test_what_a_message_is_refused_for_is_its_own_in_a_mixed_queue(error: DevinotifyError) -> None:
    """Other messages may pass: a worker settles it."""
    assert (1, 0, None, False, None) == meant(read([failed("sms", "+79161234567", error)], alike=False))
