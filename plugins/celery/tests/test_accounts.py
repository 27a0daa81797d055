"""Another account of Django's setting than the default one: what names it goes by it, and by no other.

Each in a fresh process, as Django's settings are made once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from devinotify.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Program = Callable[..., list[str]]

START = """
import json, sys, time
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEVINOTIFY=json.loads(sys.argv[1]),
)
import django
django.setup()
from celery import Celery
from devinotify_celery import DevinoTask, drain, get_notifier, notify, ring, send_sms, watch
app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.update(task_always_eager=True, task_eager_propagates=True)
NUMBER = "+79161234567"
default, alerts = (get_notifier(name).following().outbox for name in ("default", "alerts"))

def wait_until_due(outbox):
    while not all((row.next_poll_at or 0.0) <= outbox.now() for row in outbox):
        time.sleep(0.01)

def show():
    for outbox in (default, alerts):
        print(*(row.state for row in outbox))
"""
ENQUEUED = """
for name in ("default", "alerts"):
    for number in range(3):
        get_notifier(name).enqueue(f"{name} {number}", NUMBER)
"""
ACCEPTED = f"""
{ENQUEUED}
for name, outbox in (("default", default), ("alerts", alerts)):
    drain.delay(name)
    wait_until_due(outbox)
"""
SENT = """
@app.task(name="shop.mine", base=DevinoTask, bind=True)
def mine(self, text, to, using):
    self.notify(text, to, using=using)

for task in (notify, send_sms, mine):
    task.delay(f"by {task.name}", NUMBER, using="alerts").get()
"""
BEGUN = """
from celery.signals import task_prerun
begun = []

@task_prerun.connect
def begin(args, **about):
    begun.append(*args)
"""


@pytest.fixture
def alerts() -> Iterator[Sandbox]:
    """The gateway of the other account."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def said(gateway: Sandbox, alerts: Sandbox, tmp_path: Path) -> Program:
    """Run a program in a Django with both accounts, and return what it prints."""
    entries = {
        name: {"URL": f"{of.url}&poll=1ms", "OUTBOX": str(tmp_path / f"{name}.db")}
        for name, of in (("default", gateway), ("alerts", alerts))
    }

    def run(program: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", START + program, json.dumps(entries)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert not done.returncode, done.stderr
        return done.stdout.splitlines()

    return run


def test_a_message_leaves_by_the_account_that_is_named(said: Program, gateway: Sandbox, alerts: Sandbox) -> None:
    """By each task, and by one of one's own; the rows are in its outbox."""
    assert ["", "accepted accepted accepted"] == said(f"{SENT}\nshow()")
    assert ["by devinotify.notify", "by devinotify.send_sms", "by shop.mine"] == [m.text for m in alerts.messages()]
    assert [] == gateway.messages()


@pytest.mark.parametrize("bell", ["drain.delay", "ring"])
def test_a_bell_is_for_the_account_that_is_named(said: Program, gateway: Sandbox, alerts: Sandbox, bell: str) -> None:
    """What is queued of the other account stays so."""
    ended = said(f'{ENQUEUED}\n{bell}(using="alerts")\nshow()')
    assert ["queued queued queued", "accepted accepted accepted"] == ended
    assert (0, 3) == (len(gateway.messages()), len(alerts.messages()))


def test_deliveries_are_looked_at_for_the_account_that_is_named(
    said: Program, gateway: Sandbox, alerts: Sandbox
) -> None:
    """What is due of the other account is left to its own."""
    for each in (gateway, alerts):
        each.set_timeline("delivered", sms=[(0.0, 0)])
    ended = said(f'{ACCEPTED}\nwatch.delay(using="alerts")\nshow()')
    assert ["accepted accepted accepted", "delivered delivered delivered"] == ended


@pytest.mark.parametrize(
    ("prepared", "task", "operation"),
    [(ENQUEUED, "drain", "*"), (ACCEPTED, "watch", "Sms/State")],
    ids=["drain", "watch"],
)
def test_what_takes_long_rings_again_for_its_own_account(
    said: Program, alerts: Sandbox, prepared: str, task: str, operation: str
) -> None:
    """One slow request is enough, and the next bell is for the same account."""
    alerts.add_fault("latency", operation=operation, seconds=1.0, times=1)
    begun = said(f'{prepared}\n{task}.longest = 0.1\n{BEGUN}\n{task}.delay("alerts")\nprint(*begun)')[0].split()
    assert 2 <= len(begun)
    assert {"alerts"} == set(begun)
