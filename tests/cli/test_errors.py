"""Errors as lines and as JSON."""

from __future__ import annotations

import re

import click
import pytest

from devinotify import exceptions as errors
from devinotify.bulk.template import Template
from devinotify.cli.app import COMMANDS, cli
from devinotify.cli.errors import ADVICE, advice, document, hide, sentence
from devinotify.exceptions import Verdict
from devinotify.url import parse
from tests.tables import table


def test_the_sentence_says_what_to_do_next() -> None:
    """The line has the message and the advice."""
    expected = "no route. Nothing was sent, so trying again is safe; check the gateway of the URL and the network."
    assert expected == sentence(errors.NotSent("no route."), sending=True)


def test_a_question_has_no_full_stop() -> None:
    """What ends with a question mark has its end."""
    error = errors.InvalidURL("did you mean channel?")
    error.hint = "`devinotify url` writes one from its parts."
    assert f"did you mean channel? {error.hint}" == sentence(error, sending=False)


@table(
    "url, is_advised",
    [
        *dict.fromkeys(("devino:/login", "devino://login:a/b@S", "devino://login:p@", "devino://:p@S"), True).items(),
        *dict.fromkeys(("devino://l:p%@S", "devino://l:p@S#a", "devino://l:p@q@S", "devino://l:a?b@S"), True).items(),
        ("devino://login:password@SENDER?chanel=sms", False),
        ("devino://login:password@SENDER?validity=soon", False),
        ("devino://login:password@SENDER?to=1&channel=a&channel=b", False),
        ("devino://login@SENDER", False),
        ("devino://login@SENDER?password_file=/nowhere", False),
    ],
)
def test_a_url_is_advised_to_be_written_where_one_is_missing(url: str, is_advised: bool) -> None:
    """A part that is missing or miswritten is what `devinotify url` writes; no other mistake of a URL is."""
    with pytest.raises(errors.InvalidURL) as caught:
        parse(url)
    assert is_advised == ("`devinotify url` writes" in advice(caught.value, sending=False))


def test_an_error_without_advice_is_its_message_on_one_line() -> None:
    """A class that the table does not name has no advice, and line breaks become spaces."""
    assert "one two" == sentence(errors.PluginError("one\n two"), sending=True)


def test_an_error_without_a_message_is_named() -> None:
    """Where the message is empty, the class stands for it."""
    assert sentence(errors.PluginError(), sending=False) == "PluginError"


@table(
    "error",
    [errors.OutcomeUnknown("x"), errors.UnexpectedResponse("x"), errors.ViberRejected("x", verdict=Verdict.UNKNOWN)],
)
def test_an_unknown_send_is_to_be_looked_at_first(error: errors.DevinotifyError) -> None:
    """Whatever the class, the advice after an unknown send is never to send again at once."""
    assert advice(error, sending=True).startswith("It may have gone out")


@table("sending", [True, False])
@table("kind", [errors.InvalidOperation, errors.GatewayError, errors.UnexpectedResponse])
def test_an_address_that_there_is_not(kind: type[errors.GatewayError], sending: bool) -> None:
    """A 404 is about the gateway of the URL, whatever code comes with it."""
    error = kind("x", http_status=404, verdict=Verdict.REJECTED)
    assert advice(error, sending=sending).startswith("Check gateway= of the URL")


def test_no_advice_to_look_first_where_the_send_was_refused() -> None:
    """A rejected send has no doubt about it."""
    assert "" == advice(errors.UnexpectedResponse("x", verdict=Verdict.REJECTED), sending=True)


def test_every_row_is_for_an_error_of_the_tree() -> None:
    """Each row has a class and two sentences."""
    assert {2} == {len(row) for kind, row in ADVICE.items() if issubclass(kind, errors.DevinotifyError)}


