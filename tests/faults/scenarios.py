"""The one table of what may go wrong with a send, and what the sender must be told.

Every row is walked over plain HTTP and TLS, on a fresh connection and on a kept one, as far as the row
makes sense there. The verdicts are those of the design's table, and nothing here comes from the client.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify import exceptions as errors
from devinotify.exceptions import DevinotifyError, Verdict
from tests.faults import acts
from tests.faults.acts import (
    HTML,
    IDS,
    chunked,
    close,
    code,
    coded,
    drip,
    framed,
    goodbye,
    hold,
    html,
    raw,
    reply,
    reset,
)
from tests.faults.server import Act, Door, FaultServer, handshake_with, head

if TYPE_CHECKING:
    from tests.faults.certificates import Certificates

BOTH = ("plain", "tls")
BROKEN = (errors.OutcomeUnknown, errors.UnexpectedResponse)
"""A reply that was cut or cannot be read: either name is true of it, and the verdict is what counts."""
REFUSED = errors.UnexpectedResponse
"""A refusal that is not in the gateway's format."""
SHORT = 0.25
"""Seconds: the deadline where the client has to run into it."""
AMPLE = 30.0
"""Seconds: the deadline where a whole reply comes at once, however busy the machine."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    ``act`` answers the send, or ``door`` meets its connection, or ``arrange`` breaks the server before it.
    ``error`` is what is raised, ``None`` where the send is accepted. ``received`` and ``partly`` are how
    many POSTs the server has read fully and in part. ``connections`` is the most connections tried.
    """

    name: str
    verdict: Verdict
    error: type[DevinotifyError] | tuple[type[DevinotifyError], ...] | None
    act: Act | None = None
    door: Callable[[Certificates], Door] | None = None
    arrange: Callable[[FaultServer], None] | None = None
    received: int = 1
    partly: int = 0
    connections: int = 1
    over: tuple[str, ...] = BOTH
    timeout: float = 1.0
    viber: bool = False
    whole: bool = False

    @property
    def runs(self) -> list[tuple[str, bool]]:
        """The pairs of protocol and whether the connection is a kept one: all that can make a difference."""
        if self.whole:
            return [("plain", True), ("tls", False)]
        kept = (False,) if self.act is None else (False, True)
        return [(over, keep) for over in self.over for keep in kept]


def accepted(name: str, act: Act) -> Scenario:
    """Return a row for a reply that is odd but whole, and fits."""
    return Scenario(name, Verdict.ACCEPTED, None, act, timeout=AMPLE)


def rejected(
    name: str, act: Act, error: type[DevinotifyError] | tuple[type[DevinotifyError], ...] = REFUSED
) -> Scenario:
    """Return a row for a refusal that is certain."""
    return Scenario(name, Verdict.REJECTED, error, act, timeout=AMPLE, whole=True)


def broken(name: str, act: Act, *, over: tuple[str, ...] = BOTH) -> Scenario:
    """Return a row for a reply that breaks off."""
    return Scenario(name, Verdict.UNKNOWN, BROKEN, act, over=over)


def unreadable(name: str, act: Act) -> Scenario:
    """Return a row for a reply that is no HTTP, or too much of it."""
    return Scenario(name, Verdict.UNKNOWN, BROKEN, act, whole=True)


def slow(name: str, act: Act) -> Scenario:
    """Return a row for a reply that does not come within the deadline."""
    return Scenario(name, Verdict.UNKNOWN, errors.OutcomeUnknown, act, timeout=SHORT, whole=True)


def unfit(
    name: str, act: Act, error: type[DevinotifyError] | tuple[type[DevinotifyError], ...] = errors.UnexpectedResponse
) -> Scenario:
    """Return a row for a whole reply that does not say what became of the message."""
    return Scenario(name, Verdict.UNKNOWN, error, act, timeout=AMPLE, whole=True)


def door(name: str, way_in: Door, *, partly: int = 0) -> Scenario:
    """Return a row for a connection that ends after it was made, when the client had begun to send."""
    return Scenario(name, Verdict.UNKNOWN, errors.OutcomeUnknown, door=lambda _: way_in, received=0, partly=partly)


def no_way_in(
    name: str, way_in: Callable[[Certificates], Door], *, connections: int = 4, timeout: float = 1.0
) -> Scenario:
    """Return a row for a TLS handshake that fails: nothing was sent, and it is tried up to 3 times more."""
    return Scenario(
        name,
        Verdict.NOT_SENT,
        errors.NotSent,
        door=way_in,
        received=0,
        connections=connections,
        over=("tls",),
        timeout=timeout,
    )


