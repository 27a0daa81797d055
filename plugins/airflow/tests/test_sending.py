"""Sending once: by the hook, the notifier and the operator, with contexts as Airflow's are."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, AirflowFailException, BaseHook, BaseNotifier
from devinotify import InvalidInput, Notifier, Outbox, RowState, Verdict
from devinotify.sandbox import Sandbox

from devinotify_airflow import DevinoHook, DevinoNotifier, DevinoSmsOperator, event, send_devino_notification
from devinotify_airflow.sending import OPEN, Order
from tests import contexts
from tests.conftest import CONNECTION, NUMBER, PASSWORD, connection

OTHER = "+79031234567"


def texts(gateway: Sandbox) -> list[str]:
    """Return the texts that arrived."""
    return [message.text for message in gateway.messages()]


def called(notifier: DevinoNotifier, context: dict[str, Any]) -> None:
    """Call a notifier as a task's callback is."""
    notifier(context)


def notified(notifier: DevinoNotifier, context: dict[str, Any]) -> None:
    """Have a notifier send, without what Airflow does about it: Airflow 2 lets nobody know of a failure but its log."""
    notifier.notify(context)


def awaited(notifier: DevinoNotifier, context: dict[str, Any]) -> None:
    """Await a notifier as the triggerer does."""

    async def wait() -> None:
        notifier.context = context
        await notifier

    asyncio.run(wait())


awaits = pytest.mark.skipif(
    not hasattr(BaseNotifier, "__await__"), reason="Airflow 3.1 is the first that has deadlines"
)
each_way = pytest.mark.parametrize("way", [called, pytest.param(awaited, marks=awaits)])
each_failure = pytest.mark.parametrize("way", [notified, pytest.param(awaited, marks=awaits)])
Way = Callable[[DevinoNotifier, dict[str, Any]], None]


@each_way
def test_templates(gateway: Sandbox, way: Way) -> None:
    """Text, title and recipients are templates; several numbers may be one text."""
    given = DevinoNotifier("{{ ti.task_id }} {{ run_id }}", "{{ numbers }}", title="{{ ti.dag_id }}")
    way(given, {**contexts.of_task(), "numbers": f"{NUMBER}, {OTHER}"})
    told = f"orders\nload {contexts.RUN_ID}"
    assert [(NUMBER, told), (OTHER, told)] == [(each.recipient, each.text) for each in gateway.messages()]


@each_way
def test_default_text(gateway: Sandbox, way: Way) -> None:
    """Without a text it says what happened, to the recipients of the connection."""
    way(DevinoNotifier(), {**contexts.of_task(), "exception": ValueError("no such table")})
    (message,) = gateway.messages()
    assert (NUMBER, True, 1) == (
        message.recipient,
        message.text.startswith(f"failed orders.load {contexts.RUN_ID} try 1: ValueError: no such table https://"),
        message.segments,
    )


@each_way
def test_a_channel(gateway: Sandbox, way: Way) -> None:
    """The notifier sends by the channel that it is given, and by the connection's without one."""
    way(DevinoNotifier("a", channel="viber"), contexts.of_task())
    way(DevinoNotifier("a"), contexts.of_task())
    assert [("viber", "a"), ("sms", "a")] == [(message.channel, message.text) for message in gateway.messages()]


@each_way
def test_called_twice_it_sends_once(gateway: Sandbox, way: Way) -> None:
    """The same event sends once, whoever calls, whatever the templates make of it meanwhile."""
    for number in range(3):
        way(DevinoNotifier("failed {{ number }}"), {**contexts.of_task(), "number": number})
    assert ["failed 0"] == texts(gateway)


@awaits
def test_once_in_either_way(gateway: Sandbox) -> None:
    """A callback and the triggerer know of each other's message."""
    called(DevinoNotifier("late"), contexts.of_deadline())
    awaited(DevinoNotifier("late"), contexts.of_deadline())
    assert ["late"] == texts(gateway)


def test_an_sla(gateway: Sandbox) -> None:
    """Airflow 2 calls for an SLA with what is late, and calls again."""
    for _ in range(2):
        DevinoNotifier("{{ dag.dag_id }} is late")(DAG("orders", schedule=None), "load on 28th", "", [], [])
    assert ["orders is late"] == texts(gateway)


def test_a_deadline_in_an_executor(gateway: Sandbox) -> None:
    """Airflow's own way of calling a deadline's ``SyncCallback``."""
    supervisor = pytest.importorskip(
        "airflow.sdk.execution_time.callback_supervisor", reason="Airflow 3.2 has it first"
    )
    log = pytest.importorskip("structlog").get_logger()
    options = {"text": "{{ dag_run.dag_id }} is late", "context": contexts.of_deadline()}
    path = "devinotify_airflow.notifier.DevinoNotifier"
    assert (True, None) == supervisor.execute_callback(path, options, "", None, log)
    assert ["orders is late"] == texts(gateway)


