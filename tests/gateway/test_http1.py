"""Replies from bytes: the same however they are split, never whole when they were cut."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinotify.gateway.http1 import (
    HEAD_LIMIT,
    LONG_REQUEST,
    REPLY_LIMIT,
    BadReply,
    Reply,
    ReplyParser,
    may_go_on,
)
from tests.laws import both_ways
from tests.strategies import changed, portions
from tests.tables import table

BODY = b'["579700854169272358", "579700854169272359"]'
COUNTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 44\r\n\r\n" + BODY
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\n" + BODY[:5] + b"\r\n1A \r\n" + BODY[5:31] + b"\r\nd\r\n" + BODY[31:] + b"\r\n0\r\n\r\n"
)
TRAILED = CHUNKED[:-2] + b"X-Checksum: 1\r\nX-More: 2\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + COUNTED
ZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(BODY, mtime=0))
ZIPPED += gzip.compress(BODY, mtime=0)
BODILESS = b"HTTP/1.1 204 No Content\r\n\r\n"
UNFRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"

WHOLE = {
    "counted": (COUNTED, Reply(200, BODY)),
    "chunked": (CHUNKED, Reply(200, BODY)),
    "with trailers": (TRAILED, Reply(200, BODY)),
    "after interim replies": (INTERIM, Reply(200, BODY)),
    "compressed": (ZIPPED, Reply(200, BODY)),
    "without a body": (BODILESS, Reply(204, b"")),
}


def read(data: bytes) -> Reply | None:
    """Return what a parser makes of the bytes in one portion."""
    return ReplyParser().feed(data)


def head(*lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """Return a status line and headers."""
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode()


@table("name", WHOLE)
def test_a_whole_reply_is_read(name: str) -> None:
    """Each form of a whole reply gives its status and body."""
    data, reply = WHOLE[name]
    assert reply == read(data)


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_the_portions_do_not_matter(name: str, data: st.DataObject) -> None:
    """However the bytes are split, the reply is the same and comes with the last of them."""
    whole, reply = WHOLE[name]
    parser = ReplyParser()
    answers = [parser.feed(portion) for portion in data.draw(portions(whole))]
    last = next(answer for answer in answers if answer is not None)
    assert reply == last


@table("name", WHOLE)
def test_the_reply_comes_with_its_last_byte(name: str) -> None:
    """Byte by byte, there is no reply before the last one."""
    whole, reply = WHOLE[name]
    parser = ReplyParser()
    answers = [parser.feed(whole[index : index + 1]) for index in range(len(whole))]
    assert [None] * (len(whole) - 1) + [reply] == answers


@table("name", WHOLE)
def test_a_cut_reply_is_never_a_reply(name: str) -> None:
    """Cut after any byte, a reply is incomplete while the connection lives and bad once it is closed."""
    whole, _ = WHOLE[name]
    for length in range(len(whole)):
        parser = ReplyParser()
        assert parser.feed(whole[:length]) is None, length
        with pytest.raises(BadReply, match="closed"):
            parser.close()


@table("length", range(len(UNFRAMED)))
def test_a_cut_head_is_never_a_reply(length: int) -> None:
    """Without a declared length, a connection closed inside the headers is no reply with an empty body."""
    parser = ReplyParser()
    assert parser.feed(UNFRAMED[:length]) is None
    with pytest.raises(BadReply, match="before the headers were complete"):
        parser.close()


@table("body", [b"", b"12", BODY])
def test_a_body_without_a_length_ends_with_the_connection(body: bytes) -> None:
    """Such a body is read, and marked as one that may have been cut."""
    parser = ReplyParser()
    assert parser.feed(UNFRAMED + body) is None
    assert Reply(200, body, framed=False, keep_alive=False) == parser.close()


@given(
    body=st.binary(max_size=200),
    cuts=st.lists(st.integers(1, 50), max_size=6),
    extension=st.sampled_from([b"", b" ;a=b", b"\t"]),
)
def test_chunks_are_put_together(body: bytes, cuts: list[int], extension: bytes) -> None:
    """Whatever chunks a body is cut into, it comes back."""
    wire, start = head("Transfer-Encoding: CHUNKED"), 0
    for size in [*cuts, 200]:
        if piece := body[start : start + size]:
            wire += b"%X%b\r\n%b\r\n" % (len(piece), extension, piece)
        start += size
    assert Reply(200, body) == read(wire + b"0\r\n\r\n")


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate"])
@given(body=st.binary(min_size=1, max_size=300))
def test_a_compressed_body_is_unpacked(coding: str, body: bytes) -> None:
    """Both codings of the web come back as what was packed."""
    packed = zlib.compress(body) if coding == "deflate" else gzip.compress(body)
    assert Reply(200, body) == read(head(f"Content-Encoding: {coding}", f"Content-Length: {len(packed)}") + packed)


def test_an_empty_body_needs_no_unpacking() -> None:
    """A coding on nothing is nothing."""
    assert Reply(200, b"") == read(head("Content-Encoding: gzip", "Content-Length: 0"))


@table("cut", range(1, len(gzip.compress(BODY, mtime=0))))
def test_a_cut_compressed_body_is_bad(cut: int) -> None:
    """A compressed body that was cut before it was sent is told by its own end."""
    parser = ReplyParser()
    parser.feed(head("Content-Encoding: gzip"))
    parser.feed(gzip.compress(BODY, mtime=0)[:cut])
    with pytest.raises(BadReply, match="compressed body is"):
        parser.close()


@table("size", [64 * 1024, 1000, 4096])
def test_a_large_chunk_in_portions(size: int) -> None:
    """A chunk of 700 KB that arrives bit by bit is counted once, and there is no reply before its end."""
    body = b"x" * 700 * 1024
    data = head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    parser = ReplyParser()
    answers = [parser.feed(data[start : start + size]) for start in range(0, len(data), size)]
    assert [None] * (len(answers) - 1) + [Reply(200, body)] == answers


BAD = {
    "garbage": b"\x00\x01\x02garbage\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS": b"\x15\x03\x03\x00\x02\x02\x28",
    "HTTP/0.9": b"<html>",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "short status": b"HTTP/1.1 20 OK\r\n\r\n",
    "status 0": b"HTTP/1.1 000 OK\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "switched protocols": head(status="101 Switching Protocols"),
    "header without a colon": head("Content-Length"),
    "header with a space": head("Content-Length : 5"),
    "header without a name": head(": 5"),
    "folded header": head("X-A: 1", " folded"),
    "bare line feed": head("X-A: 1\nContent-Length: 5"),
    "bare return": head("X-A: 1\rContent-Length: 5"),
    "null": head("X-A: \0"),
    "length in words": head("Content-Length: five"),
    "negative length": head("Content-Length: -1"),
    "signed length": head("Content-Length: +5"),
    "empty length": head("Content-Length:"),
    "length beyond measure": head("Content-Length: " + "9" * 16),
    "length over the limit": head(f"Content-Length: {REPLY_LIMIT + 1}"),
    "two lengths": head("Content-Length: 5", "Content-Length: 6"),
    "length and chunks": head("Content-Length: 5", "Transfer-Encoding: chunked"),
    "unknown coding": head("Transfer-Encoding: gzip, chunked"),
    "two transfer codings": head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "longer than declared": head("Content-Length: 2") + b"123",
    "a body where none may be": BODILESS + b"x",
    "chunk size in words": head("Transfer-Encoding: chunked") + b"five\r\n",
    "negative chunk": head("Transfer-Encoding: chunked") + b"-5\r\n",
    "empty chunk size": head("Transfer-Encoding: chunked") + b"\r\n",
    "chunk over the limit": head("Transfer-Encoding: chunked") + b"FFFFFFFF\r\n",
    "chunk longer than declared": head("Transfer-Encoding: chunked") + b"2\r\n123\r\n",
    "after the last chunk": head("Transfer-Encoding: chunked") + b"0\r\n\r\nx",
    "unknown content coding": head("Content-Encoding: br", "Content-Length: 1") + b"x",
    "two content codings": head("Content-Encoding: gzip", "Content-Encoding: gzip", "Content-Length: 1") + b"x",
    "damaged gzip": head("Content-Encoding: gzip", "Content-Length: 4") + b"\x1f\x8b!!",
    "gzip with more after it": head("Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(BODY)) + 1}")
    + gzip.compress(BODY)
    + b"!",
}


@table("name", BAD)
def test_a_bad_reply_is_refused(name: str) -> None:
    """What is no reply, or says two things, is refused at once."""
    with pytest.raises(BadReply):
        read(BAD[name])


SURPLUS = {"longer than declared", "a body where none may be", "after the last chunk"}


def feed_bytewise(parser: ReplyParser, data: bytes) -> list[Reply | None]:
    """Return what a parser answers to each byte."""
    return [parser.feed(data[index : index + 1]) for index in range(len(data))]


@table("name", sorted(BAD.keys() - SURPLUS))
def test_a_bad_reply_is_refused_in_any_portions(name: str) -> None:
    """Byte by byte, a bad reply is refused as well."""
    with pytest.raises(BadReply):
        feed_bytewise(ReplyParser(), BAD[name])


@table("name", sorted(BAD.keys() - SURPLUS))
def test_a_bad_reply_is_no_reply_at_any_time(name: str) -> None:
    """No beginning of a bad reply is taken for a reply before the rest shows what it is."""
    parser = ReplyParser()
    with suppress(BadReply):
        for index in range(len(BAD[name])):
            assert parser.feed(BAD[name][index : index + 1]) is None


@table("name", sorted(SURPLUS))
def test_bytes_after_a_whole_reply_are_refused(name: str) -> None:
    """Surplus bytes make a reply bad when they come with it, and a parser bad when they come later."""
    with pytest.raises(BadReply, match="longer than it declares"):
        feed_bytewise(ReplyParser(), BAD[name])


def test_the_same_length_twice_is_one_length() -> None:
    """Two headers that agree leave no doubt."""
    assert Reply(200, b"12") == read(head("Content-Length: 2", "content-length: 2") + b"12")


@table(
    "lines, version, alive",
    [
        ((), "1.1", True),
        (("Connection: Keep-Alive",), "1.1", True),
        (("Connection: close",), "1.1", False),
        (("CONNECTION: Upgrade, Close",), "1.1", False),
        (("Connection: keep-alive", "Connection: close"), "1.1", False),
        ((), "1.0", False),
        (("Connection: keep-alive",), "1.0", True),
    ],
)
def test_a_connection_is_kept_where_the_server_keeps_it(lines: tuple[str, ...], version: str, alive: bool) -> None:
    """HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 only when told so."""
    assert Reply(200, b"", keep_alive=alive) == read(head("Content-Length: 0", *lines, version=version))


@table(
    "value, seconds",
    [("120", 120.0), ("0", 0.0), ("Fri, 31 Dec 1999 23:59:59 GMT", None), ("-1", None), ("1.5", None)],
)
def test_the_pause_asked_for_is_told(value: str, seconds: float | None) -> None:
    """A pause in seconds is understood, one as a date is not."""
    reply = read(head("Content-Length: 0", f"Retry-After: {value}", status="503 Service Unavailable"))
    assert Reply(503, b"", retry_after=seconds) == reply


@table("line", ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 Всё хорошо", "HTTP/1.0 200 OK"])
def test_the_reason_may_be_anything(line: str) -> None:
    """A status line needs no reason, and any will do."""
    reply = read(f"{line}\r\nContent-Length: 0\r\n\r\n".encode())
    assert reply is not None
    assert reply.status == 200


@table("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    """A length declared on a reply that has no body means nothing."""
    assert Reply(status, b"") == read(head("Content-Length: 5", status=str(status)))


@table("lines", [(), ("Content-Length: 5",), ("Transfer-Encoding: chunked",)])
@table("status", [200, 407, 502])
def test_a_proxys_reply_to_connect_ends_with_its_headers(status: int, lines: tuple[str, ...]) -> None:
    """What follows the headers belongs to the tunnel, whatever length they declare."""
    answer = ReplyParser(tunnel=True).feed(head(*lines, status=str(status)))
    assert answer is not None
    assert (answer.status, answer.body, answer.keep_alive) == (status, b"", False)


def test_a_cut_reply_to_connect_is_bad() -> None:
    """A proxy that closes within its headers opened no tunnel."""
    parser = ReplyParser(tunnel=True)
    assert parser.feed(head()[:-1]) is None
    with pytest.raises(BadReply):
        parser.close()


def fed_in_halves(data: bytes, at: int) -> Reply | None:
    """Return what a parser makes of the bytes in two portions."""
    parser = ReplyParser()
    return parser.feed(data[:at]) or parser.feed(data[at:])


@table("over", range(-4, 5))
def test_the_limit_of_the_head_does_not_depend_on_portions(over: int) -> None:
    """A head of exactly the limit passes, one byte more does not, wherever it is split."""
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: "
    data = start + b"a" * (HEAD_LIMIT + over - len(start)) + b"\r\n\r\n"
    for split in range(-6, 6):
        if over <= 0:
            assert Reply(200, b"") == fed_in_halves(data, HEAD_LIMIT + split)
        else:
            with pytest.raises(BadReply, match="too long"):
                fed_in_halves(data, HEAD_LIMIT + split)


@table("over", range(-2, 3))
@table("split", range(-3, 4))
def test_the_limit_of_a_size_line_does_not_depend_on_portions(over: int, split: int) -> None:
    """A size line of exactly the limit passes, one byte more does not, wherever it is split."""
    start = head("Transfer-Encoding: chunked")
    data = start + b"1;" + b"a" * (HEAD_LIMIT - 2 + over) + b"\r\nx\r\n0\r\n\r\n"
    if over <= 0:
        assert Reply(200, b"x") == fed_in_halves(data, len(start) + HEAD_LIMIT + split)
    else:
        with pytest.raises(BadReply, match="size line is too long"):
            fed_in_halves(data, len(start) + HEAD_LIMIT + split)


@table("split", range(-3, 6))
def test_the_limit_of_trailers_does_not_depend_on_portions(split: int) -> None:
    """Trailers over the limit are refused, wherever they are split."""
    start = head("Transfer-Encoding: chunked") + b"0\r\n"
    with pytest.raises(BadReply, match="trailers are too long"):
        fed_in_halves(start + b"X: " + b"a" * HEAD_LIMIT + b"\r\n\r\n", len(start) + HEAD_LIMIT + split)


def test_a_head_that_never_ends_is_refused() -> None:
    """A server that goes on sending headers is not listened to for ever."""
    with pytest.raises(BadReply, match="headers are too long"):
        list(map(ReplyParser().feed, [b"HTTP/1.1 200 OK\r\n", *[b"X-A: 1\r\n"] * (HEAD_LIMIT // 8 + 2)]))


@table("form", ["counted", "chunked", "until the end", "compressed"])
def test_a_body_may_have_one_megabyte(form: str) -> None:
    """The largest body is read in each form."""
    body = b"x" * REPLY_LIMIT
    packed = gzip.compress(body)
    data = {
        "counted": head(f"Content-Length: {len(body)}") + body,
        "chunked": head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
        "until the end": head() + body,
        "compressed": head("Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed,
    }[form]
    parser = ReplyParser()
    reply = parser.feed(data) or parser.close()
    assert body == reply.body


@table("form", ["chunked", "until the end", "compressed"])
def test_a_larger_body_is_refused(form: str) -> None:
    """One byte more than a megabyte is refused, unpacked bytes counted too."""
    body = b"x" * (REPLY_LIMIT + 1)
    packed = gzip.compress(body)
    data = {
        "chunked": head("Transfer-Encoding: chunked") + b"1\r\nx\r\n%x\r\n" % REPLY_LIMIT,
        "until the end": head() + body,
        "compressed": head("Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed,
    }[form]
    with pytest.raises(BadReply, match="too large"):
        read(data)


ANY = {**WHOLE, "until the end": (UNFRAMED + BODY, Reply(200, BODY, framed=False, keep_alive=False))}
PIECES = [b"", b"\r\n", b"\n", b" ", b":", b";", b"0", b"1", b"f", b"\xff", b"\0", b"a", b"-", b"\r\nConnection: close"]


def ended(*data: bytes) -> Reply | None:
    """Return the reply that portions and the end of the connection give, or ``None`` where they give a bad one."""
    parser = ReplyParser()
    try:
        return next(filter(None, map(parser.feed, data)), None) or parser.close()
    except BadReply as bad:
        assert data[0][:20].decode("latin-1") not in str(bad) or len(data[0]) < 20  # noqa: PT017 - owed by this end
        return None


@both_ways(given(name=st.sampled_from(sorted(ANY)), data=st.data()))
def test_a_changed_reply_is_a_reply_or_a_bad_one(name: str, data: st.DataObject) -> bool:
    """Whole or in two portions alike, and without its last byte it is none, where it declares its length."""
    wire = data.draw(changed(ANY[name][0], PIECES))
    cut = data.draw(st.integers(0, len(wire)))
    found, halves = ended(wire), ended(wire[:cut], wire[cut:])
    # What comes behind a whole reply is found with it, or by whoever keeps the connection.
    assert found == halves or (found is None and halves == ReplyParser().feed(wire[:cut]))
    assert found is None or not found.framed or ended(wire[:-1]) is None
    return found is not None


@settings(max_examples=50)
@given(start=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", head("Transfer-Encoding: chunked")]), noise=st.binary())
def test_noise_gives_a_reply_or_a_bad_reply(start: bytes, noise: bytes) -> None:
    """Any bytes end as a reply or as BadReply, and as nothing else."""
    assert isinstance(ended(start + noise), Reply | None)


@table(
    "status, size, keep_alive, expected",
    [
        (200, 300, True, True),
        (200, 300, False, False),
        (200, LONG_REQUEST + 1, True, True),
        (400, LONG_REQUEST, True, True),
        (400, LONG_REQUEST + 1, True, False),
        (302, LONG_REQUEST + 1, True, False),
    ],
)
def test_a_long_request_that_is_refused_ends_its_connection(
    status: int, size: int, keep_alive: bool, expected: bool
) -> None:
    """It may have been refused at its beginning, and the rest of it would be taken for the next."""
    assert expected == may_go_on(Reply(status, b"", keep_alive=keep_alive), size)
