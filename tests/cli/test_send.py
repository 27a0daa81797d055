"""``devinotify send`` against a real sandbox, every exit code provoked for real."""

from __future__ import annotations

import json
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
OTHER = "+79161234568"
NO_CREDITS = "+79000000005"
SENDER_NOT_ALLOWED = "+79000000006"
GATEWAY_ERROR = "+79000000008"


def texts(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return recipient and text of what arrived, in order."""
    return [(arrived.recipient, arrived.text) for arrived in sandbox.messages()]


def test_a_text_arrives(account: Sandbox, run: Run) -> None:
    """An accepted SMS is exit code 0, and it arrives."""
    result = run("send", "Hello", NUMBER)
    assert (0, "", [(NUMBER, "Hello")]) == (result.exit_code, result.stderr, texts(account))


def test_the_result_shows_the_recipient_in_full_with_the_ids(account: Sandbox, run: Run) -> None:
    """The user's own recipient and the message's id are on stdout."""
    result = run("send", "Hello", NUMBER)
    ids = account.messages()[0].message_ids
    assert (True, True) == (NUMBER in result.stdout, ids[0] in result.stdout)


def test_json_has_a_result_per_recipient(account: Sandbox, run: Run) -> None:
    """The document has channel, text, results and the exit code."""
    found = document(run("send", "Hello", NUMBER, "--json"))
    (result,) = found.pop("results")
    sent_at = result.pop("sent_at")
    expected = {
        "recipient": NUMBER,
        "verdict": "accepted",
        "message_ids": list(account.messages()[0].message_ids),
        "segments": 1,
        "estimated_segments": 1,
        "status": None,
        "attempts": [{"channel": "sms", "verdict": "accepted"}],
        "error": None,
    }
    assert ({"channel": "sms", "text": "Hello", "exit_code": 0}, expected, "Z") == (found, result, sent_at[-1])


def test_several_recipients_go_in_one_request(account: Sandbox, run: Run) -> None:
    """Numbers behind the text and those of --to go out together, each once."""
    result = run("send", "Hello", NUMBER, "8 916 123-45-67", "--to", OTHER)
    sends = [item.operation for item in account.requests() if item.method == "POST"]
    assert (0, ["Sms/SendBulk"], {(NUMBER, "Hello"), (OTHER, "Hello")}) == (
        result.exit_code,
        sends,
        set(texts(account)),
    )


def test_the_targets_of_the_url_are_the_default(sandbox: Sandbox, run: Run) -> None:
    """Without a recipient on the command line, those of the URL are taken."""
    url = sandbox.url.replace("DEVINO?", f"DEVINO/{NUMBER}?")
    result = run("send", "Hello", "--url", url)
    assert (0, [(NUMBER, "Hello")]) == (result.exit_code, texts(sandbox))


@pytest.mark.parametrize("arguments", [("-", NUMBER), ("--to", NUMBER)])
def test_the_text_comes_from_stdin(account: Sandbox, run: Run, arguments: tuple[str, ...]) -> None:
    """A dash, or no text at all, reads stdin, without the BOM and the last line's end."""
    run("send", *arguments, stdin="\ufeffПривет\r\nмир\r\n".encode())
    assert [(NUMBER, "Привет\r\nмир")] == texts(account)


def test_colours_and_bytes_of_another_encoding_do_not_stop_a_text(
    account: Sandbox, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """What a program meant for its terminal goes, what is not UTF-8 becomes a question mark, and the log says so."""
    result = run("send", "\x1b[31mdisk \udcef\x1b[0m", NUMBER)
    assert (0, [(NUMBER, "disk ?")]) == (result.exit_code, texts(account))
    assert "a lone surrogate" in caplog.text


def test_stdin_that_is_not_utf8_is_a_usage_error(account: Sandbox, run: Run) -> None:
    """Another encoding is named, not guessed."""
    result = run("send", "--to", NUMBER, stdin=b"\xff\xfe\x00")
    assert (2, True, []) == (result.exit_code, "stdin is not UTF-8" in result.stderr, texts(account))


def test_stdin_without_end_is_a_usage_error(account: Sandbox, run: Run) -> None:
    """More than any message could hold is not read to its end."""
    result = run("send", "--to", NUMBER, stdin="x" * 70_000)
    assert (2, True) == (result.exit_code, "more than 65536 bytes" in result.stderr)


def test_no_recipient_is_a_usage_error(account: Sandbox, run: Run) -> None:
    """Nobody to send to."""
    result = run("send", "Hello")
    assert (2, True) == (result.exit_code, "no recipient" in result.stderr)


def test_a_number_in_the_texts_place_is_a_usage_error(account: Sandbox, run: Run) -> None:
    """A swapped command line sends nothing to anybody."""
    result = run("send", NUMBER, OTHER)
    assert (2, True, []) == (result.exit_code, "the text is a phone number" in result.stderr, texts(account))


def test_no_url_is_a_usage_error(run: Run) -> None:
    """Without an account the line says how to name one."""
    result = run("send", "Hello", NUMBER)
    assert (2, True, 1) == (result.exit_code, "DEVINOTIFY_URL" in result.stderr, len(result.stderr.splitlines()))


@table("url", ["http://x", "devino://me:Zq7-correct-horse-battery@S?nonsense=1", "devino://me@S"])
def test_a_wrong_url_is_a_usage_error(run: Run, url: str) -> None:
    """A wrong URL is refused before anything else, without being shown."""
    result = run("send", "Hello", NUMBER, url=url)
    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))


