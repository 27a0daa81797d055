"""The exit codes, as one table: scripts build on them, the help and the reference print them."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, InvalidURL, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ExitCode(IntEnum):
    """What a command's exit code says."""

    ACCEPTED = 0
    FAULT = 1
    USAGE = 2
    REJECTED = 3
    NOT_SENT = 4
    UNKNOWN = 5
    UNDELIVERED = 6
    OUTPUT_LOST = 74
    """EX_IOERR of BSD's sysexits."""
    INTERRUPTED = 130
    """128 and the number of SIGINT, as shells have it."""
    PIPE_CLOSED = 141
    """128 and the number of SIGPIPE, as shells have it."""


MEANINGS: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.ACCEPTED: "accepted: the gateway took every message; or the question was answered",
        ExitCode.FAULT: "a fault in devinotify itself: take what was being sent as unknown",
        ExitCode.USAGE: "usage: a wrong option, a wrong or missing URL, a missing extra; nothing was sent",
        ExitCode.REJECTED: "rejected: the gateway refused; nothing was sent to these recipients",
        ExitCode.NOT_SENT: "not sent: the gateway was not reached, or our own checks refused (an invalid number)",
        ExitCode.UNKNOWN: "unknown: it may or may not have been sent; find out before you send it again",
        ExitCode.UNDELIVERED: "undelivered: the gateway had accepted it, and it did not reach the phone",
        ExitCode.OUTPUT_LOST: "the output of a read or an export could not be written: a full disk, a closed stream",
        ExitCode.INTERRUPTED: "interrupted by Ctrl-C: take what was being sent as unknown",
        ExitCode.PIPE_CLOSED: "nobody reads the output any more",
    }
)
"""Every code with its meaning."""

ORDER = (ExitCode.ACCEPTED, ExitCode.UNDELIVERED, ExitCode.REJECTED, ExitCode.NOT_SENT, ExitCode.UNKNOWN)
"""The codes of a send, the better first: with several recipients the worst wins, 5, 4, 3, 6, 0."""

BY_VERDICT: Mapping[Verdict, ExitCode] = MappingProxyType(
    {
        Verdict.ACCEPTED: ExitCode.ACCEPTED,
        Verdict.REJECTED: ExitCode.REJECTED,
        Verdict.NOT_SENT: ExitCode.NOT_SENT,
        Verdict.UNKNOWN: ExitCode.UNKNOWN,
    }
)


def of_error(error: DevinotifyError) -> ExitCode:
    """Return the code for an error, of a send or of a read: that of its verdict, but 2 for a wrong URL."""
    return ExitCode.USAGE if isinstance(error, InvalidURL) else BY_VERDICT[error.verdict]


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code of several results: the worst wins, in the order 5, 4, 3, 6, 0; 0 where there are none.

    A code that is not a send's, such as 2 for a wrong URL, stands for the whole command, and wins over all.
    """
    return max(codes, default=ExitCode.ACCEPTED, key=lambda code: ORDER.index(code) if code in ORDER else len(ORDER))