def unreachable(name: str, arrange: Callable[[FaultServer], None], *, timeout: float = 1.0) -> Scenario:
    """Return a row for a server that lets nobody connect any more."""
    return Scenario(name, Verdict.NOT_SENT, errors.NotSent, arrange=arrange, received=0, connections=0, timeout=timeout)


CODES: dict[int, type[errors.GatewayError]] = {
    1: errors.ArgumentMissing,
    2: errors.InvalidArgument,
    3: errors.InvalidSession,
    4: errors.Unauthorized,
    5: errors.NotEnoughCredits,
    6: errors.InvalidOperation,
    7: errors.Forbidden,
    8: errors.GatewayFailure,
    9: errors.InternalServerError,
}
STATUSES = (200, 400, 403, 408, 500)
RENEWED = (3, 4)
"""The codes after which a new login and one more send are right: they have their own tests."""


def _codes() -> list[Scenario]:
    rows = []
    for number, error in CODES.items():
        for status in STATUSES:
            certain = status < 500 and number not in (8, 9)
            if certain and number in RENEWED:
                continue
            verdict = Verdict.REJECTED if certain else Verdict.UNKNOWN
            rows.append(Scenario(f"code {number} with {status}", verdict, error, code(number, status), whole=True))
    return rows


VIBER_WORDS = (
    "error-address-format",
    "error-address-not-specified",
    "error-address-unknown",
    "error-content-not-specified",
    "error-subject-format",
    "error-subject-not-specified",
    "error-subject-unknown",
    "error-system",
    "error-validity-period-seconds-format",
    "not-permitted",
    "error-account-locked",
    "error-route-not-found",
)


def _viber_words() -> list[Scenario]:
    rows = []
    for word in VIBER_WORDS:
        for status, number in ((200, 1), (400, 1), (400, 8), (500, 1)):
            certain = status < 500 and word != "error-system"
            rows.append(
                Scenario(
                    f"viber {word} with {status} and code {number}",
                    Verdict.REJECTED if certain else Verdict.UNKNOWN,
                    errors.ViberRejected,
                    code(number, status, word),
                    viber=True,
                    whole=True,
                )
            )
    return rows


# A reply's bytes that break off somewhere.
_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_LENGTH = f"Content-Length: {len(IDS)}\r\n"
_CUT_PLACES = {
    "nothing": "",
    "inside the status line": "HTTP/1.1 2",
    "after the status line": "HTTP/1.1 200 OK\r\n",
    "inside the headers": _HEAD + "Content-Le",
    "after a header": _HEAD + _LENGTH,
    "between headers and body": _HEAD + _LENGTH + "\r\n",
    "inside the body": _HEAD + _LENGTH + "\r\n" + IDS[:9],
    "inside a chunk": _HEAD + "Transfer-Encoding: chunked\r\n\r\n40\r\n" + IDS,
    "before the last chunk": _HEAD + f"Transfer-Encoding: chunked\r\n\r\n{len(IDS):x}\r\n{IDS}\r\n",
    "inside a body without a length": _HEAD + "Connection: close\r\n\r\n" + IDS[:9],
    "inside an interim reply": "HTTP/1.1 100 Continue\r\n",
    "after an interim reply": "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
}
_ENDS = {"closed": close, "closed politely": goodbye, "reset": reset}

_NO_HTTP = {
    "garbage": b"\x00\xff\x17garbage\r\n\r\n" * 20,
    "another protocol's banner": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a bare body": IDS.encode(),
    "HTTP/2 frames": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),
    "a status that is no number": b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 22\r\n\r\n" + IDS.encode(),
    "a header without a colon": b"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\nContent-Length: 5\r\n\r\n" + IDS.encode(),
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + IDS.encode(),
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: twenty\r\n\r\n" + IDS.encode(),
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + IDS.encode() + b"\r\n0\r\n\r\n",
    "a negative chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
    + IDS.encode()
    + b"\r\n0\r\n\r\n",
    "a chunk longer than it says": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n"
    + IDS.encode()
    + b"\r\n0\r\n\r\n",
    "a huge chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + IDS.encode(),
    "an unknown transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: snappy\r\n\r\n" + IDS.encode(),
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
}

_BIG = "[" + ", ".join(['"579700854169272358"'] * 50_000) + "]"

