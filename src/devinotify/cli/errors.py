"""What an error says to people and to machines, with what to do next where that is known."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from devinotify import exceptions as errors
from devinotify.redact import scrub
from devinotify.translation import N_, _, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify.cli.exits import ExitCode

_LOOK_FIRST = N_("It may have gone out: ask the recipient or look at `devinotify stats` before you send it again.")
_ASK_FIRST = N_("It may have gone out: ask the recipient before you send it again.")
_SENDER = N_("Give another with --sender, or on the URL.")
_ASK_AGAIN = N_("Try again in a while.")

ADVICE: Mapping[type[errors.DevinotifyError], tuple[str, str]] = MappingProxyType(
    {
        errors.InvalidPhoneNumber: (N_("`devinotify phone` shows how a number is read."),) * 2,
        errors.InvalidSender: (_SENDER,) * 2,
        errors.LimitExceeded: (N_("`devinotify outbox limits` shows what is used of each limit."),) * 2,
        errors.InvalidText: (N_("`devinotify segments` shows what a text comes to."),) * 2,
        errors.Unauthorized: (N_("Check the login and the password."),) * 2,
        errors.NotEnoughCredits: (N_("Top up the account; `devinotify balance` shows what is left."),) * 2,
        errors.InvalidOperation: (N_("Check that the sender is registered for the account."), ""),
        errors.Forbidden: (N_("Ask the provider what the account may send, and where to."), N_("Ask the provider.")),
        errors.GatewayFailure: (_LOOK_FIRST, _ASK_AGAIN),
        errors.InternalServerError: (_LOOK_FIRST, _ASK_AGAIN),
        errors.UnexpectedResponse: ("", N_("Check the gateway of the URL, and any proxy on the way to it.")),
        errors.NotSent: (
            N_("Nothing was sent, so trying again is safe; check the gateway of the URL and the network."),
            N_("Check the gateway of the URL and the network."),
        ),
        errors.OutcomeUnknown: (_LOOK_FIRST, _ASK_AGAIN),
    }
)
"""Error class -> what to do next, after a send and after a read; a class without a row has its base's.

One that is not alike for all of its class, or whose room ``--help`` does not load, says it itself, as its ``hint``.
"""

_LESS: Mapping[str, str] = MappingProxyType({_SENDER: N_("Give another on the URL.")})
"""What is said where a hint names an option that the command does not have; nothing for others."""

NOT_FOUND = 404
_WRONG_GATEWAY = N_("Check gateway= of the URL, its path above all: the API's base URL ends in /rest.")

_OPTION = re.compile(r"--[a-z][a-z-]*")
_VIBER = re.compile(r"viber", re.IGNORECASE)

_DETAILS = (
    "code",
    "http_status",
    "description",
    "reason",
    "position",
    "message_ids",
    "plugin",
    "hook",
    "limit",
    "resets_at",
)
"""Attributes that some of the errors have, as they come in the JSON."""

# What is said of where a URL goes has this one, which is nobody's.
_URL = re.compile(r"devino:(?!//(?-i:LOGIN:PASSWORD@SENDER(?:/TO)?)(?![^\s);,])).*", re.IGNORECASE | re.DOTALL)
# From the beginning of a word on, and nothing is tried twice: else a long word takes time by the cube of its length.
_CREDENTIALS = re.compile(r"(?<![^\s'(])[^\s'(:]*+:[^\s'(@]*+@[^\s')]*")
_MASKED = re.compile(r"(?:devino://LOGIN:PASSWORD|(?:[a-z0-9+]+://)?[^\s:@/]*:\*\*\*)@[^\s@]*")
"""Credentials that are hidden already, as an outbox names its database, and those that stand for anybody's."""


def advice(error: errors.DevinotifyError, *, sending: bool, command: click.Command | None = None) -> str:
    """Return what to do next, or nothing; ``sending`` where a message was under way.

    It fits the ``command``, the one that is being run if left out: no option is named that it does not have, and it is
    not sent to itself.
    """
    row = next((ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE), ("", ""))
    found = getattr(error, "hint", row[0 if sending else 1])
    if getattr(error, "http_status", None) == NOT_FOUND:
        # Whatever code comes with it: there is no such address, so nothing is wrong with what was sent to it.
        found = _WRONG_GATEWAY
    if sending and error.verdict is errors.Verdict.UNKNOWN:
        # Whatever the class: after an unknown send the only safe step is to look. The statistics are of SMS alone.
        found = _ASK_FIRST if _VIBER.match(error.operation or "") else _LOOK_FIRST
    context = click.get_current_context(silent=True)
    asked = context.command if command is None and context is not None else command
    return found if asked is None or _fits(found, asked) else _LESS.get(found, "")


def _fits(hint: str, command: click.Command) -> bool:
    options = {option for each in command.params for option in each.opts}
    return options.issuperset(_OPTION.findall(hint)) and f"`devinotify {command.name}`" not in hint


def sentence(error: errors.DevinotifyError, *, sending: bool, command: click.Command | None = None) -> str:
    """Return the error as one line: what went wrong, and what to do next; ``command`` as for ``advice``."""
    message = " ".join(told(error).split()) or type(error).__name__
    step = advice(error, sending=sending, command=command)
    return f"{ended(message)} {_(step)}" if step else message


def ended(message: str) -> str:
    """Return a message with its full stop, unless it ends with a question: another sentence follows."""
    return message if message.endswith("?") else f"{message.rstrip('.')}."


def document(error: errors.DevinotifyError, *, sending: bool, command: click.Command | None = None) -> dict[str, Any]:
    """Return the error for JSON: ``type``, ``message``, ``verdict``, ``retryable``, ``operation``, ``advice``, details.

    The details are those that the error has: ``code``, ``http_status``, ``description``, ``reason``, ``position``
    (from 0), ``message_ids``, ``limit``, ``resets_at``. ``command`` is as for ``advice``.
    """
    found = {name: getattr(error, name) for name in _DETAILS if getattr(error, name, None) not in (None, "", ())}
    return {
        "type": type(error).__name__,
        "message": str(error),
        "verdict": error.verdict,
        "retryable": error.retryable,
        "operation": error.operation,
        "advice": advice(error, sending=sending, command=command),
        **found,
    }


def plain_document(kind: str, message: str, code: ExitCode) -> dict[str, Any]:
    """Return the JSON of an error that ends the command: ``{"error": {…}, "exit_code": …}``."""
    return {"error": {"type": kind, "message": message}, "exit_code": code}


def hide(message: str) -> str:
    """Return a message that quotes the command line, with URLs, credentials and numbers hidden.

    A URL given in the wrong place is quoted by the parser; from where it begins, nothing is shown. What is hidden
    already stays as it is.
    """
    shown = _URL.sub("devino://***", message)
    return scrub(_CREDENTIALS.sub(lambda found: found[0] if _MASKED.fullmatch(found[0]) else "***", shown))