def test_the_document_has_the_details_that_the_error_has() -> None:
    """Code, status and description come with a gateway's error."""
    error = errors.InvalidOperation(
        "bad", code=6, http_status=400, description="Invalid source address", operation="Sms/Send"
    )
    expected = {
        "type": "InvalidOperation",
        "message": "bad",
        "verdict": "rejected",
        "retryable": False,
        "operation": "Sms/Send",
        "advice": "Check that the sender is registered for the account.",
        "code": 6,
        "http_status": 400,
        "description": "Invalid source address",
    }
    assert expected == document(error, sending=True)


def test_position_zero_is_a_detail() -> None:
    """The first recipient's position is told, though it is 0."""
    assert 0 == document(errors.InvalidPhoneNumber("x", position=0), sending=True)["position"]


@table(
    "message, expected",
    [
        ("unexpected argument (devino://me:p w@S)", "unexpected argument (devino://***"),
        ("No such command 'DEVINO://me:pw@S'.", "No such command 'devino://***"),
        ("unexpected argument (me:pw@S)", "unexpected argument (***)"),
        ("No such command '+79161234567'.", "No such command '+7916***4567'."),
        ("No such option: --ulr", "No such option: --ulr"),
        ("set it to devino://LOGIN:PASSWORD@SENDER", "set it to devino://LOGIN:PASSWORD@SENDER"),
        (
            "write devino://LOGIN:PASSWORD@SENDER/TO, not devino://a:b@C",
            "write devino://LOGIN:PASSWORD@SENDER/TO, not devino://***",
        ),
        ("devino://LOGIN:PASSWORD@SENDER:secret@X", "devino://***"),
        ("devino://login:password@SENDER", "devino://***"),
        ("outbox postgresql://u:***@db:1/x: no", "outbox postgresql://u:***@db:1/x: no"),
        ("outbox postgresql://u:pw@db:1/x: no", "outbox *** no"),
        ("outbox postgresql://u:pw:***@db:1/x: no", "outbox *** no"),
    ],
)
def test_what_is_quoted_from_the_command_line_is_hidden(message: str, expected: str) -> None:
    """URLs, credentials and numbers do not come back in a usage error."""
    assert expected == hide(message)


def commands() -> list[click.Command]:
    """Return every command of ours, those behind others included."""
    context = click.Context(cli)
    found = [command for name in COMMANDS if (command := cli.get_command(context, name)) is not None]
    return found + [further for each in found for further in getattr(each, "commands", {}).values()]


@table("sending", [True, False])
@table("command", commands())
def test_a_hint_fits_the_command(command: click.Command, sending: bool) -> None:
    """It names no option that the command does not have, no command that is not there, and never the command itself."""
    options = {option for each in command.params for option in each.opts}
    for kind in ADVICE:
        hint = advice(kind("x"), sending=sending, command=command)
        named = set(re.findall(r"`devinotify ([a-z]+)`", hint))
        assert (set(), set(), False) == (
            set(re.findall(r"--[a-z-]+", hint)) - options,
            named - set(COMMANDS),
            command.name in named,
        )


def test_a_bad_template_is_no_matter_of_segments() -> None:
    """What a text comes to says nothing of its braces."""
    with pytest.raises(errors.InvalidText) as caught:
        Template("Hello {name")
    assert "segments" not in sentence(caught.value, sending=True)
    assert "stand in braces by their names" in sentence(caught.value, sending=True)


def test_a_hint_that_does_not_fit_says_less() -> None:
    """A command without --sender still has a URL that names one."""
    error = errors.InvalidSender("bad")
    assert ("Give another with --sender, or on the URL.", "Give another on the URL.") == tuple(
        advice(error, sending=True, command=cli.get_command(click.Context(cli), name)) for name in ("send", "bulk")
    )


def test_statistics_are_no_help_after_a_viber_message() -> None:
    """They count SMS alone."""
    found = [advice(errors.OutcomeUnknown("x", operation=name), sending=True) for name in ("Sms/Send", "Viber/Send")]
    assert [True, False] == ["devinotify stats" in hint for hint in found]