def test_another_event_or_message_is_sent(gateway: Sandbox) -> None:
    """Another try, another kind, another text for the same event, another recipient: each is sent."""
    calls = [
        (DevinoNotifier("a"), contexts.of_task()),
        (DevinoNotifier("a"), contexts.of_task(try_number=2)),
        (DevinoNotifier("a"), contexts.of_task(state="up_for_retry")),
        (DevinoNotifier("a"), contexts.of_run()),
        (DevinoNotifier("b"), contexts.of_task()),
        (DevinoNotifier("a", [OTHER]), contexts.of_task()),
    ]
    for notifier, context in calls:
        notifier(context)
    assert ["a", "a", "a", "a", "b", "a"] == texts(gateway)


def test_two_accounts_in_one_outbox(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another account has sent, this one has not."""
    with Sandbox(password=PASSWORD) as other:
        monkeypatch.setenv("AIRFLOW_CONN_OTHER", connection(other, to=NUMBER))
        for name in ("devinotify_default", "other"):
            DevinoNotifier("a", devinotify_conn_id=name)(contexts.of_task())
        assert (["a"], ["a"]) == (texts(gateway), texts(other))


def test_one_notifier_for_many_tasks(gateway: Sandbox) -> None:
    """A notifier that is called for one task is as it was for the next."""
    shared = DevinoNotifier("{{ ti.task_id }}")
    for name in ("first", "second"):
        shared(contexts.of_task(task_id=name))
    assert ["first", "second"] == texts(gateway)


def test_native_templates(gateway: Sandbox) -> None:
    """A DAG whose templates give objects may make a number of a number."""
    given = DevinoNotifier("a", "{{ to }}")
    given.text, given.to = 12, 79031234567  # type: ignore[assignment]
    given.notify(contexts.of_task())
    assert [(OTHER, "12")] == [(each.recipient, each.text) for each in gateway.messages()]


def test_secrets_in_an_exception_are_masked(gateway: Sandbox) -> None:
    """What Airflow masks in its logs, no SMS tells."""
    DevinoHook.get_connection("devinotify_default")
    DevinoNotifier()({**contexts.of_task(), "exception": ValueError(f"{PASSWORD} is wrong")})
    # Airflow masks all that a test of this process had it mask: no other word here is any's password.
    assert ["*** is wrong"] == [text.partition("ValueError: ")[2].partition(" http")[0] for text in texts(gateway)]


def test_names() -> None:
    """The notifier has the name that Airflow's providers would give it, and the fields that are templates."""
    assert send_devino_notification is DevinoNotifier
    assert ("text", "title", "to") == DevinoNotifier.template_fields == DevinoSmsOperator.template_fields


# --- whatever is not accepted


def fault_of(verdict: str, gateway: Sandbox) -> None:
    """Have the gateway answer the next send so that this is its verdict."""
    if verdict == "rejected":
        gateway.add_fault("error", number=NUMBER, code=2)
    elif verdict == "unknown":
        gateway.add_fault("drop", number=NUMBER, accepts=True)


@each_failure
@pytest.mark.parametrize("verdict", ["rejected", "unknown", "not_sent"])
def test_a_verdict_is_raised_by_its_name(
    gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, way: Way, verdict: str
) -> None:
    """Airflow logs the verdict and a masked number; no full one."""
    fault_of(verdict, gateway)
    if verdict == "not_sent":
        with Sandbox(password=PASSWORD) as gone:
            monkeypatch.setenv(CONNECTION, connection(gone, to=NUMBER))
    expected = AirflowException if verdict == "not_sent" else AirflowFailException
    with pytest.raises(AirflowException, match=rf"^{verdict}: \+7916\*\*\*4567: ") as caught:
        way(DevinoNotifier("a"), contexts.of_task())
    assert (expected, False) == (type(caught.value), NUMBER[3:] in str(caught.value))


@pytest.mark.skipif(hasattr(BaseNotifier, "__await__"), reason="Airflow 3 raises it, as is tested above and below")
def test_airflow_2_logs_what_is_raised(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Called by Airflow 2.11, the notifier raises nothing: its base class logs the verdict."""
    fault_of("rejected", gateway)
    called(DevinoNotifier("a"), contexts.of_task())
    assert [True] == ["rejected: +7916***4567: " in record.getMessage() for record in caplog.records if record.exc_info]


@each_failure
def test_what_may_have_been_sent_is_not_sent_again(gateway: Sandbox, way: Way) -> None:
    """A callback that comes again is told the same, and the gateway nothing."""
    fault_of("unknown", gateway)
    for _ in range(2):
        with pytest.raises(AirflowFailException, match=r"^unknown: "):
            way(DevinoNotifier("a"), contexts.of_task())
    assert ["a"] == texts(gateway)


@each_failure
@pytest.mark.parametrize(
    ("extra", "told"),
    [({"chanel": "sms"}, "not_sent: unknown key 'chanel'"), ({}, "not_sent: there is nobody to send to")],
)
def test_a_wrong_connection_is_told(
    gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, way: Way, extra: dict[str, str], told: str
) -> None:
    """A mistake in the connection is not_sent, and no reason to try again."""
    monkeypatch.setenv(CONNECTION, connection(gateway, **extra))
    with pytest.raises(AirflowFailException, match=told):
        way(DevinoNotifier("a"), contexts.of_task())


def test_somebody_begins_meanwhile(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be given up, because somebody has begun with it, is looked at again."""
    with Sandbox(password=PASSWORD) as gone:
        monkeypatch.setenv(CONNECTION, connection(gone, to=NUMBER))
    forget, asked = Outbox.forget, []

    def begun_once(self: Outbox, rows: Iterable[Any]) -> int:
        asked.append(rows)
        if len(asked) == 1:
            raise InvalidInput("it is claimed")
        return forget(self, rows)

    monkeypatch.setattr(Outbox, "forget", begun_once)
    with pytest.raises(AirflowException, match=r"^not_sent: "):
        DevinoHook().send("a", key="k")
    assert 2 == len(asked)


def test_some_of_many(gateway: Sandbox) -> None:
    """The good get it; of those who do not three are told."""
    bad = ["1234", "12345", "123456", "1234567"]
    with pytest.raises(AirflowFailException, match=r"^not_sent: .*; not_sent: .*; not_sent: .*; and 1 more$"):
        DevinoHook().send("a", [NUMBER, *bad])
    assert [NUMBER] == [message.recipient for message in gateway.messages()]


def test_every_state_has_a_verdict() -> None:
    """What stands for none by itself does in the table, and nothing else."""
    assert {state for state in RowState if state.verdict is None} == set(OPEN)


# --- the operator


def step(**options: Any) -> DevinoSmsOperator:
    """Return an operator that sends to two."""
    return DevinoSmsOperator(task_id="tell", text="done", to=[NUMBER, OTHER], **options)


def test_the_operator_returns_verdicts(gateway: Sandbox) -> None:
    """Its result shows no number."""
    accepted = [("+7916***4567", "accepted"), ("+7903***4567", "accepted")]
    told = step().execute(contexts.of_task())
    assert accepted == [(each["recipient"], each["verdict"]) for each in told]


@pytest.mark.parametrize(
    ("options", "channel"), [({}, "sms"), ({"channel": "sms"}, "sms"), ({"channel": None}, "viber")]
)
def test_the_operator_sends_sms(
    gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], channel: str
) -> None:
    """It sends an SMS through a connection of another channel, whose own is asked for by ``None``."""
    monkeypatch.setenv(CONNECTION, connection(gateway, channel="viber"))
    step(**options).execute(contexts.of_task())
    assert [channel, channel] == [message.channel for message in gateway.messages()]


def test_the_operators_channel(gateway: Sandbox) -> None:
    """A Viber message arrives by the operator as well."""
    step(channel="viber").execute(contexts.of_task())
    assert [("viber", NUMBER), ("viber", OTHER)] == [
        (message.channel, message.recipient) for message in gateway.messages()
    ]


def test_the_operators_title(gateway: Sandbox) -> None:
    """A title is the first line, and is filled in as the text is."""
    made = step(title="{{ ti.dag_id }}")
    made.render_template_fields(contexts.of_task())
    made.execute(contexts.of_task())
    assert ["orders\ndone"] * 2 == texts(gateway)


def test_the_operators_retry_sends_the_rest(gateway: Sandbox) -> None:
    """Whom the message provably did not reach gets it by the task's retry, the others nothing more."""

    key = event.Event(state="", kind="operator", dag="orders", run=contexts.RUN_ID, task="load").key()
    DevinoHook().send("done", NUMBER, key=key)  # as a try would that did not reach the second
    for _ in range(2):
        step().execute(contexts.of_task(try_number=2))
    assert [NUMBER, OTHER] == [message.recipient for message in gateway.messages()]


def test_the_operator_comes_again_where_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that is away is worth a retry, which sends, once; a task that was cleared sends anew."""
    with Sandbox(password=PASSWORD) as gone:
        port = gone.port
        monkeypatch.setenv(CONNECTION, connection(gone))
    with pytest.raises(AirflowException, match=r"^not_sent: ") as caught:
        step().execute(contexts.of_task())
    assert AirflowException is type(caught.value)
    with Sandbox(password=PASSWORD, port=port) as back:
        for attempt, tries in ((2, 0), (3, 0), (4, 3)):
            step().execute(contexts.of_task(try_number=attempt, max_tries=tries))
        assert [NUMBER, OTHER] * 2 == [message.recipient for message in back.messages()]


# --- who comes at the same time


def test_at_the_same_time(gateway: Sandbox) -> None:
    """Of many who come at once one sends, and the others wait for what becomes of it."""
    gateway.add_fault("latency", number=NUMBER, seconds=1.0)
    told: list[Any] = []

    def call() -> None:
        told.extend(DevinoHook().send("a", key="k"))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert ([Verdict.ACCEPTED] * 4, ["a"]) == ([each.verdict for each in told], texts(gateway))


@awaits
def test_the_loop_goes_on(gateway: Sandbox) -> None:
    """The gateway answers once the loop that awaits the notifier has gone on, and would not if it were held up."""
    gateway.add_fault("latency", number=NUMBER, seconds=60.0)

    async def main() -> bool:
        sending = asyncio.create_task(notify())
        while not any(fault.hits for fault in gateway.faults()):
            await asyncio.sleep(0.05)
        for _ in range(20):
            await asyncio.sleep(0.05)
        held = not sending.done()
        gateway.remove_fault()
        await sending
        return held

    async def notify() -> None:
        await DevinoNotifier("late", context=contexts.of_deadline())

    assert (True, ["late"]) == (asyncio.run(main()), texts(gateway))


def test_a_connection_without_its_own_coroutine(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Airflow 3.1 a connection is read in a thread."""
    monkeypatch.delattr(BaseHook, "aget_connection", raising=False)
    asyncio.run(DevinoNotifier("late").async_notify(contexts.of_deadline()))
    assert ["late"] == texts(gateway)


# --- the hook itself


def test_connection_test_shows_the_balance(gateway: Sandbox) -> None:
    """The form's button shows the balance."""
    gateway.balance = 12
    assert (True, "The balance is 12") == DevinoHook().test_connection()


def test_connection_test_shows_what_is_wrong(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is told, and shown to nobody."""
    monkeypatch.setenv(CONNECTION, connection(gateway).replace(PASSWORD, "another-password"))
    is_good, told = DevinoHook().test_connection()
    assert (False, False) == (is_good, "another-password" in told)


def test_the_hooks_connection_is_a_notifier(gateway: Sandbox) -> None:
    """Whoever wants more than ``send`` has a Notifier."""
    with DevinoHook().get_conn() as notifier:
        assert (Notifier, [Verdict.ACCEPTED]) == (type(notifier), [each.verdict for each in notifier.notify("a")])


def test_nothing_is_logged(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Neither number nor text nor password stands in a log, where it fails as where it is sent."""
    caplog.set_level(logging.DEBUG)
    fault_of("rejected", gateway)
    for to in (NUMBER, OTHER):
        try:
            DevinoNotifier("the text", to)(contexts.of_task())
        except AirflowException:
            continue
    shown = [record.getMessage() for record in caplog.records if record.threadName != "devinotify-sandbox"]
    assert [] == [line for line in shown if any(each in line for each in (NUMBER[1:], OTHER[1:], "the text", PASSWORD))]


def test_what_another_gave_up_is_not_sent(gateway: Sandbox) -> None:
    """A row that another has given up meanwhile is told as not sent."""

    class Away(Notifier):
        def enqueue(self, text: str, to: Any = None, **options: Any) -> Any:
            enqueued = super().enqueue(text, to, **options)
            self.following().outbox.forget(enqueued.rows.values())
            return enqueued

    with Away(DevinoHook().get_url()) as notifier:
        told = [str(each) for each in Order("a", [NUMBER], key="k").send(notifier)]
    assert ["not_sent: +7916***4567: another process gave it up"] == told


def test_what_another_does_not_end(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another, who is alive, has begun with and does not end is told as unknown, and is not sent here."""
    monkeypatch.setenv(CONNECTION, connection(gateway, to=NUMBER, timeout=0.5))
    with DevinoHook().get_conn() as other:
        rows = other.enqueue("a", key=f"k/{other.url.account}").rows
        assert other.following().outbox.claim(1, rows=rows.values(), account=other.url.account)
        with pytest.raises(AirflowFailException, match=r"^unknown: \+7916\*\*\*4567: another process has begun"):
            DevinoHook().send("a", key="k")
    assert [] == texts(gateway)
