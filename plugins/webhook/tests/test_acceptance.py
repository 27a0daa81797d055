"""What is stored is answered 200, and only what is not stored is refused."""

from __future__ import annotations

import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import InvalidInput, Outbox, RowState

from devinotify_webhook import app, durable
from devinotify_webhook.alerts import instant
from devinotify_webhook.config import DEDUPE
from devinotify_webhook.keys import NEAR
from tests.support import NUMBER, OTHER, PATIENCE, Clock, alert, payload, serving, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.sandbox import Sandbox

    from tests.support import Hooks

    Make = Callable[..., Hooks]

FIXTURES = Path(__file__).parent / "fixtures"
ALERTS = payload(alert(summary="/ on web1 is 95% full"))


def test_stored_is_answered_with_its_rows(hooks: Make) -> None:
    """An alert is stored for each recipient, and the answer names the rows."""
    one = hooks(to=[NUMBER, OTHER])
    answer = one.post("/alertmanager/oncall", ALERTS)
    assert (200, {"rows": [1, 2], "known": False, "refused": []}) == (answer.status_code, answer.json())
    assert ["FIRING critical DiskFull: / on web1 is 95% full"] * 2 == one.texts()
    assert [NUMBER, OTHER] == one.recipients()


def test_posted_again_is_the_same_message(hooks: Make) -> None:
    """The other peer, and whoever lost the answer, is given the rows that there are."""
    one = hooks()
    rows = one.post("/alertmanager/oncall", ALERTS).json()["rows"]
    again = one.post("/alertmanager/oncall", ALERTS)
    assert (200, rows, True) == (again.status_code, again.json()["rows"], again.json()["known"])
    assert 1 == len(one.texts())


def test_resolved_and_grown_groups_are_other_messages(hooks: Make) -> None:
    """What is resolved is told, and so is one alert more in the group."""
    one = hooks()
    for posted in (ALERTS, payload(alert(status="resolved")), payload(*ALERTS["alerts"], alert("B"))):
        one.post("/alertmanager/oncall", posted)
    assert 3 == len(one.texts())
    assert one.texts()[1].startswith("RESOLVED")


def test_a_deadline(hooks: Make, tmp_path: Path) -> None:
    """A receiver's message is tried until its deadline, counted from when it was stored."""
    clock = Clock()
    with Outbox(tmp_path / "clock.db", clock=clock) as outbox:
        clock.later = 7200
        one = hooks(outbox=outbox, deadline=300)
        before = outbox.now()
        assert 200 == one.post("/sms/oncall", {"text": "Your code: 4821"}).status_code
        after = outbox.now()
        (row,) = outbox.rows()
        assert row.deadline is not None
        assert before + 300 <= row.deadline <= after + 300


def test_a_repeat_is_a_message_of_its_own(hooks: Make, tmp_path: Path) -> None:
    """After the window the same body is the repeat that was asked for; within it, it is none."""
    clock = Clock()
    with Outbox(tmp_path / "clock.db", clock=clock) as outbox:
        one = hooks(dedupe=600, outbox=outbox)
        told = []
        for later in (0, 590, 1210, 1795, 1811):
            clock.later = later
            told.append(one.post("/alertmanager/oncall", ALERTS).json()["known"])
        one.close()
    assert [False, True, False, True, False] == told


def test_a_reason_tells_a_repeat_at_once(hooks: Make) -> None:
    """Alertmanager 0.32 says that it repeats: that is a message though the window is not over."""
    one = hooks()
    reasons = ["first notification", "first notification", "repeat interval elapsed", "repeat interval elapsed"]
    told = [one.post("/alertmanager/oncall", {**ALERTS, "notification_reason": reason}) for reason in reasons]
    assert [False, True, False, True] == [each.json()["known"] for each in told]


def test_without_dedupe_each_post_is_a_message(hooks: Make) -> None:
    """``dedupe = 0`` takes every post for another one."""
    one = hooks(dedupe=0)
    for _ in range(2):
        one.post("/alertmanager/oncall", ALERTS)
    assert 2 == len(one.texts())


