"""How a message of another package's goes out: its outcomes on the message, and an error only where nobody got it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, Verdict, mask_number

from devinotify_django.sending import send_sms

if TYPE_CHECKING:
    from collections.abc import Sequence

log: logging.Logger = logging.getLogger(__name__)


def relay(
    message: Any,  # noqa: ANN401 - the host's own, which has no types
    text: str,
    to: Sequence[str],
    *,
    using: str,
    sender: str | None,
    fail_silently: bool,
) -> bool:
    """Send a message, put its outcomes on it as ``devinotify_outcomes``, and return whether everybody accepted it.

    Raises the first error where everybody was refused or nothing left, unless ``fail_silently``: whoever sends a
    message again for an error sends none twice. What may have left (``unknown``), and what only some did not get, is
    logged and not raised.
    """
    message.devinotify_outcomes = []
    try:
        outcomes = send_sms(text, list(to), using, sender=sender or None)
    except DevinotifyError:
        if fail_silently:
            return False
        raise
    message.devinotify_outcomes = outcomes
    failed = [outcome for outcome in outcomes if outcome.verdict is not Verdict.ACCEPTED]
    errors = [outcome.error for outcome in failed if outcome.verdict is not Verdict.UNKNOWN]
    if len(errors) == len(outcomes) and errors[0] is not None and not fail_silently:
        raise errors[0]
    for outcome in failed:
        log.warning("an SMS to %s is %s: %s", mask_number(outcome.recipient), outcome.verdict, outcome.error)
    return not failed
