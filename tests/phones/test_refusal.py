"""The refusal: a reason for machines, a sentence for people, and never the number."""

from __future__ import annotations

import pickle

import pytest

from devinotify import phones
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber, Verdict
from devinotify.phones import Reason
from devinotify.phones.refusal import MAX_INPUT, WHY, Refused, invalid, mask
from tests.tables import table


def test_every_reason_has_its_sentence() -> None:
    """The table of sentences covers every reason."""
    assert WHY.keys() == set(Reason)


def test_message_says_why_and_masks() -> None:
    """The message shows the masked number and why it is refused."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize("+7 495 123-45-67")
    assert str(caught.value) == "+7495***4567: it is a fixed line where a mobile number is needed"
    assert caught.value.masked == "+7495***4567"
    assert caught.value.position is None


def test_message_names_the_position() -> None:
    """In a list the message says which input it was."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize("+7 495 123-45-67", position=3)
    assert str(caught.value).startswith("recipients[3] +7495***4567: ")
    assert caught.value.position == 3


def test_refusal_is_an_invalid_input_that_was_not_sent() -> None:
    """It is caught as InvalidInput and as ValueError, and says that nothing was sent."""
    error = invalid(Refused(Reason.EMPTY), "", None)
    assert isinstance(error, InvalidInput)
    assert isinstance(error, ValueError)
    assert error.verdict is Verdict.NOT_SENT


def test_refusal_keeps_no_chain() -> None:
    """No other error hangs on it, with a number in a frame or a message."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize("+999123456789")
    assert caught.value.__context__ is None


def test_refusal_is_picklable() -> None:
    """It crosses a process border with its attributes."""
    error = invalid(Refused(Reason.TOO_SHORT), "+7916", 2)
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (twin.reason, twin.masked, twin.position) == (error.reason, error.masked, 2)


@table(
    "raw, masked",
    [
        ("8 (916) 123-45-67", "8916***4567"),
        ("\x1b[31m89161234567", "3189***4567"),
        ("\ud800hello", "he***"),
        (None, "***"),
        (b"89161234567", "***"),
        (89161234567, "***"),
    ],
)
def test_mask(raw: object, masked: str) -> None:
    """What is shown is short, and a terminal does not act on it."""
    assert mask(raw) == masked


def test_mask_looks_at_the_start_of_long_input() -> None:
    """A megabyte of digits costs no more than the longest number."""
    assert mask("12345" + "6" * MAX_INPUT * 10) == "1234***6666"
