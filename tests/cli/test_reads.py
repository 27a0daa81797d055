"""The commands that ask and send nothing: balance, state, incoming, stats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Run, document
from tests.cli.servers import ScriptedGateway
from tests.distributions import install
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"
NOT_ON_VIBER = "+79000000024"
READS = [("balance",), ("state", "123"), ("state", "123", "--viber"), ("incoming",), ("stats",)]


def ids_of(run: Run, *arguments: str) -> list[str]:
    """Return the message ids of a send."""
    ids: list[str] = document(run(*arguments, "--json"))["results"][0]["message_ids"]
    return ids


@table("command", READS)
def test_an_answer_is_code_0(account: Sandbox, run: Run, command: tuple[str, ...]) -> None:
    """Each of them answers, with nothing on stderr."""
    result = run(*command)
    assert (0, "", True) == (result.exit_code, result.stderr, bool(result.stdout))


@table("command", READS)
def test_an_answer_in_json_tells_the_exit_code(account: Sandbox, run: Run, command: tuple[str, ...]) -> None:
    """Each has one document."""
    assert 0 == document(run(*command, "--json"))["exit_code"]


@pytest.mark.parametrize("command", READS)
def test_a_wrong_password_is_code_3(sandbox: Sandbox, run: Run, command: tuple[str, ...]) -> None:
    """The gateway refuses: rejected."""
    result = run(*command, url=sandbox.url.replace(":Zq7", ":wrong"))
    assert (3, "", 1) == (result.exit_code, result.stdout, len(result.stderr.splitlines()))


@pytest.mark.parametrize("command", READS)
def test_a_closed_port_is_code_4(run: Run, closed_url: str, command: tuple[str, ...]) -> None:
    """The gateway is not reached: not sent."""
    result = run(*command, url=closed_url)
    assert (4, "", 1) == (result.exit_code, result.stdout, len(result.stderr.splitlines()))


@table("command", READS)
def test_a_reply_that_is_lost_is_code_5(run: Run, command: tuple[str, ...]) -> None:
    """The gateway closes without an answer, each time that it is asked: unknown."""
    with ScriptedGateway() as gateway:
        result = run(*command, url=gateway.url)
    assert (5, 1) == (result.exit_code, len(result.stderr.splitlines()))


@table("command", READS)
def test_no_url_is_code_2(run: Run, command: tuple[str, ...]) -> None:
    """Without an account nothing can be asked."""
    assert 2 == run(*command).exit_code


@pytest.mark.parametrize("command", READS)
def test_an_error_in_json_has_its_class(run: Run, closed_url: str, command: tuple[str, ...]) -> None:
    """Every error comes as JSON on stdout, with stderr empty."""
    result = run(*command, "--json", url=closed_url)
    found = document(result)
    error = found["error"] if "error" in found else found["results"][0]["error"]
    assert ("NotSent", 4, "") == (error["type"], found["exit_code"], result.stderr)


def test_the_balance_is_a_number(account: Sandbox, run: Run) -> None:
    """The amount stands alone, fit for a script."""
    account.balance = "1234.5"
    assert "1234.5\n" == run("balance").stdout


def test_the_balance_in_json_is_text(account: Sandbox, run: Run) -> None:
    """No digit is lost on the way."""
    account.balance = "1234.5"
    assert "1234.5" == document(run("balance", "--json"))["balance"]


def test_the_state_of_an_sms(account: Sandbox, run: Run) -> None:
    """A delivered SMS says so, with its price."""
    (message_id,) = ids_of(run, "send", "Hello", NUMBER)
    account.advance(60)
    (row,) = document(run("state", message_id, "--json"))["results"]
    chosen = {name: row[name] for name in ("message_id", "status", "is_final", "is_delivered", "code", "error")}
    expected = {
        "message_id": message_id,
        "status": "delivered",
        "is_final": True,
        "is_delivered": True,
        "code": 0,
        "error": None,
    }
    assert expected == chosen


def test_the_states_of_several_ids_are_a_table(account: Sandbox, run: Run) -> None:
    """Each segment has its row."""
    ids = ids_of(run, "send", "Привет " * 20, NUMBER)
    account.advance(60)
    result = run("state", *ids)
    assert (0, len(ids)) == (result.exit_code, result.stdout.count("delivered"))


def test_the_state_of_a_viber_message_lists_its_resend(account: Sandbox, run: Run) -> None:
    """The SMS that the platform sent instead has its row and its entry."""
    (message_id,) = ids_of(run, "viber", "Hello", NOT_ON_VIBER, "--resend")
    account.advance(60)
    (row,) = document(run("state", message_id, "--viber", "--json"))["results"]
    shown = run("state", message_id, "--viber").stdout
    assert ("undelivered", ["delivered"], True) == (
        row["status"],
        [sms["status"] for sms in row["resent_sms"]],
        f"SMS {row['resent_sms'][0]['message_id']}" in shown,
    )


def test_an_id_that_the_gateway_does_not_know_is_unknown(account: Sandbox, run: Run) -> None:
    """State 255 is an answer: exit code 0."""
    result = run("state", "nobody-knows", "--json")
    assert (0, "unknown", 255) == (
        result.exit_code,
        document(result)["results"][0]["status"],
        document(result)["results"][0]["code"],
    )


def test_one_bad_id_does_not_hide_the_others(account: Sandbox, run: Run) -> None:
    """An empty id is refused here, the other answered, and the worst code wins."""
    result = run("state", " ", "123")
    assert (4, True, True) == (result.exit_code, "123" in result.stdout, "the message id is empty" in result.stderr)


def test_a_gateway_out_of_reach_is_asked_once(run: Run) -> None:
    """After the first id that the gateway leaves open, the others share its error."""
    with ScriptedGateway() as gateway:
        result = run("state", "1", "2", "3", "--json", url=gateway.url)
    rows = [(row["message_id"], row["error"]["type"]) for row in document(result)["results"]]
    assert (5, [(name, "OutcomeUnknown") for name in "123"], 3) == (
        result.exit_code,
        rows,
        gateway.received.count("sms/state"),
    )


def test_state_needs_an_id(account: Sandbox, run: Run) -> None:
    """Nothing to ask for."""
    assert 2 == run("state").exit_code


def test_incoming_messages_are_listed(account: Sandbox, run: Run) -> None:
    """Sender and text are shown, and what would move the terminal is not acted upon."""
    account.add_incoming("Да \x1b[2J", "79161234567")
    shown = run("incoming").stdout
    assert (True, True, False) == ("79161234567" in shown, "Да \ufffd[2J" in shown, "\x1b" in shown)


def test_incoming_messages_in_json(account: Sandbox, run: Run) -> None:
    """Each message has its fields, the text as it came."""
    account.add_incoming("Да", "79161234567", "79160000000")
    (message,) = document(run("incoming", "--json"))["messages"]
    assert ("Да", "79161234567", "79160000000") == (message["text"], message["sender"], message["recipient"])


def test_message_received(account: Sandbox, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed plugins are told of each message; one that raises changes nothing."""
    path = tmp_path / "heard"
    source = "import pathlib\nfrom devinotify import hookimpl\n@hookimpl\ndef devinotify_message_received(message):\n"
    install(
        tmp_path, "devinotify_reads_ear", f"{source}    pathlib.Path({str(path)!r}).write_text(message.text, 'utf-8')\n"
    )
    install(tmp_path, "devinotify_reads_mute", f"{source}    raise RuntimeError\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    account.add_incoming("Да", "79161234567")
    result = run("incoming", "--json")
    assert (0, "Да") == (result.exit_code, path.read_text("utf-8"))


def test_no_incoming_messages_is_said(account: Sandbox, run: Run) -> None:
    """An empty list says for which period."""
    assert run("incoming").stdout.startswith("no messages between ")


def test_incoming_can_be_bounded(account: Sandbox, run: Run) -> None:
    """--since and --until take dates and durations."""
    account.add_incoming("Да", "79161234567")
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    assert [] == document(run("incoming", "--since", since, "--until", "1d", "--json"))["messages"]


@pytest.mark.parametrize(
    "arguments",
    [("incoming", "--since", "1h", "--until", "2h"), ("stats", "--start", "91d"), ("incoming", "--since", "400d")],
)
def test_a_period_that_our_checks_refuse_is_code_4(account: Sandbox, run: Run, arguments: tuple[str, ...]) -> None:
    """The gateway is not asked."""
    result = run(*arguments)
    assert (4, [], 1) == (result.exit_code, account.requests(), len(result.stderr.splitlines()))


@pytest.mark.parametrize("arguments", [("incoming", "--since", "soon"), ("stats", "--end", "2026-99-99")])
def test_a_date_that_is_none_is_code_2(account: Sandbox, run: Run, arguments: tuple[str, ...]) -> None:
    """The line names the option and the forms that it takes."""
    result = run(*arguments)
    assert (2, True, True) == (
        result.exit_code,
        arguments[1] in result.stderr,
        "a duration (24h, 7d)" in result.stderr,
    )


def test_statistics_count_what_was_sent(account: Sandbox, run: Run) -> None:
    """A delivered SMS is counted."""
    run("send", "Hello", NUMBER)
    account.advance(60)
    found = document(run("stats", "--start", "1d", "--end", "2100-01-01", "--json"))
    assert found["exit_code"] == 4
    found = document(run("stats", "--start", "1d", "--json"))
    assert (1, 1) == (found["delivered"], found["total"])


def test_statistics_are_a_table(account: Sandbox, run: Run) -> None:
    """Every count has its row."""
    shown = run("stats").stdout
    assert all(name in shown for name in ("sent", "delivered", "in process", "delivery ratio"))