def test_a_refusal_of_the_gateway_is_code_3(account: Sandbox, run: Run) -> None:
    """Not enough credits: rejected, with what to do next."""
    result = run("send", "Hello", NO_CREDITS)
    assert (3, "", True) == (
        result.exit_code,
        result.stdout,
        result.stderr.startswith("devinotify: rejected: Sms/Send: Not enough credits")
        and "devinotify balance" in result.stderr,
    )


def test_a_sender_that_the_gateway_refuses_is_code_3(account: Sandbox, run: Run) -> None:
    """A sender that the account may not use: rejected."""
    result = run("send", "Hello", SENDER_NOT_ALLOWED)
    assert (3, True) == (result.exit_code, "Check that the sender is registered" in result.stderr)


def test_a_wrong_password_is_code_3(sandbox: Sandbox, run: Run) -> None:
    """Wrong credentials: rejected."""
    url = sandbox.url.replace(":Zq7", ":wrong")
    result = run("send", "Hello", NUMBER, url=url)
    assert (3, True) == (result.exit_code, "Check the login and the password" in result.stderr)


def test_a_closed_port_is_code_4(run: Run, closed_url: str) -> None:
    """Nobody listens: not sent, and it is safe to try again."""
    result = run("send", "Hello", NUMBER, url=closed_url)
    assert (4, True) == (
        result.exit_code,
        result.stderr.startswith("devinotify: not sent: ") and "trying again is safe" in result.stderr,
    )


def test_an_invalid_number_is_code_4_and_masked(account: Sandbox, run: Run) -> None:
    """A number that is refused here: not sent, the reason told and the number masked."""
    result = run("send", "Hello", "+7916123456789")
    assert (4, "", False, True, []) == (
        result.exit_code,
        result.stdout,
        "7916123456789" in result.stderr,
        "too long" in result.stderr,
        texts(account),
    )


def test_a_bad_number_does_not_stop_the_good_ones(account: Sandbox, run: Run) -> None:
    """The bad one is reported with its position, the others are sent, and the code is 4."""
    result = run("send", "Hello", NUMBER, "12", OTHER)
    assert (4, {(NUMBER, "Hello"), (OTHER, "Hello")}, True) == (
        result.exit_code,
        set(texts(account)),
        "recipients[1]" in result.stderr,
    )


def test_json_keeps_the_order_of_first_appearance(account: Sandbox, run: Run) -> None:
    """Good and bad recipients stand in the order in which they were given, each once."""
    found = document(run("send", "Hello", "12", NUMBER, "--to", "x", "--to", NUMBER, "--json"))
    rows = [(row["recipient"], row["verdict"], (row["error"] or {}).get("position")) for row in found["results"]]
    assert [("12", "not_sent", 0), (NUMBER, "accepted", None), ("x", "not_sent", 2)] == rows


