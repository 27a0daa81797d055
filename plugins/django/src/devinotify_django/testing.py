"""For the tests of your own project: nothing leaves, and ``sms_outbox`` holds what would have left.

As ``django.core.mail.outbox`` is: set up by the test runner (``TEST_RUNNER = "devinotify_django.testing.SmsRunner"``)
and empty when a test begins, or by ``SmsTestMixin`` in a test case, or by the fixture ``sms_outbox`` in pytest. Limits
of one-time codes do not count.
"""

from __future__ import annotations

import re
import unittest
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from devinotify import Enqueued, Message, Outcome, Receipt, Verdict, hookimpl, phones
from devinotify import text as texts
from django.test.runner import DiscoverRunner, ParallelTestSuite, RemoteTestResult, RemoteTestRunner

from devinotify_django import notifiers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinotify import Channel, DevinotifyError, Notifier

    Text = str | re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class SentSms:
    """One message to one recipient, as it would have left; ``queued``: it would have been stored for a worker."""

    to: str
    text: str
    using: str
    sender: str
    channel: str
    validity: int | None
    queued: bool = False

    @property
    def segments(self) -> int:
        """In how many segments it would have gone out."""
        return texts.count_segments(self.text)


sms_outbox: list[SentSms] = []
"""What would have left, in order: the same list for ever, emptied by runner, mixin and fixture before each test."""


class _Plugin:
    """Answers in the gateway's place for one alias."""

    def __init__(self, using: str) -> None:
        self._using = using

    @hookimpl(tryfirst=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome]:
        """Say that everything was accepted."""
        outcomes = []
        for to in message.recipients:
            sms_outbox.append(
                SentSms(to, message.text, self._using, message.sender or "", message.channel, message.validity)
            )
            receipt = Receipt(to, (f"test-{len(sms_outbox)}",), segments=texts.count_segments(message.text))
            outcomes.append(Outcome(to, Verdict.ACCEPTED, channel.name, receipt=receipt))
        return outcomes


class _Recorder:
    """Takes what would be sent or stored."""

    def plugin(self, using: str) -> object:
        """Return what answers for an alias."""
        return _Plugin(using)

    def enqueue(self, notifier: Notifier, using: str, text: str, to: Any, options: Mapping[str, Any]) -> Enqueued:  # noqa: ANN401 - as notify takes it
        """Note what would be stored for a worker."""
        url, title = notifier.url, options.get("title")
        written = f"{title}\n{text}" if title else text
        channel = options.get("channel") or url.channel
        rows: dict[str, int] = {}
        refused: dict[str, DevinotifyError] = {}
        for recipient, error in notifier.resolve(to).items():
            if error is None:
                sms_outbox.append(
                    SentSms(recipient, written, using, url.sender or "", channel, url.validity, queued=True)
                )
                rows[recipient] = len(sms_outbox)
            else:
                refused[recipient] = error
        return Enqueued(rows, refused)


def setup_test_environment() -> None:
    """Let nothing leave from now on; ``sms_outbox`` begins empty."""
    notifiers.shared.close()
    notifiers.recorder = _Recorder()
    sms_outbox.clear()


def teardown_test_environment() -> None:
    """Let messages leave again."""
    notifiers.shared.close()
    notifiers.recorder = None
    sms_outbox.clear()


@contextmanager
def captured() -> Iterator[list[SentSms]]:
    """Give ``sms_outbox``, empty at first, and let nothing leave inside the block."""
    before = notifiers.recorder
    if before is None:
        setup_test_environment()
    sms_outbox.clear()
    try:
        yield sms_outbox
    finally:
        sms_outbox.clear()
        if before is None:
            teardown_test_environment()


def _start_worker(*given: Any, **named: Any) -> None:  # noqa: ANN401 - Django's own
    """Start a process of ``--parallel``: one that is not forked off has nothing of ours yet."""
    ParallelTestSuite.init_worker(*given, **named)
    if notifiers.recorder is None:
        setup_test_environment()


