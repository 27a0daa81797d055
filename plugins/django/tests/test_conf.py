"""The setting, and what ``manage.py check`` says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from devinotify import InvalidInput
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from devinotify_django import conf, get_notifier
from devinotify_django.addresses import AddressMiddleware
from devinotify_django.two_factor import Gateway
from tests.adapters import Adapter
from tests.project import URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox


def said(setting: object, **options: Any) -> list[tuple[str, str]]:
    """Return the ids and words of what the checks find in a setting."""
    with override_settings(DEVINOTIFY=setting):
        return [(found.id, found.msg) for found in run_checks(**options) if "devinotify" in found.id]


@pytest.mark.parametrize(
    ("entry", "number", "words"),
    [
        ("devino://x", "E002", "is not a dict"),
        ({"URL": URL, "Outbx": "a"}, "E003", "did you mean OUTBOX?"),
        ({"URL": URL, "COLOUR": "a"}, "E003", "there are URL, OUTBOX, OTP"),
        ({}, "E004", "has no URL"),
        ({"URL": "devino://login@SENDER"}, "E005", "password"),
        ({"URL": "devino://login:hunter2@SENDER?chanel=sms"}, "E005", "channel"),
        ({"URL": URL, "OUTBOX": 5}, "E006", "OUTBOX"),
        ({"URL": URL, "OTP": 5}, "E007", "OTP is not a dict"),
        ({"URL": URL, "OTP": {"VALIDTY": 5}}, "E003", "did you mean VALIDITY?"),
        ({"URL": URL, "OTP": {"VALIDITY": 0}}, "E008", "VALIDITY"),
        ({"URL": URL, "OTP": {"VALIDITY": True}}, "E008", "VALIDITY"),
        ({"URL": URL, "OTP": {"VALIDITY": "5"}}, "E008", "of type int, not str"),
        ({"URL": URL, "OTP": {"TEMPLATE": "Your code"}}, "E008", "TEMPLATE"),
        ({"URL": URL, "OTP": {"TEMPLATE": "{code} {name}"}}, "E008", "TEMPLATE"),
        ({"URL": URL, "OTP": {"TEMPLATE": "{code.name}"}}, "E008", "TEMPLATE"),
        ({"URL": URL, "OTP": {"TEMPLATE": "{code[x]}"}}, "E008", "TEMPLATE"),
        ({"URL": URL, "OTP": {"DOMAIN": "https://a.b"}}, "E008", "DOMAIN"),
        ({"URL": URL, "OTP": {"LIMIT": 0}}, "E008", "LIMIT"),
        ({"URL": URL, "OTP": {"ADDRESS_LIMIT": 0}}, "E008", "ADDRESS_LIMIT"),
        ({"URL": URL, "OTP": {"QUEUED": 1}}, "E008", "QUEUED"),
        ({"URL": URL, "OTP": {"QUEUED": True, "VALIDITY": 1}}, "E008", "at least 2 minutes"),
        ({"URL": URL, "OUTBOX": "/dev/null/sms.db"}, "E009", "/dev/null/sms.db"),
        ({"URL": f"{URL}&channel=vibr"}, "E011", "did you mean viber?"),
        ({"URL": URL.replace("SENDER", "much_too_long_a_sender")}, "E011", "sender"),
        ({"URL": f"{URL}&channel=sms-viber&outbox=/dev/null/sms.db"}, "E009", "/dev/null/sms.db"),
        ({"URL": URL, "OTP": {"TEMPLATE": f"{'Ваш код: ' * 8}{{code}}"}}, "W001", "a one-time code takes 2 segments"),
    ],
)
def test_names_the_mistake(entry: object, number: str, words: str) -> None:
    """Each mistake is named, by an id of its own, and no secret with it."""
    ((found, message),) = said({"default": entry})
    assert f"devinotify.{number}" == found
    assert words in message
    assert "hunter2" not in message


def test_last_line_is_measured() -> None:
    """It is the domain's line that makes the second segment of a text that fits without it."""
    otp = {"TEMPLATE": "Ваш код для входа в личный кабинет: {code}"}
    assert [] == said({"default": {"URL": URL, "OTP": otp}})
    assert ["devinotify.W001"] == [number for number, _ in said({"default": {"URL": URL, "OTP": otp | DOMAIN}})]


DOMAIN = {"DOMAIN": "shop.example.com"}
VERIFICATION = settings.PHONE_VERIFICATION
LONG = "{security_code} - это код для входа в личный кабинет, {app}, никому его не говорите"


