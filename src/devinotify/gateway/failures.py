"""Why an exchange broke, in words of ours, and without what was on its way: the same for every way of sending."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from devinotify.gateway.http1 import BadReply

if TYPE_CHECKING:
    from collections.abc import Iterator


def bare(error: BaseException) -> BaseException:
    """Return the error without tracebacks, its causes' included: their frames hold what is on its way."""
    for each in _chain(error):
        each.__traceback__ = None
    return error


def is_certificate_error(error: BaseException) -> bool:
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
