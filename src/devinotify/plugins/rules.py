"""What each hook's implementations may answer, as a table, and what no wrapper may take back. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from devinotify.channels.answers import is_outcomes
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.models import Message
from devinotify.phones import PhoneNumber
from devinotify.text import Segmentation


def _is_list_of(kind: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, list) and all(isinstance(item, kind) for item in answer)


def _is_channels(answer: object) -> bool:
    # What each of them must have is told one by one, where they are taken in.
    return isinstance(answer, list) and all(hasattr(item, "name") for item in answer)


def _is_a(kind: type) -> Callable[[object], bool]:
    return lambda answer: isinstance(answer, kind)


def _is_messages(answer: object) -> bool:
    return isinstance(answer, list) and all(isinstance(item, Message) and _is_well_formed(item) for item in answer)


def _is_well_formed(message: Message) -> bool:
    # Nothing checks what ``dataclasses.replace`` was given, and what breaks further on may break within a send.
    recipients = message.recipients
    return (
        isinstance(message.text, str)
        and isinstance(recipients, tuple)
        and all(isinstance(recipient, str) for recipient in recipients)
        and isinstance(message.title, str | None)
        and isinstance(message.sender, str | None)
        and isinstance(message.channel, str)
        and isinstance(message.send_at, datetime | None)
        and (message.validity is None or type(message.validity) is int)
        and isinstance(message.tags, frozenset)
        and all(isinstance(tag, str) for tag in message.tags)
    )


def _is_refusals(answer: object) -> bool:
    return isinstance(answer, dict) and all(
        isinstance(recipient, str) and isinstance(error, DevinotifyError) for recipient, error in answer.items()
    )


STANDS = frozenset({Verdict.ACCEPTED, Verdict.UNKNOWN})
"""Verdicts that no wrapper can take back: something was sent, or may have been."""


def is_the_same(answer: object, before: tuple[object, ...] | None) -> bool:
    """Whether an answer is a list of the very values that were checked before: they are frozen."""
    return (
        before is not None
        and isinstance(answer, list)
        and len(answer) == len(before)
        and all(map(operator.is_, answer, before))
    )


def keeps_verdicts(before: tuple[Any, ...] | None, after: object) -> bool:
    """Whether outcomes are of the same recipients as before, and each verdict that stands is still there."""
    if before is None or not isinstance(after, list):
        return True
    verdicts = {outcome.recipient: outcome.verdict for outcome in before}
    return len(before) == len(after) and all(
        outcome.recipient in verdicts
        and (outcome.verdict is verdicts[outcome.recipient] or verdicts[outcome.recipient] not in STANDS)
        for outcome in after
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What a hook's implementations may answer.

    ``may_raise`` is as good as an answer. ``may_pass`` allows ``None``, and ``may_end`` allows it as the final
    answer, which a wrapper gives. ``wraps`` allows wrappers; ``after_send`` keeps them from undoing a send.
    """

    expects: str
    accepts: Callable[[object], bool]
    may_raise: tuple[type[Exception], ...] = ()
    may_pass: bool = True
    may_end: bool = False
    wraps: bool = True
    after_send: bool = False


_NOTHING = Rule("nothing", lambda answer: answer is None, wraps=False)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "devinotify_register_channels": Rule("a list of channels", _is_channels, may_pass=False, wraps=False),
        "devinotify_resolve_recipient": Rule("a list of recipients", _is_list_of(str), may_end=True),
        "devinotify_normalize_phone": Rule("a PhoneNumber", _is_a(PhoneNumber), may_raise=(InvalidInput,)),
        "devinotify_estimate_segments": Rule("a Segmentation", _is_a(Segmentation)),
        "devinotify_map_error": Rule("a DevinotifyError", _is_a(DevinotifyError), may_end=True),
        "devinotify_prepare_message": Rule("a list of messages", _is_messages),
        "devinotify_fit_window": Rule("a list of messages", _is_messages, may_end=True),
        "devinotify_screen_recipients": Rule("a dict of errors by recipient", _is_refusals, wraps=False),
        "devinotify_send_message": Rule("a list of outcomes", is_outcomes, after_send=True),
        "devinotify_outcome_recorded": _NOTHING,
        "devinotify_status_changed": _NOTHING,
        "devinotify_message_received": _NOTHING,
        "devinotify_limit_neared": _NOTHING,
        "devinotify_register_commands": _NOTHING,
    }
)
"""Every hook with its rule."""

OWN_RULES: Mapping[str, Rule] = MappingProxyType(
    {hook: replace(rule, accepts=lambda answer: True) for hook, rule in RULES.items()}  # noqa: ARG005 - whatever it is
)
"""The same for the core's own: what they answer is checked where it comes from, and not a second time."""