class _Empties:
    """Before the other bases of a result: each test begins with an empty ``sms_outbox``, whatever its class is."""

    def startTest(self, test: Any) -> None:  # noqa: ANN401, N802 - unittest's own
        """Forget what was sent by the test before, or while its class was set up, as Django does with mail."""
        sms_outbox.clear()
        super().startTest(test)  # type: ignore[misc]


class _RemoteResult(_Empties, RemoteTestResult):
    """The result of a test in a process of ``--parallel``."""


class _RemoteRunner(RemoteTestRunner):
    """What runs the tests of such a process."""

    resultclass = _RemoteResult


class _Parallel(ParallelTestSuite):
    """Django's tests in several processes, none of which lets an SMS leave."""

    init_worker = _start_worker
    runner_class = _RemoteRunner


class SmsRunner(DiscoverRunner):
    """Django's test runner, which lets no SMS leave, from the processes of ``--parallel`` either.

    Each test begins with an empty ``sms_outbox``.
    """

    parallel_test_suite: ClassVar[type[ParallelTestSuite]] = _Parallel

    def get_resultclass(self) -> Any:  # noqa: ANN401 - Django brings no types
        """Return Django's class of results, for ``--pdb`` or ``--debug-sql``, or unittest's, which empties the list."""
        chosen = super().get_resultclass() or unittest.TextTestResult
        return type(chosen.__name__, (_Empties, chosen), {})

    def setup_test_environment(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Set up Django's test environment, and ours."""
        super().setup_test_environment(**options)
        setup_test_environment()

    def teardown_test_environment(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Tear both down."""
        teardown_test_environment()
        super().teardown_test_environment(**options)


class SmsTestMixin:
    """Assertions for a test case, whose every test begins with an empty ``sms_outbox``."""

    def setUp(self) -> None:
        """Let nothing leave while the test runs."""
        super().setUp()  # type: ignore[misc]
        self.sms_outbox: list[SentSms] = self.enterContext(captured())  # type: ignore[attr-defined]

    def assertSmsSent(  # noqa: N802 - as unittest names them
        self, *, to: str | None = None, text: Text = None, segments: int | None = None, count: int | None = None
    ) -> SentSms:
        """Pass where a message that fits was sent (``count``: exactly so many were), and return the first of them."""
        if count is not None and count < 1:
            raise ValueError("count is at least 1: assertNoSmsSent is for none")
        found = matching(to=to, text=text, segments=segments)
        if found and count in (None, len(found)):
            return found[0]
        wanted = "a message" if count is None else f"{count} of them"
        asked = _asked(to=to, text=text, segments=segments)
        raise AssertionError(
            f"expected {wanted} that fits, but {len(found)} of {len(sms_outbox)} do: {_listed()}{asked}"
        )

    def assertNoSmsSent(self, *, to: str | None = None, text: Text = None) -> None:  # noqa: N802 - as unittest names them
        """Pass where no message was sent, or none that fits."""
        if found := matching(to=to, text=text):
            asked = _asked(to=to, text=text)
            raise AssertionError(f"expected no message that fits, but {len(found)} do: {_listed()}{asked}")


def matching(*, to: str | None = None, text: Text = None, segments: int | None = None) -> list[SentSms]:
    """Return the messages of ``sms_outbox`` that fit: a number in any form, a whole text or a pattern, segments."""
    number = None if to is None else phones.normalize(to, "RU").e164
    return [
        each
        for each in sms_outbox
        if number in (None, each.to) and _fits(text, each.text) and segments in (None, each.segments)
    ]


def _fits(wanted: Text, text: str) -> bool:
    if isinstance(wanted, re.Pattern):
        return wanted.search(text) is not None
    return wanted in (None, text)


def _listed() -> str:
    return "".join(f"\n  {each.to}, {each.segments} segments: {each.text!r}" for each in sms_outbox) or "none"


def _asked(**wanted: object) -> str:
    """Return what was asked of a message, as a line of its own; nothing where any would have done."""
    shown = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
    return f"\nasked for: {shown}" if shown else ""
