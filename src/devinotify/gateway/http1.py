"""HTTP/1.1 replies from bytes, strictly: a reply that was cut, or says two things, is never read as whole. Pure.

The general-purpose parsers are lenient where a send cannot afford it: ``http.client`` reads a connection
closed inside the headers as a whole reply with an empty body, and a number cut short as a smaller number.
This one takes bytes in any portions and gives one Reply, or raises BadReply. Source: RFC 9112.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REPLY_LIMIT = 1024 * 1024
"""Bytes that the body of a reply may have, before and after decompression."""
HEAD_LIMIT = 64 * 1024
"""Bytes that the status line and headers of a reply may have."""

# Whole at once, and the headers that we read by name: a header at a time takes as long as all the rest of a reply.
_STATUS_LINE = rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?(?=\r\n|\Z)"
_HEADERS = rb"((?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\0]*)*)"
_HEAD = re.compile(_STATUS_LINE + _HEADERS)
_READ = re.compile(
    rb"\r\n(connection|content-encoding|content-length|retry-after|transfer-encoding):([^\r\n]*)", re.IGNORECASE
)
_DIGITS = re.compile(rb"\d{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib finds out which of the two it is
_BODILESS = frozenset({204, 304})


class BadReply(ValueError):
    """The bytes are not a whole HTTP reply; the message says why and quotes nothing of it."""


class ReplyTooLarge(BadReply):
    """The body is larger than REPLY_LIMIT; another request for the same would bring it again."""


@dataclass(slots=True, repr=False)  # not frozen, as a wire.Request is not
class Reply:
    """One whole HTTP reply.

    ``framed`` is true where the reply declared its own length (Content-Length or chunks), so that its
    body cannot have been cut unnoticed. ``retry_after`` is in seconds, or ``None``. ``keep_alive`` says
    whether the connection may carry another request.
    """

    status: int
    body: bytes
    framed: bool = True
    retry_after: float | None = None
    keep_alive: bool = True

    def __repr__(self) -> str:
        # The body may hold a session id, numbers and texts.
        return f"<Reply {self.status}, {len(self.body)} bytes>"


LONG_REQUEST = 16 * 1024
"""Bytes of a request that any system takes from us at once, and any server reads before it answers."""


def may_go_on(reply: Reply, size: int) -> bool:
    """Whether the connection may carry another request after this reply to one of ``size`` bytes.

    A long one may have been refused at its beginning, and what the server has not read would stand before the next
    request: how much of it has left is not told by every kind of connection, and how much was read by none.
    """
    return reply.keep_alive and (size <= LONG_REQUEST or reply.status < 300)


class ReplyParser:
    """Takes the bytes of one reply as they arrive; one parser serves one request.

    With ``tunnel`` the reply is that of a proxy to CONNECT, which ends with its headers.
    """

    __slots__ = ("_body", "_buffer", "_headers", "_keep_alive", "_length", "_read_body", "_status", "_tunnel")

    def __init__(self, *, tunnel: bool = False) -> None:
        self._tunnel = tunnel
        self._buffer = b""
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._keep_alive = True
        self._length = 0
        self._body: list[bytes] = []
        # Not bound: a parser that held its own method would stay, with its reply, until cyclic garbage is looked for.
        self._read_body: Callable[[ReplyParser], Reply | None] = ReplyParser._until_close

    def feed(self, data: bytes) -> Reply | None:
        """Return the reply when ``data`` completes it, ``None`` while there is more to come; raise BadReply."""
        self._buffer += data
        if not self._status and not self._read_head():
            return None
        return self._read_body(self)

    def close(self) -> Reply:
        """Return the reply that the end of the connection completes; raise BadReply where it was cut."""
        if not self._status:
            raise BadReply("the connection was closed before the headers were complete")
        if self._read_body is not ReplyParser._until_close:
            raise BadReply("the connection was closed in the middle of the body")
        return self._reply(self._buffer, framed=False)

    def _read_head(self) -> bool:
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if _is_late(end, self._buffer, b"\r\n\r\n"):
                raise BadReply("the headers are too long")
            if end < 0:
                if not b"HTTP/1.".startswith(self._buffer[:7]):
                    raise BadReply("the reply is not HTTP/1")
                return False
            match = _HEAD.match(self._buffer, 0, end)
            if match is None:
                raise BadReply("the status line is malformed")
            self._buffer = self._buffer[end + 4 :]
            status = int(match[2])
            if status == 101:
                raise BadReply("the server switched to another protocol")
            if status >= 200:
                break
        if match.end() < end:
            raise BadReply("a header is malformed")
        self._status = status
        self._headers = _headers(match[3])
        connection = self._headers.get(b"connection", b"").lower()
        self._keep_alive = b"close" not in connection and (match[1] == b"1" or b"keep-alive" in connection)
        self._choose_framing()
        return True

    def _choose_framing(self) -> None:
        coding = self._headers.get(b"transfer-encoding")
        declared = self._headers.get(b"content-length")
        if self._tunnel:
            self._read_body = ReplyParser._head_alone
        elif self._status in _BODILESS:
            self._read_body, self._length = ReplyParser._counted, 0
        elif coding is not None:
            if coding.lower() != b"chunked":
                raise BadReply("the transfer coding is unknown")
            if declared is not None:
                raise BadReply("the reply declares both a length and chunks")
            self._read_body = ReplyParser._chunked
        elif declared is not None:
            if not _DIGITS.fullmatch(declared):
                raise BadReply("the declared length is not a number")
            self._read_body, self._length = ReplyParser._counted, int(declared)
            if self._length > REPLY_LIMIT:
                raise ReplyTooLarge("the reply is too large")

    def _head_alone(self) -> Reply:
        return Reply(self._status, b"", framed=False, keep_alive=False)

    def _counted(self) -> Reply | None:
        missing = self._length - len(self._buffer)
        if missing > 0:
            return None
        if missing < 0:
            raise BadReply("the reply is longer than it declares")
        return self._reply(self._buffer, framed=True)

    def _until_close(self) -> None:
        if len(self._buffer) > REPLY_LIMIT:
            raise ReplyTooLarge("the reply is too large")

    def _chunked(self) -> Reply | None:
        while True:
            end = self._buffer.find(b"\r\n")
            if _is_late(end, self._buffer, b"\r\n"):
                raise BadReply("a chunk's size line is too long")
            if end < 0:
                return None
            match = _CHUNK_SIZE.fullmatch(self._buffer[:end])
            if match is None:
                raise BadReply("a chunk's size is malformed")
            size = int(match[1], 16)
            self._length += size
            if self._length > REPLY_LIMIT:
                raise ReplyTooLarge("the reply is too large")
            if not size:
                return self._after_last_chunk(end)
            start, stop = end + 2, end + 2 + size
            if len(self._buffer) < stop + 2:
                self._length -= size  # counted again when the chunk is whole
                return None
            if self._buffer[stop : stop + 2] != b"\r\n":
                raise BadReply("a chunk is longer than it declares")
            self._body.append(self._buffer[start:stop])
            self._buffer = self._buffer[stop + 2 :]

    def _after_last_chunk(self, end: int) -> Reply | None:
        # The trailers, if any, end with an empty line like the headers; they tell us nothing.
        rest = self._buffer[end:]
        stop = rest.find(b"\r\n\r\n")
        if _is_late(stop, rest, b"\r\n\r\n"):
            raise BadReply("the trailers are too long")
        if stop < 0:
            return None
        if len(rest) > stop + 4:
            raise BadReply("the reply is longer than it declares")
        return self._reply(b"".join(self._body), framed=True)

    def _reply(self, body: bytes, *, framed: bool) -> Reply:
        encoding = self._headers.get(b"content-encoding", b"identity").lower()
        retry_after = self._headers.get(b"retry-after", b"")
        return Reply(
            status=self._status,
            body=body if encoding == b"identity" or not body else _decompress(body, encoding),
            framed=framed,
            retry_after=float(retry_after) if retry_after and _DIGITS.fullmatch(retry_after) else None,
            keep_alive=self._keep_alive and framed,
        )


def _is_late(end: int, buffer: bytes, mark: bytes) -> bool:
    """Whether the mark stands, or can only come, past the limit: the same answer however the bytes are split."""
    earliest = end if end >= 0 else len(buffer) - len(mark) + 1
    return earliest > HEAD_LIMIT


def _headers(lines: bytes) -> dict[bytes, bytes]:
    """Return the headers that are read, by their names in small letters."""
    headers: dict[bytes, bytes] = {}
    for raw_name, raw_value in _READ.findall(lines):
        name, value = raw_name.lower(), raw_value.strip(b" \t")
        known = headers.get(name)
        if known is None or (known == value and name == b"content-length"):
            headers[name] = value
        elif name == b"content-length":
            raise BadReply("the reply declares two lengths")
        else:
            headers[name] = known + b", " + value  # so that a second Connection or coding is not overlooked
    return headers


def _decompress(body: bytes, encoding: bytes) -> bytes:
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise BadReply("the content coding is unknown")
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = decoder.decompress(body, REPLY_LIMIT + 1)
    except zlib.error:
        raise BadReply("the compressed body is damaged") from None
    if len(plain) > REPLY_LIMIT:
        raise ReplyTooLarge("the reply is too large")
    if not decoder.eof or decoder.unused_data:
        raise BadReply("the compressed body is cut")
    return plain
