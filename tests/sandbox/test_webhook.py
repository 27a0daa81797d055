"""What arrives, posted elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time

import pytest

from devinotify import Client
from devinotify.exceptions import NotEnoughCredits
from devinotify.retry import Backoff
from devinotify.sandbox import Sandbox
from devinotify.sandbox.webhook import Posted, Webhook
from tests.desk import Desk
from tests.tables import table
from tests.waiting import LONGEST

NUMBER = "79161234567"
AT_ONCE = Backoff(0.0, tries=2)


def settled(webhook: Webhook, expected: Posted) -> bool:
    """Return whether the counts are these in time."""
    deadline = time.monotonic() + LONGEST
    while webhook.counts != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return webhook.counts == expected


def test_what_arrives_is_posted_signed() -> None:
    """As the command posts replies: whoever has the secret can tell that it is ours."""
    with Desk([]) as desk, Sandbox(post=desk.url, post_secret="s3cret") as sandbox, Client(sandbox.url) as client:
        client.sms.send(NUMBER, "Привет")
        assert desk.wait(1)
        (headers, body), message = desk.posts[0], sandbox.messages()[0]
    stamp = headers["X-Devinotify-Timestamp"]
    signature = hmac.new(b"s3cret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert f"sha256={signature}" == headers["X-Devinotify-Signature"]
    told = json.loads(body)
    assert ("arrived", 1, "Привет", f"+{NUMBER}", "queued", list(message.message_ids)) == (
        told["event"],
        *(told["message"][name] for name in ("number", "text", "recipient", "status", "message_ids")),
    )


def test_a_refused_send_is_not_posted() -> None:
    """It did not arrive."""
    with Desk([]) as desk, Sandbox(post=desk.url, post_secret="s") as sandbox, Client(sandbox.url) as client:
        with pytest.raises(NotEnoughCredits):
            client.sms.send("79000000005", "refused")
        client.sms.send(NUMBER, "arrived")
        assert desk.wait(1)
        assert ["arrived"] == [json.loads(body)["message"]["text"] for _, body in desk.posts]


def test_it_is_tried_again_and_then_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """Three times here; what is lost is counted and logged, without the text and the address's secrets."""
    with Desk([500, 503, 204, 500, 500, 500]) as desk, Sandbox() as sandbox, Client(sandbox.url) as client:
        webhook = Webhook(desk.url, "s", retries=AT_ONCE)
        client.sms.send(NUMBER, "a text")
        client.sms.send(NUMBER, "another")
        webhook.start()
        with caplog.at_level(logging.WARNING, "devinotify.sandbox.webhook"):
            for message in sandbox.messages():
                webhook.arrived(message)
            assert settled(webhook, Posted(1, 1, 0))
        webhook.stop()
        assert 6 == len(desk.posts)
    assert ["Messages that could not be posted to 127.0.0.1: 1"] == [record.getMessage() for record in caplog.records]


def test_what_is_being_tried_waits() -> None:
    """It is neither posted nor given up yet; the control API tells, and a change is told when that is known."""
    with Desk([500]) as desk, Sandbox(post=desk.url, post_secret="s") as sandbox, Client(sandbox.url) as client:
        client.sms.send(NUMBER, "one")
        assert desk.wait(1)
        assert {"posted": 0, "lost": 0, "waiting": 1} == sandbox._ask("GET", "/statistics")["posted"]
        assert sandbox.wait(lambda: sandbox.posted == Posted(1, 0, 0), 30)
        with Sandbox() as other:
            assert other._ask("GET", "/statistics")["posted"] is None


def test_a_send_never_waits_for_it() -> None:
    """A receiver that takes its time, and a queue that is full, cost the sender nothing; what was lost is counted."""
    with Sandbox() as sandbox, Client(sandbox.url) as client:
        client.sms.send(NUMBER, "test")
        webhook = Webhook("http://127.0.0.1:9/", "s", waiting=2)
        for _ in range(5):
            webhook.arrived(sandbox.messages()[0])
        assert Posted(0, 3, 2) == webhook.counts
        webhook.stop()


def test_stopping_gives_up_what_waits() -> None:
    """At once, also while it waits to try again."""
    with Desk([500] * 9) as desk, Sandbox(post=desk.url, post_secret="s") as sandbox, Client(sandbox.url) as client:
        client.sms.send(NUMBER, "one")
        assert desk.wait(1)
        client.sms.send(NUMBER, "two")
        start = time.monotonic()
        sandbox.stop()
        assert (Posted(0, 2, 0), True) == (sandbox.posted, time.monotonic() - start < 20)


@table(
    "url, secret, reason",
    [
        ("http://crm.example/", "s", "https:// alone, or http:// to this machine"),
        ("ftp://127.0.0.1/", "s", "begins with https"),
        ("https://crm.example/", "", "post_secret is missing"),
    ],
)
def test_where_it_may_not_go(url: str, secret: str, reason: str) -> None:
    """In the clear to another machine, elsewhere than to the web, or without a signature."""
    with pytest.raises(ValueError, match=reason):
        Sandbox(post=url, post_secret=secret)


def test_https_to_anybody() -> None:
    """Is taken; without an address nothing is posted."""
    assert (Posted(0, 0, 0), None) == (Sandbox(post="https://crm.example/", post_secret="s").posted, Sandbox().posted)