@pytest.mark.parametrize("sender", ["Отправитель", "x" * 12])
def test_what_our_checks_refuse_is_code_4(account: Sandbox, run: Run, sender: str) -> None:
    """A bad sender is refused before anything is sent."""
    result = run("send", "Hello", NUMBER, "--sender", sender)
    assert (4, [], 1) == (result.exit_code, texts(account), len(result.stderr.splitlines()))


def test_a_wrong_option_is_code_2(account: Sandbox, run: Run) -> None:
    """A validity below zero is no number of minutes."""
    assert (2, []) == (run("send", "Hello", NUMBER, "--validity", "-1").exit_code, texts(account))


def test_an_empty_text_is_code_4(account: Sandbox, run: Run) -> None:
    """There is nothing to send."""
    assert 4 == run("send", "  ", NUMBER).exit_code


def test_a_reply_that_is_lost_is_code_5(run: Run) -> None:
    """The gateway read the message and closed: unknown, and the line says to look first."""
    with ScriptedGateway() as gateway:
        result = run("send", "Hello", NUMBER, url=gateway.url)
    assert (5, 1, True) == (
        result.exit_code,
        gateway.received.count("sms/send"),
        result.stderr.startswith("devinotify: unknown: ") and "It may have gone out" in result.stderr,
    )


def test_an_error_of_the_gateway_itself_is_code_5(account: Sandbox, run: Run) -> None:
    """Code 8 says nothing of what became of the message."""
    result = run("send", "Hello", GATEWAY_ERROR)
    assert (5, True) == (result.exit_code, "before you send it again" in result.stderr)


def test_the_worst_of_several_wins(run: Run) -> None:
    """An invalid number and an unknown send: 5."""
    with ScriptedGateway() as gateway:
        result = run("send", "Hello", "12", NUMBER, OTHER, url=gateway.url)
    assert (5, ["not sent", "unknown (2 recipients)"]) == (
        result.exit_code,
        [line.removeprefix("devinotify: ").split(":")[0] for line in result.stderr.splitlines()],
    )


def test_json_tells_the_error_of_each_recipient(account: Sandbox, run: Run) -> None:
    """A refused send has its error in the result, on stdout, and stderr stays empty."""
    result = run("send", "Hello", NO_CREDITS, "--json")
    (row,) = document(result)["results"]
    assert (3, "", "NotEnoughCredits", 5, "rejected") == (
        result.exit_code,
        result.stderr,
        row["error"]["type"],
        row["error"]["code"],
        row["verdict"],
    )


def test_json_of_an_error_before_the_send(run: Run) -> None:
    """A usage error comes as JSON too."""
    result = run("send", "Hello", NUMBER, "--json")
    found = document(result)
    assert (2, "", 2, "UsageError") == (result.exit_code, result.stderr, found["exit_code"], found["error"]["type"])


def test_json_of_a_wrong_url(run: Run) -> None:
    """A wrong URL comes as JSON too, with the code 2."""
    result = run("send", "Hello", NUMBER, "--json", url="devino://me@S")
    found = document(result)
    assert (2, 2, "InvalidURL") == (result.exit_code, found["exit_code"], found["error"]["type"])


def test_a_text_that_looks_like_the_option_is_a_text(account: Sandbox, run: Run) -> None:
    """Behind -- everything is text and recipients."""
    result = run("send", "--", "--json", NUMBER)
    assert ([(NUMBER, "--json")], True) == (texts(account), "recipient" in result.stdout)


def test_ids_that_cannot_be_told_apart_are_all_shown(run: Run) -> None:
    """Three ids for two recipients: nothing is guessed and nothing lost."""
    with ScriptedGateway({"sms/sendbulk": '["a1","a2","a3"]'}) as gateway:
        result = run("send", "Hello", NUMBER, OTHER, url=gateway.url)
        found = document(run("send", "Hello", NUMBER, OTHER, "--json", url=gateway.url))
    assert (0, True, ["a1", "a2", "a3"]) == (result.exit_code, "a1 a2 a3" in result.stdout, found["unassigned_ids"])


