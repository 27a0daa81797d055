"""Bulk replies: as many ids as recipients, or multiples of it, or nothing is guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import DevinotifyError, UnexpectedResponse, Verdict
from tests.faults import acts
from tests.faults.harness import TEXT, everything_about, logs
from tests.tables import table

if TYPE_CHECKING:
    from tests.faults.conftest import Anew, ClientMaker
    from tests.faults.server import FaultServer

RECIPIENTS = ["79161234561", "79161234562", "79161234563"]
IDS = [str(579700854169272358 + index) for index in range(12)]


@table("count", [0, 1, 2])
def test_fewer_ids_than_recipients_are_unknown(anew: Anew, count: int) -> None:
    """Somebody got nothing, and nobody knows who: unknown, with the ids that there are, and no second POST."""
    with anew() as (server, make_client):
        server.play("sms/sendbulk", acts.reply(json.dumps(IDS[:count])))
        with pytest.raises(UnexpectedResponse) as caught:
            make_client(server).sms.send_bulk(RECIPIENTS, TEXT)
        assert (Verdict.UNKNOWN, tuple(IDS[:count]), 1) == (
            caught.value.verdict,
            caught.value.message_ids,
            len(server.received("sms/sendbulk")),
        )


@table("count", [4, 5, 7])
def test_ids_that_do_not_divide_are_accepted_and_not_guessed(anew: Anew, count: int) -> None:
    """All ids are kept on the whole, and no recipient is given one that may be another's."""
    with anew() as (server, make_client):
        server.play("sms/sendbulk", acts.reply(json.dumps(IDS[:count])))
        receipt = make_client(server).sms.send_bulk(RECIPIENTS, TEXT)
        assert (tuple(IDS[:count]), [()] * 3) == (receipt.message_ids, [each.message_ids for each in receipt])


@table("each", [1, 2, 4])
def test_ids_that_divide_belong_to_the_recipients_in_order(anew: Anew, each: int) -> None:
    """All segments of the first recipient, then all of the second."""
    with anew() as (server, make_client):
        server.play("sms/sendbulk", acts.reply(json.dumps(IDS[: 3 * each])))
        receipt = make_client(server).sms.send_bulk(RECIPIENTS, TEXT)
        expected = [tuple(IDS[index * each : (index + 1) * each]) for index in range(3)]
        assert expected == [one.message_ids for one in receipt]


def test_a_broken_bulk_is_sent_once_and_shows_no_number(server: FaultServer, make_client: ClientMaker) -> None:
    """A bulk whose reply is lost is unknown, was sent once, and its error names nobody."""
    server.play("sms/sendbulk", acts.unanswered(acts.reset))
    client = make_client(server)
    with logs() as lines, pytest.raises(DevinotifyError) as caught:
        client.sms.send_bulk(RECIPIENTS, TEXT)
    shown = everything_about(caught.value) + "\n".join(lines)
    leaked = [secret for secret in (*RECIPIENTS, TEXT) if secret in shown]
    assert (caught.value.verdict, len(server.received("sms/sendbulk")), leaked) == (Verdict.UNKNOWN, 1, [])


@table("count", [0, 2])
def test_a_short_viber_bulk_is_unknown(anew: Anew, count: int) -> None:
    """The same rule holds where there is one id per recipient."""
    with anew() as (server, make_client):
        server.play("viber/sendbulk", acts.reply(json.dumps(IDS[:count])))
        with pytest.raises(UnexpectedResponse) as caught:
            make_client(server).viber.send_bulk(RECIPIENTS, TEXT)
        assert caught.value.verdict == Verdict.UNKNOWN