_UNFIT: dict[str, str | bytes] = {
    "nothing": "",
    "white space": " \r\n",
    "null": "null",
    "a word": '"OK"',
    "true": "true",
    "a number": "579700854169272358",
    "an object": "{}",
    "an object with ids": '{"Ids": ["579700854169272358"]}',
    "an empty list": "[]",
    "a list of null": "[null]",
    "a list of an empty text": '[""]',
    "a list of a list": '[["579700854169272358"]]',
    "a list of an object": '[{"ID": "579700854169272358"}]',
    "a list of true": "[true]",
    "a list that ends early": IDS[:-1],
    "a list inside a text": '"[1, 2]"',
    "a list and more": IDS + " and more",
    "a page": HTML,
    "bytes that are no text": b"\xff\xfe\xfa\xfb",
    "a deep list": "[" * 20_000 + "]" * 20_000,
    "a code that is no number": '{"Code": "x", "Desc": "y"}',
    "a code of null": '{"Code": null, "Desc": "y"}',
    "a code of true": '{"Code": true, "Desc": "y"}',
    "a list of errors": '[{"Code": 2, "Desc": "y"}]',
}

_TLS_GARBAGE = {
    "a bad record": b"\x17\x03\x03\x00\x20" + b"\xaa" * 32,
    "no record": b"garbage that is no TLS at all" * 4,
    "a fatal alert": b"\x15\x03\x03\x00\x02\x02\x50",
}

# Ids as the service may write them, and frames as servers and proxies make them.
_FITTING = {
    "ids as numbers": reply("[579700854169272358]"),
    "a byte order mark": reply("\ufeff" + IDS),
    "two segments": reply('["579700854169272358", "579700854169272359"]'),
    "white space around": reply(f"\r\n {IDS} \r\n"),
    "no content type": framed(IDS, acts.stay, headers={"Content-Length": str(len(IDS))}),
    "201": reply(IDS, 201),
    "202": reply(IDS, 202),
    "chunks": chunked(IDS[:1], IDS[1:7], IDS[7:]),
    "chunks and trailers": chunked(IDS[:7], IDS[7:], last="0\r\nX-Sum: 1\r\n\r\n"),
    "gzip": coded(IDS, "gzip"),
    "deflate": coded(IDS, "deflate"),
    "100 before it": acts.after_interim(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 before it": acts.after_interim(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"),
    "many interim replies": acts.after_interim(*[b"HTTP/1.1 102 Processing\r\n\r\n"] * 5),
    "closed after it though it said to stay": acts.closing,
    "the end of the connection as its end": framed(IDS, goodbye, headers={"Connection": "close"}),
    "no goodbye in TLS after it": framed(IDS, close, headers={"Content-Length": str(len(IDS)), "Connection": "close"}),
    "HTTP/1.0": raw(f"HTTP/1.0 200 OK\r\nContent-Length: {len(IDS)}\r\n\r\n{IDS}", close),
    "lower-case headers": raw(f"HTTP/1.1 200 OK\r\ncontent-length:{len(IDS)}\r\n\r\n{IDS}", acts.stay),
    "no reason": raw(f"HTTP/1.1 200 \r\nContent-Length: {len(IDS)}\r\n\r\n{IDS}", acts.stay),
    "a drip within the deadline": drip(IDS.encode(), head(200, {"Content-Length": str(len(IDS))}), 0.005),
}

_REDIRECTS = (301, 302, 303, 307, 308)
_REFUSALS = (300, 304, 400, 401, 402, 403, 404, 405, 409, 410, 413, 422, 429, 431, 451, 498)
_FAILURES = (408, 425, 444, 460, 499, 500, 501, 502, 503, 504, 520, 599)

_MISSPELT = {
    "unquoted keys": '{Code: 2, Desc: "Some words"}',
    "unquoted keys and no comma": '{Code: 2 Desc: "Some words"}',
    "quoted keys and no comma": '{"Code": 2 "Desc": "Some words"}',
    "a code as text": '{"Code": "2", "Desc": "Some words"}',
    "a byte order mark": '\ufeff{"Code": 2, "Desc": "Some words"}',
    "Cyrillic words": '{"Code": 2, "Desc": "Неверный аргумент"}',
    "the keys the other way round": '{"Desc": "Some words", "Code": 2}',
}

