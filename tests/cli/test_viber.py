"""``devinotify viber`` against a real sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Run, document
from tests.cli.servers import ScriptedGateway

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"
OTHER = "+79161234568"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((NUMBER,), "Viber/Send"),
        ((NUMBER, "--resend"), "Viber/SendWithResend"),
        ((NUMBER, OTHER), "Viber/SendBulk"),
        ((NUMBER, OTHER, "--resend"), "Viber/SendWithResendBulk"),
    ],
)
def test_each_form_has_its_operation(account: Sandbox, run: Run, arguments: tuple[str, ...], expected: str) -> None:
    """One or several recipients, with or without the resend."""
    result = run("viber", "Hello", *arguments)
    assert (0, expected) == (result.exit_code, account.requests()[-1].operation)


def test_json_names_the_channel(account: Sandbox, run: Run) -> None:
    """The document is that of send, with the channel viber."""
    found = document(run("viber", "Hello", NUMBER, "--json"))
    assert ("viber", "accepted", 0) == (found["channel"], found["results"][0]["verdict"], found["exit_code"])


def test_the_text_comes_from_stdin(account: Sandbox, run: Run) -> None:
    """Line breaks within the text stay."""
    run("viber", "-", NUMBER, stdin="one\ntwo\n")
    assert ["one\ntwo"] == [arrived.text for arrived in account.messages()]


def test_a_word_of_the_gateway_is_code_3(account: Sandbox, run: Run) -> None:
    """A number range that is not allowed: rejected, with the word."""
    result = run("viber", "Hello", "+79000000007", "--json")
    assert (3, "error-address-unknown") == (result.exit_code, document(result)["results"][0]["error"]["reason"])


def test_a_validity_over_a_day_is_code_4(account: Sandbox, run: Run) -> None:
    """Viber's validity ends at 1440 minutes."""
    result = run("viber", "Hello", NUMBER, "--validity", "1441")
    assert (4, True) == (result.exit_code, "1440" in result.stderr)


def test_a_reply_that_is_lost_is_code_5(run: Run) -> None:
    """The gateway read the message and closed: unknown."""
    with ScriptedGateway() as gateway:
        assert 5 == run("viber", "Hello", NUMBER, url=gateway.url).exit_code


def test_a_closed_port_is_code_4(run: Run, closed_url: str) -> None:
    """Nobody listens: not sent."""
    assert 4 == run("viber", "Hello", NUMBER, url=closed_url).exit_code