@pytest.mark.parametrize(
    ("changed", "otp"),
    [
        ({"MESSAGE": LONG}, {}),
        ({"MESSAGE": LONG, "OPTIONS": "default"}, {}),
        ({"MESSAGE": "{security_code} - код для входа в личный кабинет: {app}"}, DOMAIN),
        ({"MESSAGE": "{security_code} - код", "TOKEN_LENGTH": 80}, {}),
    ],
)
def test_text_of_phone_verify_is_measured(changed: dict[str, Any], otp: dict[str, str]) -> None:
    """Its own text is a code's as well, with the code of its length and the domain's line."""
    with override_settings(PHONE_VERIFICATION=VERIFICATION | changed):
        ((number, message),) = said({"default": {"URL": URL, "OTP": otp}})
    assert ("devinotify.W001", True) == (number, "PHONE_VERIFICATION['MESSAGE'] takes 2 segments" in message)


@pytest.mark.parametrize(
    "changed",
    [
        {"BACKEND": "tests.adapters.Adapter"},
        {"BACKEND": "no.such.Backend"},
        {"BACKEND": None},
        {"MESSAGE": "{mine}"},
        {"MESSAGE": "{app.name}"},
        {"TOKEN_LENGTH": "six"},
    ],
)
def test_texts_of_others_are_theirs(changed: dict[str, Any]) -> None:
    """Another backend's text, and one that takes more than phone-verify gives it, are not ours to measure."""
    with override_settings(PHONE_VERIFICATION=VERIFICATION | {"MESSAGE": LONG} | changed):
        assert [] == said({"default": {"URL": URL}})


class Talkative(Adapter):
    """An adapter with a text that is too long, by another account."""

    devinotify_using = "alerts"
    devinotify_unknown_account_text = "Не найдено учётной записи с таким номером телефона, попробуйте другой номер"


def test_texts_of_allauth_are_measured() -> None:
    """An adapter's texts are measured for the account that sends them."""
    with override_settings(ACCOUNT_ADAPTER=f"{__name__}.Talkative"):
        ((number, message),) = said({"default": {"URL": URL}, "alerts": {"URL": URL}})
    assert "devinotify.W001" == number
    assert "DEVINOTIFY['alerts']: devinotify_unknown_account_text takes 2 segments" in message


THEIRS = "allauth.account.adapter.DefaultAccountAdapter"
NO_HOSTS = {"TWO_FACTOR_SMS_GATEWAY": None, "ACCOUNT_ADAPTER": THEIRS, "PHONE_VERIFICATION": None}
OTHERS = ["no.such.Middleware", "django.middleware.common.CommonMiddleware"]


class Addresses(AddressMiddleware):
    """One of a project's own."""


@pytest.mark.parametrize(
    ("otp", "hosts", "expected"),
    [
        (None, {}, []),
        ({}, {}, ["devinotify.W003"]),
        *((None, {name: getattr(settings, name)}, ["devinotify.W003"]) for name in NO_HOSTS),
    ],
)
def test_addresses_are_not_known(otp: dict[str, Any] | None, hosts: dict[str, Any], expected: list[str]) -> None:
    """A project that sends codes is told that it lacks the middleware, one that sends none is not."""
    entry = {"URL": URL} if otp is None else {"URL": URL, "OTP": otp}
    with override_settings(**NO_HOSTS | hosts, MIDDLEWARE=OTHERS):
        assert expected == [number for number, _ in said({"default": entry})]


def test_addresses_are_known() -> None:
    """A middleware that is derived from ours knows them as well."""
    with override_settings(MIDDLEWARE=[*OTHERS, f"{__name__}.Addresses"]):
        assert [] == said({"default": {"URL": URL, "OTP": {}}})


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        ({"PHONE_VERIFICATION": VERIFICATION | {"OPTIONS": {"using": "alrts"}}}, "PHONE_VERIFICATION"),
        ({"TWO_FACTOR_SMS_GATEWAY": f"{__name__}.Lost"}, "TWO_FACTOR_SMS_GATEWAY"),
        ({"ACCOUNT_ADAPTER": f"{__name__}.LostAdapter"}, "ACCOUNT_ADAPTER"),
    ],
)
def test_package_uses_an_entry_that_is_not_there(hosts: dict[str, Any], names: str) -> None:
    """It is named, with the entry that it may mean."""
    with override_settings(**NO_HOSTS | hosts):
        ((number, message),) = said({"default": {"URL": URL}, "alerts": {"URL": URL}})
    assert "devinotify.E012" == number
    assert all(words in message for words in (names, "'alrts'", "did you mean 'alerts'?"))


class Lost(Gateway):
    """A gateway of a mistyped account."""

    using = "alrts"


class LostAdapter(Adapter):
    """An adapter of a mistyped account."""

    devinotify_using = "alrts"


def test_other_entries_are_read_without_a_default_one() -> None:
    """Their faults are told as well, at once."""
    found = said({"alerts": {}, "news": {"URL": URL, "COLOUR": "a"}})
    assert ["devinotify.E001", "devinotify.E003", "devinotify.E004"] == sorted(number for number, _ in found)