def test_ids_of_a_reply_that_is_short_of_them_are_shown(run: Run) -> None:
    """One id for two recipients: unknown, and the id is told."""
    with ScriptedGateway({"sms/sendbulk": '["lonely-id"]'}) as gateway:
        result = run("send", "Hello", NUMBER, OTHER, url=gateway.url)
    assert (5, True) == (result.exit_code, "these ids: lonely-id" in result.stderr)


def test_another_number_of_segments_than_expected_is_told(run: Run) -> None:
    """The gateway's count of segments is what it bills."""
    with ScriptedGateway({"sms/send": '["a1","a2"]'}) as gateway:
        result = run("send", "Hello", NUMBER, url=gateway.url)
    assert "the gateway bills 2 segments where 1 were expected" in result.stdout


def test_the_text_is_transliterated(account: Sandbox, run: Run) -> None:
    """--transliterate writes the text in GSM-7 letters."""
    run("send", "Привет", NUMBER, "--transliterate")
    assert [(NUMBER, "Privet")] == texts(account)


def test_the_urls_transliterate_is_honoured_and_can_be_undone(sandbox: Sandbox, run: Run) -> None:
    """The URL's setting holds unless the command line says otherwise."""
    url = sandbox.url + "&transliterate=yes"
    run("send", "Привет", NUMBER, url=url)
    run("send", "Привет", NUMBER, "--no-transliterate", url=url)
    assert [(NUMBER, "Privet"), (NUMBER, "Привет")] == texts(sandbox)


def test_the_text_is_shortened(account: Sandbox, run: Run) -> None:
    """--max-segments keeps the text within its budget, and JSON tells the text that was sent."""
    found = document(run("send", "word " * 100, NUMBER, "--max-segments", "1", "--json"))
    assert (1, texts(account)[0][1]) == (found["results"][0]["segments"], found["text"])


def test_the_urls_max_segments_is_honoured(sandbox: Sandbox, run: Run) -> None:
    """The URL's budget holds too."""
    found = document(run("send", "word " * 100, NUMBER, "--json", url=sandbox.url + "&max_segments=2"))
    assert 2 == found["results"][0]["segments"]


def test_sender_and_validity_are_sent(account: Sandbox, run: Run) -> None:
    """The options reach the gateway."""
    run("send", "Hello", NUMBER, "--sender", "Other", "--validity", "60")
    parameters = {name.lower(): values for name, values in account.requests()[-1].parameters.items()}
    assert (("Other",), ("60",)) == (parameters["sourceaddress"], parameters["validity"])


def test_send_at_is_an_instant(account: Sandbox, run: Run) -> None:
    """A scheduled SMS waits, and its receipt tells the instant."""
    when = (datetime.now(UTC) + timedelta(hours=5)).replace(microsecond=0)
    found = document(run("send", "Hello", NUMBER, "--send-at", when.isoformat(), "--json"))
    assert when == datetime.fromisoformat(found["results"][0]["sent_at"])


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [((NUMBER,), "Sms/SendByTimeZone"), ((NUMBER, OTHER), "Sms/SendByTimeZoneToAddresses")],
)
def test_local_time_goes_by_the_recipients_clock(
    account: Sandbox, run: Run, numbers: tuple[str, ...], expected: str
) -> None:
    """A wall-clock time is sent by the time-zone operations."""
    result = run("send", "Hello", *numbers, "--local-time", "2036-01-31T09:00")
    assert (0, expected) == (result.exit_code, account.requests()[-1].operation)


def test_an_instant_and_a_wall_clock_exclude_each_other(account: Sandbox, run: Run) -> None:
    """One message goes out once."""
    result = run("send", "Hello", NUMBER, "--local-time", "2036-01-31T09:00", "--send-at", "2h")
    assert 2 == result.exit_code


def test_the_urls_channel_is_honoured(sandbox: Sandbox, run: Run) -> None:
    """A URL that names Viber sends Viber, unless the command line says otherwise."""
    url = sandbox.url + "&channel=viber"
    run("send", "Hello", NUMBER, url=url)
    run("send", "Hello", NUMBER, "--channel", "sms", url=url)
    assert ["viber", "sms"] == [arrived.channel for arrived in sandbox.messages()]