def test_peers_at_the_same_moment(hooks: Make) -> None:
    """Posts that come at once are stored once."""
    one = hooks()
    barrier = threading.Barrier(8)

    def post() -> bool:
        barrier.wait(PATIENCE)
        known: bool = one.post("/alertmanager/oncall", ALERTS).json()["known"]
        return known

    with ThreadPoolExecutor(8) as pool:
        told = [each.result(PATIENCE) for each in [pool.submit(post) for _ in range(8)]]
    assert (1, 1) == (told.count(False), len(one.texts()))


def test_two_receivers_on_one_outbox(hooks: Make) -> None:
    """Two receivers that share an outbox, one for each peer, store it once."""
    first, second = hooks(), hooks()
    assert [False, True] == [one.post("/alertmanager/oncall", ALERTS).json()["known"] for one in (first, second)]
    assert 1 == len(first.texts())


class Border:
    """Two processes on one outbox, with a clock that stands just before the border of two windows of their key."""

    def __init__(self, hooks: Make, folder: Path) -> None:
        self.now = (instant(ALERTS["alerts"][0]["startsAt"]) or 0.0) + DEDUPE / 2 - 0.001
        self.outboxes = [Outbox(folder / "border.db", clock=self) for _ in range(2)]
        self.first, self.second = (hooks(outbox=outbox) for outbox in self.outboxes)

    def __call__(self) -> float:
        """Return the time of both."""
        return self.now

    def between(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
        """Have something happen after the first has looked, and before it stores."""
        notifier = self.first.app.house.notifier
        real = notifier.enqueue

        def enqueue(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it takes
            act()
            return real(*arguments, **options)

        monkeypatch.setattr(notifier, "enqueue", enqueue)

    def close(self) -> None:
        """End both."""
        for one in (self.first, self.second):
            one.close()
        for outbox in self.outboxes:
            outbox.close()


@pytest.fixture
def border(hooks: Make, tmp_path: Path) -> Iterator[Border]:
    """Give two processes at a border."""
    made = Border(hooks, tmp_path)
    yield made
    made.close()


def test_two_processes_at_a_border(border: Border, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that posts across the border, while the other's post is being stored, is refused, and then it is known."""
    told: list[int] = []

    def other() -> None:
        border.now += 0.002
        told.append(border.second.post("/alertmanager/oncall", ALERTS).status_code)

    border.between(monkeypatch, other)
    assert 200 == border.first.post("/alertmanager/oncall", ALERTS).status_code
    again = border.second.post("/alertmanager/oncall", ALERTS)
    assert ([503], 200, True) == (told, again.status_code, again.json()["known"])
    assert 1 == len(border.first.texts())


def test_one_that_ends_at_a_border(border: Border, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was let through for and did not store, another process stores when its time is over."""

    def ends() -> None:
        raise InvalidInput("it ends here")

    border.between(monkeypatch, ends)
    told = [border.first.post("/alertmanager/oncall", ALERTS).status_code]
    for later in (1.0, NEAR):
        border.now += later
        told.append(border.second.post("/alertmanager/oncall", ALERTS).status_code)
    assert ([503, 503, 200], 1) == (told, len(border.second.texts()))


def test_resolved_alerts_may_be_left_out(hooks: Make) -> None:
    """``send_resolved = false`` answers 200 and stores nothing of what is resolved."""
    one = hooks(send_resolved=False)
    answer = one.post("/alertmanager/oncall", payload(alert(status="resolved")))
    assert (200, []) == (answer.status_code, answer.json()["rows"])
    one.post("/alertmanager/oncall", payload(alert("A"), alert("B", status="resolved")))
    assert ["FIRING critical A"] == one.texts()


def test_a_label_chooses_the_recipients(hooks: Make) -> None:
    """Each team gets its own alerts, and what is nobody's goes to the default."""
    one = hooks(to={"label": "team", "table": {"sre": [NUMBER]}, "default": [OTHER]})
    answer = one.post("/alertmanager/oncall", payload(alert("A", team="sre"), alert("B", team="dba"), alert("C")))
    assert 200 == answer.status_code
    assert {NUMBER: "FIRING critical A", OTHER: "FIRING critical B\nFIRING critical C"} == dict(
        zip(one.recipients(), one.texts(), strict=True)
    )


def test_aliases(gateway: Sandbox, hooks: Make, tmp_path: Path) -> None:
    """The file's own aliases stand for their members."""
    document = {
        "url": gateway.url,
        "outbox": str(tmp_path / "aliases.db"),
        "aliases": {"boss": [NUMBER], "all": ["boss", OTHER]},
        "receivers": {"oncall": {"to": "all"}},
    }
    with closing(app(document, worker=False)) as made:
        assert {NUMBER: None, OTHER: None} == made.house.notifier.resolve("all")


def test_a_template(hooks: Make) -> None:
    """A receiver's own words, with the payload's names, in its own budget."""
    one = hooks(
        template="{{ status }}: {{ alerts|map(attribute='labels.alertname')|join(', ') }} {{ 'x' * 500 }}",
        max_segments=1,
    )
    one.post("/alertmanager/oncall", ALERTS)
    (text,) = one.texts()
    assert text.startswith("firing: DiskFull xxx")
    assert 160 >= len(text)


def test_a_template_that_breaks_sends_the_default(hooks: Make) -> None:
    """The alert goes out all the same, and the metrics tell."""
    one = hooks(template="{{ 1 / 0 }}")
    assert 200 == one.post("/alertmanager/oncall", ALERTS).status_code
    assert ["FIRING critical DiskFull: / on web1 is 95% full"] == one.texts()
    assert 'template_errors_total{receiver="oncall"} 1' in one.get("/metrics").text


def test_a_template_that_says_nothing_sends_nothing(hooks: Make) -> None:
    """An empty text is a choice: 200, and no row."""
    one = hooks(template="{% if status == 'resolved' %}ok{% endif %}")
    assert [] == one.post("/alertmanager/oncall", ALERTS).json()["rows"]
    assert 1 == len(one.post("/alertmanager/oncall", payload(alert(status="resolved"))).json()["rows"])


def test_payloads_of_ones_own(hooks: Make) -> None:
    """A payload that is a text and no list of alerts is sent as that text, once in a window."""
    one = hooks()
    posted = {"text": "Disk full on web1", "group": "a"}
    assert [False, True, False] == [
        one.post("/alertmanager/oncall", each).json()["known"] for each in (posted, posted, {**posted, "group": "b"})
    ]
    assert ["Disk full on web1"] * 2 == one.texts()


def test_grafana(hooks: Make) -> None:
    """Grafana's alerts, and the text of its older versions."""
    one = hooks()
    for name in ("grafana-alerts", "grafana-8-text"):
        document = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
        assert 200 == one.ask("PUT", "/grafana/oncall", json=document).status_code
    assert [
        "FIRING Memory: web1 uses 95 % of its memory",
        "Someone is testing the alert notification within Grafana.",
    ] == [text.split("\n")[-1] for text in one.texts()]


# --- texts


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST", "json": {"text": "Hi", "to": OTHER}},
        {"method": "POST", "data": {"text": "Hi", "to": OTHER}},
        {"method": "GET", "params": {"text": "Hi", "to": OTHER}},
    ],
    ids=["json", "form", "query"],
)
def test_sms(request_: dict[str, Any], hooks: Make) -> None:
    """A text goes to whom the request names, where the receiver lets it; else to the receiver's own."""
    one = hooks(receivers={"any": {"to": "request"}, "oncall": {"to": NUMBER}})
    method = request_.pop("method")
    for name in ("any", "oncall"):
        assert 200 == one.ask(method, f"/sms/{name}", **request_).status_code
    assert [OTHER, NUMBER] == one.recipients()


def test_a_look_sends_nothing(hooks: Make) -> None:
    """HEAD, which browsers and monitors send to look, is refused."""
    one = hooks()
    assert 405 == one.ask("HEAD", "/sms/oncall", params={"text": "Hi"}).status_code
    assert [] == one.texts()


def test_texts_are_messages_each_unless_a_key_says_otherwise(hooks: Make) -> None:
    """Two equal texts are two messages; a key, in the body or in a header, makes one of them."""
    one = hooks()
    for extra in ({}, {}, {"key": "17"}, {"key": "17"}):
        one.post("/sms/oncall", {"text": "Hi", **extra})
    for _ in range(2):
        one.post("/sms/oncall", {"text": "Hi"}, headers={"Idempotency-Key": "18"})
    assert 4 == len(one.texts())


def test_texts_within_a_window(hooks: Make) -> None:
    """With ``dedupe`` a receiver takes equal texts for one."""
    one = hooks(dedupe=60)
    for text in ("Hi", "Hi", "Ho"):
        one.post("/sms/oncall", {"text": text})
    assert ["Hi", "Ho"] == one.texts()


def test_a_bad_number_among_good_ones(hooks: Make, caplog: pytest.LogCaptureFixture) -> None:
    """The good ones get it; the bad one is told in the answer and in the log, masked."""
    one = hooks(to="request")
    answer = one.post("/sms/oncall", {"text": "Hi", "to": [NUMBER, "1234567"]})
    assert (200, 1, 1) == (answer.status_code, len(answer.json()["rows"]), len(answer.json()["refused"]))
    assert "1234567" not in answer.text + caplog.text
    assert "receiver oncall: nothing is sent to" in caplog.text


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"text": "Hi", "to": "1234567"}, ""),
        ({"text": "Hi"}, "there is nobody to send to"),
        ({"txt": "Hi", "to": NUMBER}, "there is no text"),
        ({"text": "\x1e\x9d", "to": NUMBER}, "the text is empty"),
    ],
)
def test_a_text_that_cannot_be_understood(document: Any, said: str, hooks: Make) -> None:  # noqa: ANN401
    """400: posting it again is no use."""
    answer = hooks(to="request").post("/sms/oncall", document)
    assert (400, True) == (answer.status_code, said in answer.json()["error"])


