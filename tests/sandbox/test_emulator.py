"""The platform's settings: fates, zones, incoming messages, balance, reset."""

from __future__ import annotations

from decimal import Decimal

import pytest

from devinotify.sandbox.settings import EVERY_NUMBER, Settings
from tests.sandbox.conftest import NUMBER, START, Api
from tests.tables import table


def fate(api: Api, digits: str = NUMBER) -> str:
    """Return the name of a number's fate."""
    return api.emulator.settings.fate_of(digits).name


def test_a_fate_is_set_in_any_spelling(api: Api) -> None:
    """A number's fate holds for the number, however it was written."""
    api.emulator.set_fate("8 (916) 123-45-67", "expired")
    assert ("expired", "delivered") == (fate(api), fate(api, "79031234567"))


def test_a_fate_is_taken_back(api: Api) -> None:
    """None gives a number its own fate again."""
    api.emulator.set_fate(NUMBER, "expired")
    api.emulator.set_fate(NUMBER, None)
    assert "delivered" == fate(api)


def test_every_number_has_a_fate(api: Api) -> None:
    """The fate of every number gives way to a magic number's, and that to one set for the number."""
    api.emulator.set_fate(EVERY_NUMBER, "deleted")
    magic = fate(api, "79000000046")
    api.emulator.set_fate("79000000046", "read")
    assert ("deleted", "expired", "read") == (fate(api), magic, fate(api, "79000000046"))


def test_a_fate_is_decided_when_the_message_is_sent(api: Api) -> None:
    """A fate set later changes nothing about messages under way."""
    _, (part,) = api.send()
    api.emulator.set_fate(NUMBER, "expired")
    api.advance(10)
    assert 0 == api.state(part)["State"]


@table("number, name", [("x", "expired"), (NUMBER, "eaten")])
def test_wrong_fates(number: str, name: str) -> None:
    """What is not a number or not a fate is refused."""
    api = Api()
    with pytest.raises(ValueError, match=r".+"):
        api.emulator.set_fate(number, name)


def test_settings_are_capped() -> None:
    """Past the cap a new number is refused, a known one can still change."""
    api = Api(settings=Settings(most_numbers=1))
    api.emulator.set_fate(NUMBER, "expired")
    api.emulator.set_fate(NUMBER, "read")
    with pytest.raises(ValueError, match="reset first"):
        api.emulator.set_fate("79031234567", "read")


def test_time_zones(api: Api) -> None:
    """A number's zone can be set and taken back; a zone that does not exist is refused."""
    api.emulator.set_time_zone(NUMBER, "Asia/Omsk")
    before = api.emulator.settings.zone_of(NUMBER)
    api.emulator.set_time_zone(NUMBER, None)
    assert ("Asia/Omsk", "Europe/Moscow") == (before, api.emulator.settings.zone_of(NUMBER))
    with pytest.raises(ValueError, match="no such time zone"):
        api.emulator.set_time_zone(NUMBER, "Asia/Nowhere")


@table("text, sender", [("", "1"), ("x" * 2001, "1"), ("x", ""), ("x", "1" * 33), ("\ud800", "1")])
def test_wrong_incoming_messages(text: str, sender: str) -> None:
    """An incoming message must have a text and a sender, both of a length, both fit for UTF-8."""
    api = Api()
    with pytest.raises(ValueError, match=r"must have|surrogate"):
        api.emulator.add_incoming(text, sender, "79160000000")


@table("balance", ["NaN", "Infinity", "1e16", "-1", "-0.01", "-Infinity"])
def test_wrong_balances(balance: str) -> None:
    """A balance must be a number of a size that JSON carries."""
    api = Api()
    with pytest.raises(ValueError, match=r"^balance must be a number from 0 to 10\^15$"):
        api.emulator.set_balance(Decimal(balance))
    assert Decimal("1000.00") == api.balance


def test_reset_forgets_everything(api: Api) -> None:
    """A reset emulator is as it was made; a resend that was due is forgotten too."""
    api.send("Viber/SendWithResend", DestinationAddress="79000000024")
    api.emulator.set_fate(NUMBER, "expired")
    api.emulator.set_time_zone(NUMBER, "Asia/Omsk")
    api.emulator.add_incoming("x", "1", "2")
    api.emulator.advance(0.5)
    api.emulator.reset()
    emulator = api.emulator
    assert (0, 0, 0, {}, {}) == (
        len(emulator.store),
        len(emulator.store.incoming),
        len(emulator.store.requests),
        emulator.settings.fates,
        emulator.settings.zones,
    )
    assert (START.timestamp(), Decimal("1000.00")) == (emulator.clock.now(), api.balance)
    assert (START.timestamp() + 60, 0) == (emulator.advance(60), len(emulator.store))
