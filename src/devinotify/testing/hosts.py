"""What whoever embeds devinotify holds its host to: a base class of tests, run against a sandbox.

>>> from devinotify.testing import HostSuite, Told
>>> class TestMyFramework(HostSuite):
...     def send(self, url, text, to):
...         return Told(sent=my_framework.send(url, text, to))

A subclass says how its host sends and what the host is told; the tests are inherited. Each of them is one thing that
goes wrong in the field. Failures show numbers and texts: that is what they are for.
"""

from __future__ import annotations

import json
import logging
import os
import re
import select
import signal
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote_plus

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from devinotify.sandbox import Sandbox

PASSWORD = "pass-w0rd-of-the-suite"  # noqa: S105 - of a gateway that lives as long as a test
GOOD = ("+79161234567", "+79031234568")
"""Numbers that a message can be sent to."""
BAD = "12345"
"""What no message can be sent to."""
AGAIN = 3
"""How often the suite does what a host does that sends again by itself."""
PATIENCE = 30.0
"""Seconds that anything may take on a slow machine before it is given up."""
THREADS = 4
EACH = 3
_SENDS = re.compile(r"(Sms|Viber)/Send")
_BAD = re.compile(rf"(?<!\d){BAD}(?!\d)")
_NUMBERS = tuple(re.compile(r"\W{0,3}".join(number[-10:])) for number in GOOD)
"""The numbers as a line may have them, with whatever people put between digits."""
PART = 10
"""So many characters in a row are a part of a text that a log must not show."""
_BYTES = re.compile(r"(?:\\+x[0-9a-fA-F]{2})+")
_CHARACTER = re.compile(r"\\+u([0-9a-fA-F]{4})")
_MAYBE_SESSION = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{36}(?![A-Za-z0-9])")

_number = count(1)


@dataclass(frozen=True, slots=True)
class Told:
    """What a host is told of one send.

    ``sent``: whether it counts the message as sent to everybody; ``None`` where it is told nothing, as whoever logs a
    line. ``again``: whether it sends the same message once more for what it was told: the suite then does so, beside
    what ``send`` repeats by itself.
    """

    sent: bool | None
    again: bool = False


class _Records(logging.Handler):
    """Keeps every line that is logged, as a file would have it, except those that are the host's own."""

    def __init__(self, own: Sequence[str]) -> None:
        super().__init__(0)
        self._own = tuple(own)
        self._formatter = logging.Formatter("%(name)s: %(message)s")
        self.lines: list[str] = []
        self.warned = False

    def emit(self, record: logging.LogRecord) -> None:
        # The sandbox is in this process, and no part of the host.
        if record.name.startswith(self._own or "\n") or record.threadName == "devinotify-sandbox":
            return
        self.lines.append(self._formatter.format(record))
        self.warned |= record.levelno >= logging.WARNING

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep inside the block what is logged, by loggers that do not propagate as well, at whatever level."""
        root, calls = logging.getLogger(), logging.Logger.callHandlers
        level = root.level

        def call(logger: logging.Logger, record: logging.LogRecord) -> None:
            if _is_written(logger, record):
                self.handle(record)
            calls(logger, record)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(logging.Logger, "callHandlers", call)
            root.setLevel(logging.DEBUG)
            try:
                yield
            finally:
                root.setLevel(level)


def _is_written(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Whether a record comes to the root logger, whose handlers are the user's, or to a handler before that."""
    found: logging.Logger | None = logger
    while found is not None:
        if found.parent is None or any(record.levelno >= each.level for each in found.handlers):
            return True
        found = found.parent if found.propagate else None
    return False