SCENARIOS: tuple[Scenario, ...] = (
    # Never reached the gateway
    unreachable("refused", FaultServer.stop_listening),
    unreachable("connecting times out", FaultServer.jam, timeout=SHORT),
    no_way_in("handshake closed", lambda _: acts.door_closed),
    no_way_in("handshake reset", lambda _: acts.door_reset),
    no_way_in("handshake silent", lambda _: acts.door_silent, timeout=SHORT),
    no_way_in("handshake dripping", lambda _: acts.door_dripping, timeout=SHORT),
    no_way_in("plain HTTP where TLS should be", lambda _: acts.door_plaintext),
    no_way_in("untrusted certificate", lambda made: handshake_with(made.stranger), connections=1),
    no_way_in("certificate of another host", lambda made: handshake_with(made.misnamed), connections=1),
    no_way_in("outdated certificate", lambda made: handshake_with(made.outdated), connections=1),
    # Broken off before the request was read, or while it was
    door("closed before reading", acts.inside(0, close)),
    door("reset before reading", acts.inside(0, reset)),
    door("closed while the headers are read", acts.inside(16, close), partly=1),
    door("reset while the headers are read", acts.inside(16, reset), partly=1),
    *(
        Scenario(
            f"{end} while the body is read",
            Verdict.UNKNOWN,
            errors.OutcomeUnknown,
            acts.partly_read(10, how),
            received=0,
            partly=1,
        )
        for end, how in _ENDS.items()
    ),
    # Broken off in the reply
    *(
        broken(f"{end}: {place}", raw(data, how), over=("tls",) if how is goodbye else BOTH)
        for place, data in _CUT_PLACES.items()
        for end, how in _ENDS.items()
    ),
    *(
        slow(f"silent: {place}", raw(_CUT_PLACES[place], hold))
        for place in ("nothing", "inside the headers", "inside the body")
    ),
    slow("a drip of headers", drip(head(200, {"Content-Length": str(len(IDS))}) + IDS.encode())),
    slow("a drip of a body", drip(IDS.encode(), head(200, {"Content-Length": str(len(IDS))}))),
    slow("interim replies without an end", acts.endless(b"HTTP/1.1 100 Continue\r\n\r\n")),
    slow("headers without an end", acts.endless(b"X-More: headers\r\n")),
    *(unreadable(f"not HTTP: {name}", raw(data)) for name, data in _NO_HTTP.items()),
    *(broken(f"TLS: {name}", acts.beneath_tls(data), over=("tls",)) for name, data in _TLS_GARBAGE.items()),
    unreadable("bad gzip", reply(b"\x1f\x8b\x08garbage", headers={"Content-Encoding": "gzip"})),
    unreadable("cut gzip", reply(gzip.compress(IDS.encode())[:-9], headers={"Content-Encoding": "gzip"})),
    unreadable("gzip that is none", reply(IDS, headers={"Content-Encoding": "gzip"})),
    unreadable("a gzip bomb", coded(_BIG, "gzip")),
    unreadable("more than a megabyte", reply(_BIG)),
    unreadable("more than a megabyte in chunks", chunked(_BIG)),
    unreadable("more than a megabyte without a length", framed(_BIG, goodbye)),
    unreadable("a length shorter than the body", framed(IDS, headers={"Content-Length": "9"})),
    # Whole replies, without the answer
    *(unfit(f"200 and {name}", reply(body)) for name, body in _UNFIT.items()),
    unfit("204", framed("", acts.stay, status=204), BROKEN),
    unfit("a number without a length", framed("12", goodbye)),
    *(unfit(f"{status} and a page", html(status), REFUSED) for status in _FAILURES),
    unfit("503 with Retry-After", html(503, {"Retry-After": "0"}), REFUSED),
    unfit("500 without a body", reply("", 500), REFUSED),
    *(unfit(f"{status} with ids", reply(IDS, status), REFUSED) for status in (300, 302, 400, 404, 429, 499, 500)),
    *(
        unfit(f"code {number} with {status}", code(number, status), REFUSED)
        for number in (0, 200)
        for status in STATUSES
    ),
    *(unfit(f"a word for an id: {word}", reply(f'["{word}"]'), REFUSED) for word in ("error-system", "ok")),
    unfit("a code outside the table with 200", code(77, 200), REFUSED),
    unfit("999", html(999), REFUSED),
    # Refused
    *(rejected(f"{status} and a page", html(status)) for status in _REFUSALS if status != 304),
    rejected("304", framed("", acts.stay, status=304)),
    rejected("429 with Retry-After", html(429, {"Retry-After": "0"})),
    rejected("400 without a body", reply("", 400)),
    rejected("400 and half an error", reply('{"Code": 2, "De', 400)),
    *(rejected(f"{status} to elsewhere", acts.redirect(status)) for status in _REDIRECTS),
    rejected("302 to the same place", acts.redirect(302, "/rest/Sms/Send")),
    rejected("307 to the same place", acts.redirect(307, "/rest/Sms/Send")),
    *_codes(),
    rejected("a code outside the table with 400", code(77, 400), errors.GatewayError),
    *(
        rejected(f"an error with {name}, {status}", reply(body, status), errors.InvalidArgument)
        for name, body in _MISSPELT.items()
        for status in (200, 400)
    ),
    *_viber_words(),
    # Accepted
    *(accepted(f"fits: {name}", act) for name, act in _FITTING.items()),
)
"""Every fault that a test walks; names are unique."""
