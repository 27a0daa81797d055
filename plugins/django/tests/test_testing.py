"""``devinotify_django.testing``: nothing leaves, and what would have left is there."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest
from typing import TYPE_CHECKING

import pytest
from django.test import SimpleTestCase, TestCase

from devinotify_django import enqueue_sms, notifiers, send_code, send_sms, testing
from tests.project import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _configured(configure: Callable[..., None]) -> None:
    """Have a gateway that nothing must reach."""


def test_fixture(gateway: Sandbox, sms_outbox: list[testing.SentSms]) -> None:
    """The fixture holds what was sent and what was enqueued, and the gateway has heard of none of it."""
    (outcome,) = send_sms("Привет", NUMBER)
    enqueued = enqueue_sms("Hello", [NUMBER, "12"], title="Shop")
    assert [(NUMBER, "Привет", 1, False), (NUMBER, "Shop\nHello", 1, True)] == [
        (each.to, each.text, each.segments, each.queued) for each in sms_outbox
    ]
    assert ("accepted", {NUMBER: 2}, ["12"]) == (outcome.verdict, enqueued.rows, list(enqueued.refused))
    assert [] == gateway.requests()


def test_codes_are_not_counted(sms_outbox: list[testing.SentSms]) -> None:
    """Tests may ask for as many codes as they like."""
    for _ in range(10):
        send_code("4821", NUMBER)
    assert ["4821"] * 10 == [each.text for each in sms_outbox]


def test_begins_empty(sms_outbox: list[testing.SentSms]) -> None:
    """What another test has sent is not there."""
    assert [] == sms_outbox


class Case(testing.SmsTestMixin, SimpleTestCase):
    """A test case as a project has them."""

    def test_passes(self) -> None:
        """What was sent is found by number, text, pattern and segments."""
        self.assertNoSmsSent()
        send_sms("See you at 9", NUMBER)
        sent = self.assertSmsSent(to="8 916 123-45-67", text=re.compile("at 9"), segments=1, count=1)
        assert [sent] == self.sms_outbox
        self.assertNoSmsSent(text="See you")

    def test_fails(self) -> None:
        """What was not sent is told with what was."""
        send_sms("See you at 9", NUMBER)
        with pytest.raises(AssertionError, match=r"expected a message that fits, but 0 of 1 do: \n  \+7916"):
            self.assertSmsSent(text="See you at 10")
        with pytest.raises(AssertionError, match="expected 2 of them"):
            self.assertSmsSent(count=2)
        with pytest.raises(AssertionError, match="expected no message that fits, but 1 do"):
            self.assertNoSmsSent(to=NUMBER)

    def test_says_what_was_asked(self) -> None:
        """A failure names what was sent and what was asked for."""
        send_sms("See you at 9", NUMBER)
        sent = f"\n  {NUMBER}, 1 segments: 'See you at 9'"
        for asked, named in (
            ({"text": "See you"}, "text='See you'"),
            ({"to": "8 916 123-45-68", "segments": 2}, "to='8 916 123-45-68', segments=2"),
            ({"text": re.compile("at 1[0-9]")}, "text=re.compile('at 1[0-9]')"),
        ):
            with pytest.raises(AssertionError) as raised:
                self.assertSmsSent(**asked)
            expected = f"expected a message that fits, but 0 of 1 do: {sent}\nasked for: {named}"
            assert expected == str(raised.value)
        with pytest.raises(AssertionError, match=r"\nasked for: to='\+7916"):
            self.assertNoSmsSent(to=NUMBER)

    def test_says_that_nothing_was_sent(self) -> None:
        """Where nothing was sent, a failure says none."""
        with pytest.raises(AssertionError) as raised:
            self.assertSmsSent()
        assert "expected a message that fits, but 0 of 0 do: none" == str(raised.value)

    def test_count_of_none(self) -> None:
        """None is asked for by another assertion."""
        with pytest.raises(ValueError, match="assertNoSmsSent"):
            self.assertSmsSent(count=0)


@pytest.mark.usefixtures("_tables")
class InTransaction(testing.SmsTestMixin, TestCase):
    """A test case whose transaction is rolled back."""

    def test_enqueued(self) -> None:
        """What is stored on commit is there once the callbacks have run, and not before."""
        with self.captureOnCommitCallbacks(execute=True):
            enqueue_sms("Thank you", NUMBER)
            self.assertNoSmsSent()
        assert self.assertSmsSent(text="Thank you", count=1).queued


def test_runner(gateway: Sandbox) -> None:
    """Django's runner lets nothing leave while its tests run, and all of it afterwards."""
    runner = testing.SmsRunner(verbosity=0, interactive=False)
    # The environment of Django itself is set up by whoever runs this test, and cannot be twice.
    testing.setup_test_environment()
    try:
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(Case)
        result = runner.run_suite(suite)
        send_sms("nowhere", NUMBER)
    finally:
        testing.teardown_test_environment()
    assert (5, True, []) == (result.testsRun, result.wasSuccessful(), gateway.messages())
    assert notifiers.recorder is None
    send_sms("somewhere", NUMBER)
    assert ["somewhere"] == [each.text for each in gateway.messages()]


MANAGE = """
import multiprocessing, sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["devinotify_django"],
    DEVINOTIFY={{"default": {{"URL": {url!r}}}}},
    TEST_RUNNER="devinotify_django.testing.SmsRunner",
)
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    multiprocessing.set_start_method({method!r})
    execute_from_command_line(["manage.py", "test", "reminders", *sys.argv[1:]])
"""
TESTS = """
from devinotify_django import enqueue_sms, send_sms
from devinotify_django.testing import SmsTestMixin, sms_outbox
from django.test import SimpleTestCase
from unittest import TestCase

class Sends:
    def test_one(self):
        self.assertNoSmsSent()
        send_sms("One", "+79161234567")
        self.assertSmsSent(text="One", count=1)

    def test_two(self):
        self.assertNoSmsSent()
        enqueue_sms("Two", "+79161234567")
        self.assertSmsSent(text="Two", count=1)

class Morning(Sends, SmsTestMixin, SimpleTestCase): pass
class Evening(Sends, SmsTestMixin, SimpleTestCase): pass

class SendsPlainly:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        send_sms("Zero", "+79161234567")

    def test_three(self):
        send_sms("Three", "+79161234567")
        self.assertEqual(["Three"], [each.text for each in sms_outbox])

    def test_four(self):
        enqueue_sms("Four", "+79161234567")
        self.assertEqual(["Four"], [each.text for each in sms_outbox])

class Plain(SendsPlainly, SimpleTestCase): pass
class NotOfDjango(SendsPlainly, TestCase): pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="does not fork")
@pytest.mark.parametrize(
    ("method", "options"),
    [("fork", []), ("fork", ["--parallel=2"]), ("spawn", ["--parallel=2"]), ("fork", ["--pdb"])],
    ids=str,
)
def test_in_a_project(gateway: Sandbox, tmp_path: Path, method: str, options: list[str]) -> None:
    """``manage.py test`` sets it up, empties it before each test, and lets nothing leave from any of its processes."""
    (tmp_path / "manage.py").write_text(MANAGE.format(url=gateway.url, method=method), "utf-8")
    (tmp_path / "reminders.py").write_text(TESTS, "utf-8")
    done = subprocess.run(
        [sys.executable, "manage.py", *options], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert 0 == done.returncode, done.stderr
    assert "Ran 8 tests" in done.stderr
    assert [] == gateway.requests()