def test_a_text_without_a_visible_sign(hooks: Make) -> None:
    """It is the body's fault, whoever the recipients are."""
    assert 400 == hooks().post("/sms/oncall", {"text": "\x1e"}).status_code


def test_a_text_that_is_too_long_is_cut(hooks: Make) -> None:
    """An alert is not lost for its length: what no message can hold ends in dots."""
    one = hooks()
    one.post("/sms/oncall", {"text": "x" * 3000})
    assert one.texts()[0].endswith("xxx...")


def test_alerts_name_no_recipients(hooks: Make) -> None:
    """A receiver for named recipients cannot take alerts, and says so."""
    answer = hooks(to="request").post("/alertmanager/oncall", ALERTS)
    assert (400, True) == (answer.status_code, "alerts name none" in answer.json()["error"])


# --- refusals


def test_what_cannot_be_understood_is_logged_once(hooks: Make, caplog: pytest.LogCaptureFixture) -> None:
    """400, and one line with the reason however often it is posted, until the receiver has understood one."""
    one = hooks()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert 400 == one.post("/alertmanager/oncall", {"secret": "words"}).status_code
        lines = [record.getMessage() for record in caplog.records]
        assert ["receiver oncall: a body that cannot be understood: alerts is missing"] == lines
        one.post("/alertmanager/oncall", ALERTS)
        one.post("/alertmanager/oncall", {"secret": "words"})
    assert 2 == len(caplog.records)