def test_an_unknown_channel_is_code_2(account: Sandbox, run: Run) -> None:
    """The line lists the channels that there are."""
    result = run("send", "Hello", NUMBER, "--channel", "pigeon")
    assert (2, True) == (result.exit_code, "sms-viber" in result.stderr)


def test_the_title_stands_before_the_text(account: Sandbox, run: Run) -> None:
    """The title is the first line, and JSON tells the text that was sent."""
    found = document(run("send", "is full", NUMBER, "--title", "disk", "--json"))
    assert ("disk\nis full", [(NUMBER, "disk\nis full")]) == (found["text"], texts(account))


def test_a_refused_sms_goes_on_to_viber(account: Sandbox, run: Run) -> None:
    """With sms-viber a refusal at once goes on at once, and both steps are shown."""
    account.add_fault("error", operation="Sms/Send", code=6)
    result = run("send", "Hello", NUMBER, "--channel", "sms-viber")
    assert (0, True, ["viber"]) == (
        result.exit_code,
        "sms rejected, viber accepted" in result.stdout,
        [arrived.channel for arrived in account.messages()],
    )


@pytest.mark.parametrize(
    ("fate", "timeline", "expected"),
    [
        ("delivered", [(0.0, 0)], (0, "delivered")),
        ("rejected", [(0.0, 69)], (6, "rejected")),
        ("sent", [(0.0, -1)], (5, "sent")),
    ],
)
def test_wait_makes_the_code_that_of_the_delivery(
    account: Sandbox, run: Run, fate: str, timeline: list[tuple[float, int]], expected: tuple[int, str]
) -> None:
    """Delivered is 0, undelivered 6, still under way 5."""
    account.set_fate("79161234567", fate)
    account.set_timeline(fate, sms=timeline)
    found = document(run("send", "Hello", NUMBER, "--wait", "0.5", "--json"))
    assert expected == (found["exit_code"], found["results"][0]["status"])


def test_wait_shows_the_status(account: Sandbox, run: Run) -> None:
    """The table has a column for it."""
    account.set_timeline("delivered", sms=[(0.0, 0)])
    assert "delivered" in run("send", "Hello", NUMBER, "--wait", "1").stdout


def test_the_ids_are_told_before_the_delivery_is_waited_for(account: Sandbox, run: Run) -> None:
    """Whatever ends the waiting, the ids can be asked for later; the number is masked on stderr."""
    account.set_timeline("delivered", sms=[(0.0, 0)])
    result = run("send", "Hello", NUMBER, "--wait", "1")
    (message,) = account.messages()
    told = f"devinotify: accepted, waiting for the delivery: +7916***4567, ids {message.message_ids[0]}"
    assert told in result.stderr.splitlines()