@pytest.mark.parametrize(
    ("otp", "hosts", "number"),
    [({"OTP": {}}, {}, "E009"), ({}, {"ACCOUNT_ADAPTER": settings.ACCOUNT_ADAPTER}, "E009"), ({}, {}, "W004")],
)
def test_default_outbox_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, otp: dict[str, Any], hosts: dict[str, Any], number: str
) -> None:
    """Codes are counted in the outbox that the environment names: an error, and a warning where only some need it."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", "/dev/null/sms.db")
    with override_settings(**NO_HOSTS | hosts):
        ((found, message),) = said({"default": {"URL": URL, **otp}})
        ((channel, _),) = said({"default": {"URL": f"{URL}&channel=vibr"}}) if number == "W004" else [("", "")]
    assert (f"devinotify.{number}", True) == (found, "/dev/null/sms.db" in message)
    assert channel in ("", "devinotify.E011")


def test_longest_code_is_measured() -> None:
    """A text is measured with a code as allauth makes them, in both places where it stands: of nine characters."""
    otp = {"TEMPLATE": f"{'x' * (160 - 9)}{{code}}"}
    assert [] == said({"default": {"URL": URL, "OTP": otp}})
    assert ["devinotify.W001"] == [
        n for n, _ in said({"default": {"URL": URL, "OTP": {"TEMPLATE": "x" + otp["TEMPLATE"]}}})
    ]
    domain = len("\n\n@shop.example.com #") + 9
    otp = {"TEMPLATE": f"{'x' * (160 - 9 - domain)}{{code}}", **DOMAIN}
    assert [] == said({"default": {"URL": URL, "OTP": otp}})
    assert ["devinotify.W001"] == [
        n for n, _ in said({"default": {"URL": URL, "OTP": otp | {"TEMPLATE": "x" + otp["TEMPLATE"]}}})
    ]


def test_what_is_sent_is_measured() -> None:
    """A text that goes out in Latin letters is measured in them."""
    otp = {"TEMPLATE": f"{'Ваш код: ' * 8}{{code}}"}
    assert [] == said({"default": {"URL": f"{URL}&transliterate=yes", "OTP": otp}})


@pytest.mark.parametrize("setting", [None, {}, {"alerts": {"URL": URL}}, [URL]])
def test_default_is_needed(setting: object) -> None:
    """Without an entry by that name nothing can be sent."""
    assert ["devinotify.E001"] == [number for number, _ in said(setting)]


def test_unreachable_database() -> None:
    """A database that nobody listens for is found out."""
    location = "postgresql://tester:s3cret@127.0.0.1:9/shop?connect_timeout=2"
    ((number, message),) = said({"default": {"URL": URL, "OUTBOX": location}})
    assert "devinotify.E009" == number
    assert "s3cret" not in message


def test_all_is_well(tmp_path: Path) -> None:
    """A setting in which all is well is not spoken of, with all that it may hold."""
    otp = {"VALIDITY": 10, "TEMPLATE": "Code: {code}", "DOMAIN": "shop.example.com", "LIMIT": 3, "QUEUED": True}
    entry = {"URL": URL, "OUTBOX": tmp_path / "sms.db", "OTP": otp}
    assert [] == said({"default": entry, "alerts": {"URL": URL}})


def test_deploy_asks_the_gateway(gateway: Sandbox) -> None:
    """``--deploy`` says that a balance is low, and who could not be asked; what is wrong by itself it leaves alone."""
    gateway.balance = 5
    setting = {"default": {"URL": gateway.url}, "closed": {"URL": URL}, "wrong": {}}
    found = [number for number, _ in said(setting, include_deployment_checks=True)]
    assert ["devinotify.E004", "devinotify.E010", "devinotify.W002"] == sorted(found)


def test_enough_is_enough(gateway: Sandbox) -> None:
    """A good balance is not spoken of."""
    assert [] == said({"default": {"URL": gateway.url}}, include_deployment_checks=True)


def test_unknown_alias(configure: Callable[..., None]) -> None:
    """An alias that is not there is an error that names those that are."""
    with pytest.raises(ImproperlyConfigured, match="no entry 'alerts': there is default"):
        get_notifier("alerts")


def test_wrong_entry(configure: Callable[..., None]) -> None:
    """What the checks would find is raised by whoever sends all the same."""
    configure(URL="devino://login@SENDER")
    with pytest.raises(ImproperlyConfigured, match="password"):
        get_notifier()


def test_wrong_sender(configure: Callable[..., None]) -> None:
    """A sender that the channel does not take is refused where it is asked for."""
    with pytest.raises(InvalidInput):
        get_notifier(sender="much too long for a sender")


def test_text_of_a_code() -> None:
    """The last line is what browsers look for."""
    text = conf.CodeSettings(template="Code {code}", domain="shop.example.com").text("4821")
    assert ["Code 4821", "", "@shop.example.com #4821"] == text.split("\n")