def test_no_such_receiver(hooks: Make) -> None:
    """404, and the name is no label of the metrics."""
    one = hooks()
    assert [404, 404] == [one.post(path, ALERTS).status_code for path in ("/alertmanager/other", "/sms")]
    assert "other" not in one.get("/metrics").text


def test_a_full_outbox_is_503(hooks: Make, tmp_path: Path) -> None:
    """Nothing was stored, so it is to be posted again; when there is room, it is stored."""
    with Outbox(tmp_path / "full.db", max_rows=1) as outbox:
        one = hooks(outbox=outbox)
        one.post("/sms/oncall", {"text": "first"})
        answer = one.post("/alertmanager/oncall", ALERTS)
        assert (503, True) == (answer.status_code, "is full" in answer.json()["error"])
        outbox.forget(outbox.rows())
        assert [200, 1] == [one.post("/alertmanager/oncall", ALERTS).status_code, len(one.texts())]
        one.close()


def test_a_disk_that_does_not_sync_is_503(hooks: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not safely on the disk was not accepted; posted again, it is the same message."""
    one = hooks()

    def broken(name: str) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(durable, "sync", broken)
        assert 503 == one.post("/alertmanager/oncall", ALERTS).status_code
        # Without a key nobody could tell it from another one: it is stored, and told so.
        assert 200 == one.post("/sms/oncall", {"text": "Hi"}).status_code
    again = one.post("/alertmanager/oncall", ALERTS)
    assert (200, True, 2) == (again.status_code, again.json()["known"], len(one.texts()))


def test_an_answer_waits_for_the_disk(hooks: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of the outbox is synced before a post is answered, one that was known too."""
    one = hooks()
    synced: list[str] = []
    real = durable.sync

    def sync(name: str) -> None:
        synced.append(name)
        real(name)

    monkeypatch.setattr(durable, "sync", sync)
    for _ in range(2):
        one.post("/alertmanager/oncall", ALERTS)
    assert [one.app.house.outbox.name] * 2 == synced


def test_a_body_that_broke_off_is_logged_once(hooks: Make, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted as a 400 each time, and one line has the reason, as with any other body."""
    one = hooks()
    with caplog.at_level(logging.WARNING), serving(one.app) as url:
        for number in (1, 2):
            with beginning_to_post(url, 100) as client:
                client.sendall(b'{"alerts": [')
            counted = f'requests_total{{route="alertmanager",receiver="oncall",code="400"}} {number}\n'
            until(lambda counted=counted: counted in one.get("/metrics").text)  # type: ignore[misc]
    lines = [record.getMessage() for record in caplog.records]
    assert ["receiver oncall: a body that cannot be understood: the body broke off"] == lines


def beginning_to_post(url: str, length: int) -> socket.socket:
    """Return a connection on which the head of a post was sent, with the length of the body that is to come."""
    host, port = url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), PATIENCE)
    client.sendall(f"POST /alertmanager/oncall HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode())
    return client


def test_too_long_is_refused_before_its_end(hooks: Make) -> None:
    """Of a body of a gigabyte no more is read than the limit: 413 while the rest was not sent yet."""
    one = hooks()
    with serving(one.app) as url, beginning_to_post(url, 1 << 30) as client, client.makefile("rb") as answer:
        client.sendall(b"x" * (one.app.config.body_limit + 1))
        assert b"413" == answer.readline().split()[1]
    assert [] == one.texts()


def test_too_long(hooks: Make) -> None:
    """A body beyond the limit is refused, and nothing of it is stored."""
    one = hooks()
    answer = one.post("/alertmanager/oncall", content=b"x" * (one.app.config.body_limit + 1))
    assert (413, []) == (answer.status_code, one.texts())


def test_500_alerts_in_one_group(hooks: Make) -> None:
    """One SMS that says how many there are, in its segments."""
    one = hooks(max_segments=2)
    answer = one.post("/alertmanager/oncall", payload(*(alert(f"A{number:03}") for number in range(500))))
    (text,) = one.texts()
    assert (200, True) == (answer.status_code, text.endswith(f"+{500 - text.count(chr(10))} more"))


# --- sending


def test_its_own_worker_sends(hooks: Make, gateway: Sandbox) -> None:
    """What is stored arrives, and the metrics tell the verdict."""
    one = hooks(worker=True)
    one.post("/alertmanager/oncall", ALERTS)
    assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
    assert "ready\n" == one.get("/-/ready").text
    assert one.app.house.outbox.counts()[RowState.QUEUED] == 0


def test_quiet_and_urgent(hooks: Make) -> None:
    """A message is urgent, which no plugin holds back, unless its receiver is quiet."""
    one = hooks(receivers={"loud": {"to": NUMBER}, "calm": {"to": NUMBER, "quiet": True}})
    for name in ("loud", "calm"):
        one.post(f"/alertmanager/{name}", ALERTS)
    outbox = one.app.house.outbox
    stored = [outbox.message(row.message_id) for row in outbox.rows()]
    assert [{"urgent"}, set()] == [set(each.message.tags) for each in stored if each is not None]


def test_health(hooks: Make) -> None:
    """It is healthy while it answers, and ready while it can store."""
    one = hooks()
    assert [200, 200] == [one.get(path).status_code for path in ("/-/healthy", "/-/ready")]
    one.app.house.outbox.close()
    assert [200, 503] == [one.get(path).status_code for path in ("/-/healthy", "/-/ready")]


def test_opened_again_after_closing(hooks: Make) -> None:
    """An app that was closed opens again with the next request."""
    one = hooks()
    one.app.close()
    assert 200 == one.post("/alertmanager/oncall", ALERTS).status_code
