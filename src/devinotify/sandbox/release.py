"""Sending one message on to a real account: off unless an account and the numbers that it may reach are given.

A message is sent on once. What came of it is told with the verdict of the client, and only what provably did not
arrive, or was refused, may be sent on again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, Verdict, told
from devinotify.sandbox.emulator import NotFound
from devinotify.sandbox.messages import SENDING, PlatformMessage

if TYPE_CHECKING:
    from devinotify.sandbox.allowlist import AllowList
    from devinotify.sandbox.arguments import Values
    from devinotify.sandbox.emulator import Emulator

OFF = "no account to release to: start the sandbox with one, and with the numbers that it may reach"
AGAIN = frozenset({"", Verdict.NOT_SENT, Verdict.REJECTED})
"""What may have come of it where it may be sent on: nothing yet, or provably nothing."""


def allows(emulator: Emulator, listed: object) -> bool:
    """Return whether what is listed may be released now."""
    return (
        isinstance(listed, PlatformMessage)
        and emulator.release is not None
        and listed.recipient in emulator.release.numbers
        and listed.released in AGAIN
    )


def _begin(emulator: Emulator, number: int) -> tuple[AllowList, PlatformMessage]:
    """Take a message for being sent on, so that nobody else takes it meanwhile."""
    message = emulator.store.get(number)
    if message is None:
        raise NotFound("there is no such message")
    release = emulator.release
    if release is None:
        raise ValueError(OFF)
    if message.recipient not in release.numbers:
        raise ValueError("the recipient is not among the numbers that messages may be released to")
    if message.released not in AGAIN:
        raise ValueError(f"it was released already: {message.released}")
    emulator.store.release(message, SENDING)
    return release, message


def perform(emulator: Emulator, values: Values) -> object:
    """Send a message on, and return what came of it; called without the emulator's lock, for it takes its time."""
    with emulator.lock:
        release, message = _begin(emulator, values["number"])
    ids: tuple[str, ...] = ()
    verdict, reason = Verdict.UNKNOWN, None
    try:
        channel = release.client.viber if message.channel == "viber" else release.client.sms
        ids = channel.send(f"+{message.recipient}", message.text).message_ids
        verdict = Verdict.ACCEPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader is told, and it may have been sent
        verdict = error.verdict if isinstance(error, DevinotifyError) else Verdict.UNKNOWN
        reason = told(error)
    finally:
        with emulator.lock:
            emulator.store.release(message, verdict)
            emulator.changed()
    return {"number": message.serial, "verdict": str(verdict), "error": reason, "message_ids": list(ids)}
