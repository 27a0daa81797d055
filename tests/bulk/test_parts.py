"""The parts of the whole, in one unit: they add up, and so do the reasons of those that got nothing."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from devinotify import exceptions
from devinotify.bulk.language import LANGUAGES, WORDS, Language
from devinotify.bulk.parts import Part, part_of
from devinotify.bulk.reasons import REASONS, reason
from devinotify.bulk.summary import Summary
from devinotify.gateway.codes import SMS_STATES, VIBER_STATES, VIBER_WORDS
from devinotify.models import DeliveryStatus
from devinotify.outbox import Row, RowState
from devinotify.phones import Reason
from tests.tables import table

NOW = 1_769_601_600.0
CLASSES = [
    name
    for name, kind in vars(exceptions).items()
    if isinstance(kind, type) and issubclass(kind, exceptions.DevinotifyError)
]
GOT_NOTHING = frozenset(Part) - {Part.DELIVERED, Part.UNDER_WAY}


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Give a row in any state, with anything told of it."""
    row = Row(
        1, 1, draw(st.sampled_from(["+79031234567", "+77011234567", "row 5: 12", "oncall"])), "sms", RowState.QUEUED
    )
    seconds = st.none() | st.floats(0, 2 * NOW)
    return row._replace(
        state=draw(st.sampled_from(RowState)),
        sent_at=draw(seconds),
        status_at=draw(seconds),
        next_poll_at=draw(seconds),
        segments=draw(st.none() | st.integers(1, 10)),
        via=draw(st.sampled_from([None, "sms", "viber", "pigeon"])),
        status=draw(st.none() | st.sampled_from(DeliveryStatus)),
        status_code=draw(st.none() | st.sampled_from([*SMS_STATES, *VIBER_STATES, 12345])),
        error=draw(st.none() | st.sampled_from(CLASSES)),
        error_reason=draw(st.none() | st.sampled_from([*map(str, Reason), *VIBER_WORDS, "else"])),
    )


@given(st.lists(rows()))
def test_the_parts_add_up(some: list[Row]) -> None:
    """Each number is in one part, and each that got nothing has one reason, which has words in both languages."""
    summary = Summary()
    for row in some:
        summary.add([row], NOW)
    later = summary.reasons[Part.UNDER_WAY, "scheduled"]
    assert (len(some), sum(summary.parts[part] for part in GOT_NOTHING)) == (
        summary.numbers,
        summary.reasons.total() - later,
    )
    by_part: Counter[Part] = Counter()
    for (part, key), count in summary.reasons.items():
        by_part[part] += count
        assert all(Language(code).reason(key).what for code in LANGUAGES)
    assert {part: count for part, count in summary.parts.items() if part in GOT_NOTHING} == {
        part: count for part, count in by_part.items() if part in GOT_NOTHING
    }
    assert summary.recipients == summary.numbers - summary.parts[Part.INVALID]


@table(
    "told, expected",
    [
        ({"sent_at": NOW - 60, "next_poll_at": NOW}, Part.UNDER_WAY),
        ({"sent_at": NOW - 60}, Part.UNDER_WAY),
        ({"sent_at": NOW - 49 * 3600, "next_poll_at": NOW}, Part.UNDER_WAY),
        ({"sent_at": NOW - 49 * 3600}, Part.UNKNOWN),
    ],
)
def test_what_nobody_tells_any_more_is_unknown(told: dict[str, float], expected: Part) -> None:
    """The gateway forgets a state after two days; before that, what was accepted is under way."""
    assert expected is part_of(Row(1, 1, "+79031234567", "sms", RowState.ACCEPTED)._replace(**told), NOW)  # type: ignore[arg-type]  # the fields of these names are numbers


def failed(channel: str, code: int, status: DeliveryStatus) -> Row:
    """Return a row that was not delivered."""
    return Row(1, 1, "+79031234567", channel, RowState.FAILED)._replace(status=status, status_code=code)


@table("channel, states", [("sms", SMS_STATES), ("viber", VIBER_STATES)])
def test_every_state_that_ends_badly_has_words(channel: str, states: dict[int, object]) -> None:
    """Of its own or of its status: none is told as a bare failure for want of a row."""
    bad = {DeliveryStatus.EXPIRED, DeliveryStatus.REJECTED, DeliveryStatus.UNDELIVERED, DeliveryStatus.DELETED}
    table = SMS_STATES if channel == "sms" else VIBER_STATES
    for state in table.values():
        if state.status in bad | {DeliveryStatus.STOPPED, DeliveryStatus.FAILED}:
            key = reason(failed(channel, state.code, state.status), Part.FAILED, NOW)
            assert key in {f"{channel} {state.code}", f"status {state.status}"}
    assert "status expired" == reason(failed("pigeon", 46, DeliveryStatus.EXPIRED), Part.FAILED, NOW)


@table(
    "cause, told",
    [
        ("opted_out", "Asked to get no messages"),
        ("excluded", "Left out by --exclude or --exclude-journal"),
        (None, "A plugin refused to send to the recipient"),
        ("a word of a plugin's own", "A plugin refused to send to the recipient"),
    ],
)
def test_nobody_is_said_to_have_opted_out_who_has_not(cause: str | None, told: str) -> None:
    """Whom a plugin refuses without a word for it is told to be refused, and no more."""
    row = Row(1, 1, "+79031234567", "sms", RowState.NOT_SENT)._replace(error="Suppressed", error_reason=cause)
    assert told == Language("en").reason(reason(row, Part.NOT_SENT, NOW) or "").what


def test_every_reason_for_a_number_or_a_word_of_vibers_has_words() -> None:
    """A new one cannot be forgotten here."""
    assert [] == [each for each in Reason if f"InvalidPhoneNumber {each}" not in REASONS]
    assert [] == [word for word in VIBER_WORDS if f"ViberRejected {word}" not in REASONS]


def test_every_error_of_a_send_has_words() -> None:
    """All classes but those that only stand for others, and those of reads and of the URL."""
    general = {"DevinotifyError", "InvalidInput", "GatewayError", "TransportError", "ViberRejected", "InvalidURL"}
    assert set() == set(CLASSES) - general - REASONS.keys()


def test_no_words_are_a_class_or_a_bare_code() -> None:
    """They are for people: no name of ours, no number that means something to a machine alone."""
    said = [words for row in REASONS.values() for one in row for words in one]
    assert [] == [words for words in said if any(name in words for name in CLASSES if name != "NotSent")]
    assert [] == [words for words in said if any(sign.isdigit() for sign in words.replace("8-800", ""))]


def test_everything_is_said_in_both_languages() -> None:
    """No words are missing, and both have the same gaps to fill."""
    from string import Formatter

    for one in WORDS.values():
        gaps = [{name for _, name, _, _ in Formatter().parse(words) if name} for words in one]
        assert (2, True, gaps[0]) == (len(one), all(one), gaps[1])
    assert [] == [f"status {status}" for status in DeliveryStatus if f"status {status}" not in WORDS]
