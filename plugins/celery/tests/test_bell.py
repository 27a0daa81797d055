"""The bell: rung now or on commit, and never an error where the broker is away."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from celery.signals import task_prerun

from devinotify_celery import BEAT_SCHEDULE, get_notifier, ring
from tests.brokers import free_port
from tests.conftest import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox


def test_it_is_rung_at_once(app: Any, gateway: Sandbox) -> None:
    """What was enqueued goes out."""
    get_notifier(app=app).enqueue("Hello", NUMBER)
    ring()
    assert ["Hello"] == [each.text for each in gateway.messages()]


def test_a_broker_that_is_away_is_no_error(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged: the next bell rings for this one's messages too."""
    away = Celery("away", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=True)
    try:
        ring()
    finally:
        away.close()
        app.set_current()
    assert ["the next bell does" in record.getMessage() for record in caplog.records if record.name.startswith("devi")]
    assert logging.WARNING in {record.levelno for record in caplog.records}


def test_beat_rings_for_tasks_that_there_are(app: Any) -> None:
    """The schedule names our tasks, and can be put into the settings."""
    app.conf.beat_schedule = {**BEAT_SCHEDULE}
    assert {"devinotify.drain", "devinotify.watch"} == {entry["task"] for entry in BEAT_SCHEDULE.values()}
    assert all(entry["task"] in app.tasks for entry in BEAT_SCHEDULE.values())


@pytest.fixture
def bells(gateway: Sandbox) -> Iterator[list[int]]:
    """How many messages had been sent as each task began."""
    sent: list[int] = []

    def begin(**about: Any) -> None:
        sent.append(len(gateway.messages()))

    task_prerun.connect(begin)
    yield sent
    task_prerun.disconnect(begin)


def test_what_takes_long_ends_and_rings_again(app: Any, gateway: Sandbox, bells: list[int]) -> None:
    """So that a worker that is told to go waits for no long queue; all is sent in the end."""
    app.tasks["devinotify.drain"].longest = 0.1
    gateway.add_fault("latency", number=NUMBER, seconds=0.4)
    notifier = get_notifier(app=app)
    for number in range(5):  # more than a worker has connections: one bell would be at it for twice as long at least
        notifier.enqueue(f"Hello {number}", NUMBER)
    ring()
    assert 5 == len(gateway.messages())
    assert [sent for sent in bells if 0 < sent < 5], "the first bell ended with the last message"


DJANGO = """
import sys
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEVINOTIFY={"default": {"URL": sys.argv[1], "OUTBOX": sys.argv[2]}},
)
import django
django.setup()
from django.db import transaction
from celery import Celery
from devinotify_celery import get_notifier, ring
app = Celery("shop", broker="memory://")
app.conf.task_always_eager = True
outbox = get_notifier().following().outbox
with transaction.atomic():
    get_notifier().enqueue("Hello", "+79161234567")
    ring()
    print([str(row.state) for row in outbox])
print([str(row.state) for row in outbox])
get_notifier().enqueue("Hello again", "+79161234567")
with transaction.atomic():
    ring()
    transaction.set_rollback(True)
print([str(row.state) for row in outbox])
"""


def test_in_django_it_is_rung_on_commit(gateway: Sandbox, tmp_path: Any) -> None:
    """A bell before it would find nothing, and none is rung for a transaction that is rolled back."""
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, gateway.url, str(tmp_path / "sms.db")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ["['queued']", "['accepted']", "['accepted', 'queued']"] == done.stdout.splitlines(), done.stderr
