"""The error tree: its shape, its verdicts, and that every error travels between processes whole."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

from devinotify import exceptions
from devinotify.exceptions import (
    DevinotifyError,
    GatewayError,
    InvalidInput,
    InvalidPhoneNumber,
    PluginError,
    UnexpectedResponse,
    Verdict,
    ViberRejected,
)
from tests.tables import table

# The tree of the design: class -> (parent, verdict where nothing else is said).
TREE = {
    "InvalidInput": ("DevinotifyError", "not_sent"),
    "InvalidPhoneNumber": ("InvalidInput", "not_sent"),
    "InvalidSender": ("InvalidInput", "not_sent"),
    "InvalidText": ("InvalidInput", "not_sent"),
    "InvalidSchedule": ("InvalidInput", "not_sent"),
    "InvalidURL": ("InvalidInput", "not_sent"),
    "Suppressed": ("InvalidInput", "not_sent"),
    "LimitExceeded": ("InvalidInput", "not_sent"),
    "GatewayError": ("DevinotifyError", "rejected"),
    "ArgumentMissing": ("GatewayError", "rejected"),
    "InvalidArgument": ("GatewayError", "rejected"),
    "InvalidSession": ("GatewayError", "rejected"),
    "Unauthorized": ("GatewayError", "rejected"),
    "NotEnoughCredits": ("GatewayError", "rejected"),
    "InvalidOperation": ("GatewayError", "rejected"),
    "Forbidden": ("GatewayError", "rejected"),
    "GatewayFailure": ("GatewayError", "unknown"),
    "InternalServerError": ("GatewayError", "unknown"),
    "ViberRejected": ("GatewayError", "rejected"),
    "UnexpectedResponse": ("DevinotifyError", "unknown"),
    "TransportError": ("DevinotifyError", "unknown"),
    "NotSent": ("TransportError", "not_sent"),
    "OutcomeUnknown": ("TransportError", "unknown"),
    "PluginError": ("DevinotifyError", "not_sent"),
}

CLASSES: dict[str, type[DevinotifyError]] = {
    name: value
    for name, value in vars(exceptions).items()
    if inspect.isclass(value) and issubclass(value, DevinotifyError)
}

DETAILS: dict[str, Any] = {
    "operation": "Sms/Send",
    "verdict": Verdict.UNKNOWN,
    "retryable": True,
    "code": 6,
    "http_status": 400,
    "description": "Invalid source address",
    "reason": "error-system",
    "masked": "+7916***4567",
    "position": 3,
    "excerpt": "502 Bad Gateway",
    "message_ids": ("1", "2"),
    "plugin": "audit",
    "hook": "send_message",
}


def made(kind: type[DevinotifyError]) -> DevinotifyError:
    """Return an error of a class with every detail given that its constructor takes."""
    taken = inspect.signature(kind.__init__).parameters
    error = kind("it failed", **{name: value for name, value in DETAILS.items() if name in taken})
    error.retry_after = 2.5
    return error


def drawn_tree() -> dict[str, str]:
    """Return each class in the drawing of the module's docstring with the parent that it hangs from."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in str(exceptions.__doc__).splitlines():
        match = re.match(r"    ((?:│   |    )*)(├── |└── )?([A-Z]\w+)", line)
        if match is None:
            continue
        depth = len(match[1]) // 4 + bool(match[2])
        above[depth:] = [match[3]]
        if depth:
            parents[match[3]] = above[depth - 1]
    return parents


def test_the_tree_is_the_designs() -> None:
    """The classes are those of the design, each below its parent."""
    actual = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items() if kind is not DevinotifyError}
    assert {name: parent for name, (parent, _) in TREE.items()} == actual


def test_the_drawing_is_the_tree() -> None:
    """The tree drawn in the docstring is the tree of the classes."""
    actual = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items() if kind is not DevinotifyError}
    assert drawn_tree() == actual


def test_the_drawing_numbers_the_codes() -> None:
    """The numbers beside the classes in the docstring are the gateway's codes."""
    drawn = dict(re.findall(r"── (\w+) +(\d)$", str(exceptions.__doc__), re.MULTILINE))
    names = "ArgumentMissing InvalidArgument InvalidSession Unauthorized NotEnoughCredits InvalidOperation Forbidden"
    expected = f"{names} GatewayFailure InternalServerError".split()
    assert {name: str(code) for code, name in enumerate(expected, start=1)} == drawn


@table("name, verdict", [(name, verdict) for name, (_, verdict) in TREE.items()])
def test_a_class_has_the_designs_verdict(name: str, verdict: str) -> None:
    """An error of which nothing more is known has the verdict of its class."""
    assert verdict == CLASSES[name]("it failed").verdict


@table("name", sorted(CLASSES))
def test_only_what_never_left_is_safe_to_repeat(name: str) -> None:
    """Of all errors, NotSent alone is retryable unless told otherwise."""
    assert CLASSES[name]().retryable == (name == "NotSent")


def test_the_verdicts_are_four_words() -> None:
    """The four verdicts are plain strings in JSON and in comparisons."""
    assert list(Verdict) == ["accepted", "rejected", "not_sent", "unknown"]


def test_refused_input_is_a_value_error() -> None:
    """Who catches ValueError catches what our own checks refuse."""
    assert issubclass(InvalidInput, ValueError)


@table("name", sorted(CLASSES))
def test_an_error_has_the_three_attributes(name: str) -> None:
    """Every error says what was under way, what became of it, and whether to repeat it."""
    error = CLASSES[name]("it failed")
    assert (error.operation, str(error), error.retry_after) == (None, "it failed", None)


@table(
    "error, attributes",
    [
        (InvalidPhoneNumber("no"), {"reason": "not_a_number", "masked": "***", "position": None}),
        (GatewayError("no"), {"code": None, "http_status": None, "description": ""}),
        (ViberRejected("no"), {"reason": "", "code": None, "http_status": None, "description": ""}),
        (UnexpectedResponse("no"), {"http_status": None, "excerpt": "", "message_ids": ()}),
        (PluginError("no"), {"plugin": "", "hook": ""}),
    ],
)
def test_details_that_nobody_gave_are_absent(error: DevinotifyError, attributes: dict[str, object]) -> None:
    """The attributes of a class exist on each of its errors."""
    assert attributes == {name: getattr(error, name) for name in attributes}


@table("name", sorted(CLASSES))
def test_given_details_are_kept(name: str) -> None:
    """Each detail that a constructor takes is found on the error under the same name."""
    error = made(CLASSES[name])
    taken = [detail for detail in DETAILS if detail in inspect.signature(CLASSES[name].__init__).parameters]
    assert {detail: DETAILS[detail] for detail in taken} == {detail: getattr(error, detail) for detail in taken}


@table("travel", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own bytes
@table("name", sorted(CLASSES))
def test_an_error_travels_whole(name: str, travel: object) -> None:
    """A copied or pickled error has the class, the message and all attributes of the first."""
    assert callable(travel)
    error = made(CLASSES[name])
    twin = travel(error)
    assert (type(error), error.args, vars(error)) == (type(twin), twin.args, vars(twin))


def test_what_is_told_of_an_error() -> None:
    """Our own words, and of anybody else's error its type alone."""
    told = exceptions.told
    assert ("a rule", "ValueError") == (told(InvalidInput("a rule")), told(ValueError("+79161234567")))
