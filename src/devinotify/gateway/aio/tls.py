"""TLS without I/O: what is to be said is sealed and what was heard is opened; a connection carries both.

The loop's own TLS is a second protocol over a second transport, both in Python, and takes a tenth of a whole send. All
that there is to TLS is done by ``ssl`` here as there; what is left is when it is asked.
"""

from __future__ import annotations

import ssl

from devinotify.redact import SecretBytes

RECORD = 16 * 1024
"""Bytes that one TLS record holds at most (RFC 8446, section 5.1), and that ``ssl`` therefore hands out at once."""


class TLS:
    """Our side of TLS with ``host``, carried by that with a proxy where it is ``under`` one; nothing here raises.

    The first ``seal`` begins the handshake, and each ``open`` goes on with it.
    """

    def __init__(self, context: ssl.SSLContext, host: str, under: TLS | None = None) -> None:
        self._under = under
        self._heard = ssl.MemoryBIO()
        self._to_say = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._heard, self._to_say, server_hostname=host)
        self._unsealed = b""
        self.is_agreed: bool = False
        """Whether the handshake is over: the other side is who it should be."""
        self.is_over: bool = False
        """Whether nothing more can be heard or said: the other side has said so, or there is a ``fault``."""
        self.fault: Exception | None = None
        """What TLS failed with, an untrusted certificate say."""

    @property
    def has_to_say(self) -> bool:
        """Whether ``seal`` is to be asked for something, of TLS' own or what a new handshake of TLS 1.2 held up."""
        return self._to_say.pending > 0 or bool(self._unsealed) or (self._under is not None and self._under.has_to_say)

    def seal(self, data: bytes = b"") -> bytes:
        """Return what is to be written for the other side to read ``data``, behind what TLS has to say of its own."""
        left = memoryview(self._unsealed + data if self._unsealed else data)
        try:
            self._agree()
            while left and not self.is_over:
                left = left[self._ssl.write(left) :]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail(error)
        self._unsealed = SecretBytes(left) if left else b""
        said = self._to_say.read()
        return said if self._under is None else self._under.seal(said)

    def open(self, data: bytes | memoryview) -> SecretBytes:
        """Return what can be read of ``data``, as it came; nothing, where it is only a part, or TLS' own affair.

        Whatever is to be answered to it, ``seal`` returns; what was heard before a fault is heard.
        """
        if self.is_over:
            return SecretBytes()
        parts: list[SecretBytes] = []
        try:
            self._heard.write(data if self._under is None else self._under.open(data))
            self._agree()
            while True:
                part = SecretBytes(self._ssl.read(RECORD))
                if not part:
                    self.is_over = True
                    break
                parts.append(part)
                if len(part) < RECORD and not self._heard.pending:
                    break  # as asking once more would say, at what an exception takes
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail(error)
        if self._under is not None and self._under.is_over:
            self.is_over, self.fault = True, self.fault or self._under.fault
        return parts[0] if len(parts) == 1 else SecretBytes(b"".join(parts))

    def _agree(self) -> None:
        if not self.is_agreed and not self.is_over:
            self._ssl.do_handshake()
            self.is_agreed = True

    def _fail(self, error: ssl.SSLError) -> None:
        self.is_over, self.fault = True, error