@pytest.mark.parametrize(
    ("option", "value", "shown", "local_time"),
    [
        ("--local-time", "2031-01-31T09:00", "2031-01-31 09:00 by the recipient's clock", "2031-01-31T09:00:00"),
        ("--send-at", "2031-01-31T09:00:00+00:00", "2031-01-31", None),
    ],
)
def test_a_scheduled_message_says_when_it_goes_out(
    option: str, value: str, shown: str, local_time: str | None, account: Sandbox, run: Run
) -> None:
    """``accepted`` is not sent yet: the table and the JSON say when it is."""
    assert shown in run("send", "Hello", NUMBER, option, value).stdout
    result = document(run("send", "Hello", NUMBER, option, value, "--json"))["results"][0]
    assert (local_time, True) == (result.get("local_time"), result["sent_at"].startswith("2031-01-31"))


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("datetime(2031, 1, 31, 9, tzinfo=UTC)", "2031-01-31 "),
        ("datetime(2031, 1, 31, 9)", "2031-01-31 09:00 by the recipient's clock"),
    ],
)
def test_a_message_that_a_plugin_holds_says_when_it_goes_out(
    when: str, shown: str, account: Sandbox, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asked for it, so whoever reads ``accepted`` has to be told: quiet hours hold messages so."""
    source = (
        "from dataclasses import replace\nfrom datetime import UTC, datetime\nfrom devinotify import hookimpl\n"
        f"@hookimpl\ndef devinotify_prepare_message(message):\n    return [replace(message, send_at={when})]\n"
    )
    install(tmp_path, f"devinotify_holds_{len(when)}", source)
    monkeypatch.syspath_prepend(str(tmp_path))
    table = run("send", "Hello", NUMBER).stdout
    result = document(run("send", "Hello", NUMBER, "--json"))["results"][0]
    assert (True, True, True) == ("goes out" in table, shown in table, result["sent_at"].startswith("2031-01-31"))


@pytest.mark.parametrize(
    ("option", "value"),
    [("--send-at", "2020-01-01"), ("--send-at", "2020-01-01T09:00:00Z"), ("--local-time", "2020-01-01T09:00")],
)
def test_a_time_that_has_passed_sends_nothing(option: str, value: str, account: Sandbox, run: Run) -> None:
    """What was meant for another day does not go out at once."""
    result = run("send", "Hello", NUMBER, option, value)
    assert (4, "devinotify: send_at has passed: leave it out to send at once\n", []) == (
        result.exit_code,
        result.stderr,
        texts(account),
    )


def test_a_message_that_goes_out_now_says_nothing_of_it(account: Sandbox, run: Run) -> None:
    """No column stands for what is the same for all."""
    assert "goes out" not in run("send", "Hello", NUMBER).stdout


def test_an_outbox_that_cannot_be_written_is_one_line(account: Sandbox, run: Run, tmp_path: Path) -> None:
    """The channel that needs the outbox names it and sends nothing."""
    result = run("send", "Hello", NUMBER, "--channel", "sms-viber", url=f"{account.url}&outbox={tmp_path}/no/outbox.db")
    assert (4, 1, True, []) == (
        result.exit_code,
        len(result.stderr.splitlines()),
        "folder does not exist" in result.stderr,
        texts(account),
    )


# --- what would be sent


def test_a_dry_run_needs_no_account(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it would send, to whom and for how much: nobody is asked, and nothing is left behind."""
    monkeypatch.delenv("DEVINOTIFY_URL", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    arguments = ("send", "Привет", "89161234567", "+79161234568", "--dry-run", "--price", "2.50")
    for channel in ("sms", "sms-viber"):
        result = run(*arguments, "--channel", channel)
        assert 0 == result.exit_code
        assert "nothing was sent: recipients 2, segments 2, cost 5.00" in result.stdout
        assert "+79161234567" in result.stdout
    assert [] == list(tmp_path.iterdir())


def test_a_dry_run_tells_machines(run: Run, account: Sandbox) -> None:
    """The text as it would go out, the segments, the URL's price, and who would be refused; the code is theirs."""
    result = run(
        "send",
        "Hello",
        "+79161234567",
        "12345",
        "--dry-run",
        "--json",
        "--title",
        "Now",
        "--url",
        f"{account.url}&price=3",
    )
    document = json.loads(result.stdout)
    assert (4, 4, True, "3") == (result.exit_code, document["exit_code"], document["dry_run"], document["cost"])
    (message,) = document["messages"]
    assert (["+79161234567"], "Now\nHello", 1) == (message["recipients"], message["text"], message["segments"])
    assert ["12345"] == [each["recipient"] for each in document["refused"]]
    assert [] == account.messages()


@table(
    "arguments, code, words",
    [
        (("--channel", "pager"), 2, "there is no channel 'pager'"),
        (("--channel", "viber", "--price", "2"), 0, "segments 1, cost 2"),
        (("--channel", "viber", "--send-at", "2h"), 4, "cannot send later"),
        ((), 0, "give --price for the cost"),
    ],
)
def test_a_dry_run_tells_what_a_send_would(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    """The same mistakes, by the same codes."""
    result = run("send", "Hello", "+79161234567", "--dry-run", *arguments)
    assert (code, True) == (result.exit_code, words in result.stdout + result.stderr)
