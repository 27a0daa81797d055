"""``devinotify_django.testing``: nothing leaves, and what would have left is there."""

from __future__ import annotations

import re
import unittest
from typing import TYPE_CHECKING

import pytest
from django.test import SimpleTestCase

from devinotify_django import enqueue_sms, notifiers, send_code, send_sms, testing
from tests.project import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

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
    assert (2, True, []) == (result.testsRun, result.wasSuccessful(), gateway.messages())
    assert notifiers.recorder is None
    send_sms("somewhere", NUMBER)
    assert ["somewhere"] == [each.text for each in gateway.messages()]
