"""What is told of a message over time."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from devinotify.gateway.codes import ERRORS
from devinotify.sandbox.fates import FATES
from tests.sandbox.conftest import NO_DATE, Api, date
from tests.tables import table


def test_states_over_time(api: Api) -> None:
    """A message is queued, sent, delivered; each answer has the documented fields and dates."""
    _, (part,) = api.send()
    documents = [api.state(part)]
    for seconds in (0.25, 1):
        api.advance(seconds)
        documents.append(api.state(part))
    common = {"CreationDateUtc": date(0), "Price": 2.5}
    pending = {"ReportedDateUtc": None, "TimeStampUtc": NO_DATE}
    assert [
        {**common, **pending, "State": -2, "SubmittedDateUtc": None, "StateDescription": "В очереди"},
        {
            **common,
            **pending,
            "State": -1,
            "SubmittedDateUtc": date(0.2),
            "StateDescription": "Отправлено (передано в мобильную сеть)",
        },
        {
            **common,
            "State": 0,
            "SubmittedDateUtc": date(0.2),
            "ReportedDateUtc": date(1),
            "TimeStampUtc": date(1),
            "StateDescription": "Доставлено",
        },
    ] == documents


UNKNOWN = {
    "State": 255,
    "CreationDateUtc": None,
    "SubmittedDateUtc": None,
    "ReportedDateUtc": None,
    "TimeStampUtc": NO_DATE,
    "StateDescription": "Неизвестный",
    "Price": None,
}


@table("channel", ["Sms", "Viber"])
def test_an_unknown_id(channel: str) -> None:
    """An id that was never given out has state 255, as in the API's example."""
    api = Api()
    assert UNKNOWN == api.state("579700854169272358", channel)


def test_the_unknown_state_is_written_as_documented(api: Api) -> None:
    """The body of the answer for an unknown id, byte by byte."""
    session = api.log_in()
    assert (
        r'{"State":255,"CreationDateUtc":null,"SubmittedDateUtc":null,"ReportedDateUtc":null,'
        r'"TimeStampUtc":"\/Date(-62135596800000)\/","StateDescription":"Неизвестный","Price":null}'
    ) == api.raw("GET", "/rest/Sms/State", f"sessionId={session}&messageId=1").body.decode()


def test_a_channels_id_is_unknown_to_the_other(api: Api) -> None:
    """An SMS id asked of Viber/State, and the other way round, is unknown."""
    _, (sms,) = api.send()
    _, (viber,) = api.send("Viber/Send")
    assert [255, 255] == [api.state(sms, "Viber")["State"], api.state(viber, "Sms")["State"]]


@table("resource, channel", [("Sms/Send", "Sms"), ("Viber/Send", "Viber")])
def test_states_are_told_for_48_hours(resource: str, channel: str) -> None:
    """48 hours after the sending a message's state is 255."""
    api = Api()
    _, (part,) = api.send(resource)
    api.advance(48 * 3600)
    before = api.state(part, channel)["State"]
    api.advance(1)
    assert (True, 255) == (before != 255, api.state(part, channel)["State"])


def test_the_48_hours_count_from_the_sending(api: Api) -> None:
    """A scheduled message's 48 hours begin with its SendDate."""
    _, (part,) = api.send(SendDate="2026-02-28T12:00:00")
    api.advance(32 * 86400)
    assert 0 == api.state(part)["State"]


def test_a_raw_plus_in_an_id_is_tried_both_ways() -> None:
    """An id with + is found escaped, and raw, where the query makes a space of it."""
    api = Api(id_prefix="SAR-W+")
    _, (part,) = api.send()
    session = api.log_in()
    raw = json.loads(api.raw("GET", "/rest/Sms/State", f"sessionId={session}&messageId={part}").body)
    assert (True, -2, -2) == (part.startswith("SAR-W+"), raw["State"], api.state(part)["State"])


def test_validity_ends_what_is_under_way(api: Api) -> None:
    """A message that its network never reports expires after its validity."""
    _, (part,) = api.send(DestinationAddress="79000000003", Validity="10")
    states = []
    for seconds in (599, 1):
        api.advance(seconds)
        states.append(api.state(part)["State"])
    assert [-1, 46] == states


@table("fate", [fate for fate in FATES.values() if not fate.refusal])
def test_magic_numbers_meet_their_fate(fate: Any) -> None:  # noqa: ANN401 - the table's own
    """A magic number's messages end in its fate's last state on either channel."""
    api = Api()
    number = f"790000000{fate.ending}"
    _, (sms,) = api.send(DestinationAddress=number)
    _, (viber,) = api.send("Viber/Send", DestinationAddress=number)
    api.advance(1440 * 60)
    ends = [api.state(sms)["State"], api.state(viber, "Viber")["State"]]
    expected = [
        next((step.state for step in reversed(steps) if step.state not in under_way), expired)
        for steps, under_way, expired in ((fate.sms, (-2, -1), 46), (fate.viber, (0, 1), 7))
    ]
    assert expected == ends


@table("fate", [fate for fate in FATES.values() if fate.refusal])
def test_magic_numbers_that_refuse(fate: Any) -> None:  # noqa: ANN401 - the table's own
    """A magic number whose fate is a refusal refuses the send on either channel, uncharged."""
    api = Api()
    number = f"790000000{fate.ending}"
    sms, viber = (api.send(resource, DestinationAddress=number) for resource in ("Sms/Send", "Viber/Send"))
    assert (ERRORS[fate.refusal].http_status, fate.refusal) == (sms[0], sms[1]["Code"])
    assert fate.word is None or fate.word == viber[1]["Desc"]
    assert (Decimal("1000.00"), 0) == (api.balance, len(api.emulator.store))
