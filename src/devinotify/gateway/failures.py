"""Why an exchange broke, in words of ours, and without what was on its way: the same for every way of sending."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from devinotify.exceptions import NotSent, OutcomeUnknown
from devinotify.gateway.http1 import BadReply

if TYPE_CHECKING:
    from collections.abc import Iterator


def bare(error: BaseException) -> BaseException:
    """Return the error without tracebacks, its causes' included: their frames hold what is on its way."""
    for each in _chain(error):
        each.__traceback__ = None
    return error


def unmade(name: str, error: Exception) -> NotSent:
    """Return what is raised where the request to ``name`` could not be made, whatever that was and whose fault."""
    return NotSent(f"the request to {name} could not be made: {type(error).__name__}", retryable=False)


def unconnected(name: str, error: Exception) -> NotSent:
    """Return what is raised where there is no connection to ``name``; a bad certificate stays one."""
    return NotSent(f"could not connect to {name}: {reason(error)}", retryable=not _is_certificate_error(error))


def broken(name: str, error: Exception) -> OutcomeUnknown:
    """Return what is raised where the exchange broke once the request to ``name`` had begun to leave."""
    return OutcomeUnknown(f"{name} was being sent the request when the exchange broke: {reason(error)}")


def _is_certificate_error(error: BaseException) -> bool:
    """Whether the other side's certificate is not trusted, which another attempt changes nothing about."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, "its name cannot be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was closed"),
    (ConnectionAbortedError, "the connection was closed"),
    (TimeoutError, "timed out"),
)


def reason(error: BaseException) -> str:
    """Return why an exchange broke in words of ours: those of the exception may quote what passed over the wire."""
    if isinstance(error, BadReply):
        return str(error)
    for cause in _chain(error):
        for kind, words in _REASONS:
            if isinstance(cause, kind):
                return words
    return "the connection failed"