class HostSuite:
    """The tests of a host that embeds devinotify; a subclass says by ``send`` how the host sends.

    ``own_loggers`` are the first parts of the names of loggers whose lines are the user's and not the host's.
    """

    own_loggers: ClassVar[Sequence[str]] = ()

    gateway: Sandbox
    """The sandbox of the test that runs."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send in the host's own way by the account of ``url``, and return, when it is over, what the host is told.

        Where the host takes its work from a queue, have it worked off here; where it raises, say what that means.
        The text may stand among other words in what arrives.
        """
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _host(self, _devino_host_gateway: Sandbox, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
        """Give each test a gateway as if it had just been started, and look through all that was logged in it."""
        self.gateway = _devino_host_gateway
        self.gateway.reset()
        self._gateways = [self.gateway]
        self._texts: list[str] = []
        self._records = _Records(self.own_loggers)
        with self._records.kept():
            yield
        printed = capfd.readouterr()
        assert self._leaks([*self._records.lines, *printed.out.splitlines(), *printed.err.splitlines()]) == []

    # --- what every host is held to

    def test_accepted(self) -> None:
        """What the gateway takes arrives once, with its whole text, and the host may count it as sent."""
        text = self._text()
        told = self.send(self.gateway.url, text, GOOD[:1])
        assert [(GOOD[0], 1)] == self._arrived(text)
        assert told.sent is not False
        assert not told.again

    def test_bad_number_among_good_ones(self) -> None:
        """A number that is none costs the others nothing; the host is told of it, or warns in its log."""
        text = self._text()
        told = self.send(self.gateway.url, text, [GOOD[0], BAD, GOOD[1]])
        assert told.sent is not True or self._records.warned
        assert not told.again
        assert sorted((number, 1) for number in GOOD) == self._arrived(text)

    def test_refused(self) -> None:
        """What the gateway refuses is told as a failure."""
        self.gateway.add_fault("error", number=GOOD[0], code=2)
        text = self._text()
        told = self.send(self.gateway.url, text, GOOD[:1])
        assert told.sent is not True
        assert [] == self._arrived(text)

    def test_opted_out(self, tmp_path: Path) -> None:
        """Whom a plugin refuses, as one who has opted out, gets nothing; the others do, and the host is told or warns.

        Of one who is alone it is told as a failure; whatever it repeats then, nothing is sent.
        """
        from devinotify.sandbox import Sandbox
        from devinotify.testing.screening import refusing

        out, other = GOOD  # the first is whom `_insist` sends to
        some, alone = self._text(), self._text()
        # An account of its own: what the host keeps of one that it knows has the plugins of then.
        with (
            refusing(out, tmp_path) as noted,
            Sandbox(login="screened", password=PASSWORD) as gateway,
        ):
            self._gateways.append(gateway)
            told = self.send(gateway.url, some, [out, other])
            assert told.sent is not True or self._records.warned
            assert not told.again
            assert [{(out, "not_sent", "Suppressed"), (other, "accepted", "NoneType")}] == [set(noted())]
            assert self._insist(gateway.url, alone).sent is not True
            assert (out, "not_sent", "Suppressed") == noted()[-1]
            assert [other] == [message.recipient for message in gateway.messages()]

    @pytest.mark.parametrize("accepts", [True, False], ids=["taken", "not taken"])
    def test_answer_lost(self, *, accepts: bool) -> None:
        """A send whose answer is lost is made once, whatever the host repeats, and the host is told not to.

        Of a host that never tells ``again`` this shows what ``send`` does by itself.
        """
        self.gateway.add_fault("drop", number=GOOD[0], accepts=accepts)
        told = self._insist(self.gateway.url, self._text())
        assert self._posts() == 1
        assert not told.again

    def test_answer_too_late(self) -> None:
        """A gateway that takes the message but is slower than the time-out has had it once."""
        self.gateway.add_fault("latency", number=GOOD[0], seconds=3.0, times=1)
        text = self._text()
        told = self._insist(f"{self.gateway.url}&timeout=1", text)
        # A request is in the gateway's log when it is over: a repeated one is there before the slow one.
        assert self.gateway.wait(lambda: any(each.fault for each in self.gateway.requests()), PATIENCE)
        assert self._posts() == 1
        assert [(GOOD[0], 1)] == self._arrived(text)
        assert not told.again

    def test_slow_gateway(self) -> None:
        """A gateway that takes its time is waited for."""
        self.gateway.add_fault("latency", seconds=0.5)
        text = self._text()
        told = self.send(self.gateway.url, text, GOOD[:1])
        assert [(GOOD[0], 1)] == self._arrived(text)
        assert told.sent is not False

    def test_not_sent_then_sent(self) -> None:
        """What never left is sent again by a host that sends again, and arrives once."""
        text = self._text()
        told, back = self._out_of_reach(text)
        if not told.again:
            pytest.skip("the host sends nothing again for what it is told: no `again`, not even of what never left")
        with back:
            assert self.send(back.url, text, GOOD[:1]).sent is not False
            arrived = [message.recipient for message in back.messages() if text in message.text]
        assert [GOOD[0]] == arrived

    def test_gateway_is_back(self) -> None:
        """What never left is told as a failure; when the gateway is there again, the next message reaches it once."""
        first, second = self._text(), self._text()
        told, back = self._out_of_reach(first)
        assert told.sent is not True
        with back:
            self.send(back.url, second, GOOD[:1])
            arrived = Counter(text for text in (first, second) for m in back.messages() if text in m.text)
        assert arrived[second] == 1
        assert arrived[first] <= 1  # a queue of the host's own may have sent it in the meantime

    def test_two_accounts(self) -> None:
        """Two accounts in one process keep apart, in turns too; what is stored in an outbox is its own account's."""
        from devinotify.sandbox import Sandbox
        from devinotify.testing.storing import accounts_stored
        from devinotify.url import parse

        with Sandbox(login="other", password=PASSWORD) as other, accounts_stored() as stored:
            self._gateways.append(other)
            texts = [self._text() for _ in range(4)]
            for gateway, text in zip([self.gateway, other] * 2, texts, strict=True):
                stored.clear()
                assert self.send(gateway.url, text, GOOD[:1]).sent is not False
                assert {parse(gateway.url).account} >= set(stored)
            elsewhere = [sum(text in message.text for message in other.messages()) for text in texts]
        assert elsewhere == [0, 1, 0, 1]
        assert [len(self._arrived(text)) for text in texts] == [1, 0, 1, 0]

    def test_threads(self) -> None:
        """Threads that send at the same time lose nothing and repeat nothing."""
        texts = [[self._text() for _ in range(EACH)] for _ in range(THREADS)]

        def work(mine: list[str]) -> list[Told]:
            return [self.send(self.gateway.url, text, GOOD[:1]) for text in mine]

        with ThreadPoolExecutor(THREADS) as pool:
            told = [each for some in pool.map(work, texts, timeout=PATIENCE * 2) for each in some]
        assert [each for each in told if each.sent is False] == []
        assert [] == [text for mine in texts for text in mine if self._arrived(text) != [(GOOD[0], 1)]]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
    def test_fork(self) -> None:
        """A process that was forked off after a send sends by itself, and so does its parent afterwards."""
        before, inside, after = self._text(), self._text(), self._text()
        assert self.send(self.gateway.url, before, GOOD[:1]).sent is not False
        child = self._forked(inside)
        assert self.send(self.gateway.url, after, GOOD[:1]).sent is not False
        assert child == {"sent": True, "leaks": []}
        assert [[(GOOD[0], 1)]] * 3 == [self._arrived(text) for text in (before, inside, after)]

    # --- how it is found out

    def _text(self) -> str:
        """Return a text that no other test sends; the numbers make it one that a log must not show."""
        text = f"Ваш код {next(_number):04d}: Zx{os.getpid()}q"
        self._texts.append(text)
        return text

    def _insist(self, url: str, text: str) -> Told:
        """Send, do again what a host does that sends again for what it is told, and return what it was told first."""
        told = first = self.send(url, text, GOOD[:1])
        for _ in range(AGAIN):
            if not told.again:
                break
            told = self.send(url, text, GOOD[:1])
        return first

    def _arrived(self, text: str) -> list[tuple[str, int]]:
        """Return to whom a text arrived, and how often, in order of numbers."""
        return sorted(Counter(each.recipient for each in self.gateway.messages() if text in each.text).items())

    def _posts(self) -> int:
        """Return how many requests to send reached the gateway."""
        requests = self.gateway.requests()
        return sum(each.method == "POST" and bool(_SENDS.match(each.operation or "")) for each in requests)

    def _out_of_reach(self, text: str) -> tuple[Told, Sandbox]:
        """Send where nothing listens; return what the host is told, and the gateway that is to listen there."""
        from devinotify.sandbox import Sandbox

        with Sandbox(login="host", password=PASSWORD) as gone:
            url, port = gone.url, gone.port
        told = self.send(url, text, GOOD[:1])
        back = Sandbox(login="host", password=PASSWORD, port=port)
        self._gateways.append(back)
        return told, back

    def _leaks(self, lines: Sequence[str]) -> list[str]:
        """Return the lines that show a number, a bad one too, a part of a text, the password or the id of a session."""
        parts = {text[start : start + PART] for text in self._texts for start in range(len(text) - PART + 1)}
        shown = (PASSWORD, *parts)
        return [
            line
            for line in lines
            if any(
                any(each in reading for each in shown) or any(number.search(reading) for number in (_BAD, *_NUMBERS))
                for reading in _readings(line)
            )
            or any(map(self._is_session, _runs(line)))
        ]

    def _is_session(self, run: str) -> bool:
        """Return whether one of the test's gateways has given out this id; it keeps their digests alone."""
        from devinotify.sandbox.account import SessionCheck

        accounts = [each._emulator.account for each in self._gateways]
        return any(account.check(run, 0) is not SessionCheck.UNKNOWN for account in accounts)

    def _forked(self, text: str) -> dict[str, object]:
        """Send in a forked process, and return what it says of it."""
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # The sandbox has threads in this process; what the child needs is none of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            answer: dict[str, object] = {"sent": False, "leaks": ["the child broke off"], "runs": []}
            try:
                self._records.lines.clear()
                told = self.send(self.gateway.url, text, GOOD[:1])
                lines = self._records.lines
                # What a session is the parent knows: the gateway of this process is as it was at the fork.
                answer = {"sent": told.sent is not False, "leaks": self._leaks(lines), "runs": _runs("\n".join(lines))}
            finally:
                os.write(writing, json.dumps(answer).encode())
                # Nothing of the parent's is to be ended here: not its tests, its files or its gateway.
                os._exit(0)
        os.close(writing)
        try:
            found, _, _ = select.select([reading], [], [], PATIENCE)
            if not found:
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            said = os.read(reading, 65536)
        finally:
            os.close(reading)
        assert said, f"the forked process did not end within {PATIENCE:g} s"
        result: dict[str, Any] = json.loads(said)
        result["leaks"] += filter(self._is_session, result.pop("runs"))
        return result


def _readings(line: str) -> Iterator[str]:
    """Yield a line as it is, and with what is escaped in it as it reads: by ``ascii`` or JSON, in bytes, in a URL."""
    yield line
    if "\\" in line:
        read = _CHARACTER.sub(lambda found: chr(int(found[1], 16)), line)
        yield _BYTES.sub(lambda found: bytes.fromhex(re.sub(r"\\+x", "", found[0])).decode("utf-8", "replace"), read)
    if "%" in line:
        yield unquote_plus(line)


def _runs(line: str) -> list[str]:
    """Return what is as long as the id of a session."""
    return _MAYBE_SESSION.findall(line)
