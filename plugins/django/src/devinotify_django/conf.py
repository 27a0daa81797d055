"""The setting ``DEVINOTIFY``: what it holds, and what is wrong in it; pure but for Django's settings.

::

    DEVINOTIFY = {
        "default": {
            "URL": "devino://login:password@SENDER",
            "OUTBOX": "/var/lib/shop/sms.db",
            "OTP": {"VALIDITY": 5, "TEMPLATE": "Your code: {code}"},
        },
        "alerts": {"URL": …},
    }
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, DevinoURL, InvalidURL
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEFAULT = "default"
NAME = "DEVINOTIFY"
LONGEST_CODE = "0000-0000"
"""What a template is measured with: as long as the codes of allauth, such as JCGQ-SRJB."""
UNUSABLE: tuple[type[Exception], ...] = (DevinotifyError, ImproperlyConfigured)
"""What views and commands tell in a line: the setting, the outbox or the gateway is not as it has to be."""


@dataclass(frozen=True, slots=True)
class CodeSettings:
    """How one-time codes are sent: ``OTP`` of an account.

    ``validity`` is in minutes: a code that was not delivered by then never is. ``template`` takes ``{code}``; with
    ``domain`` a last line follows by which browsers fill the code in. ``limit`` and ``address_limit`` are codes an hour
    for a number and for an address on the internet. ``queued``: a worker sends them, so that it takes the same time
    whether there is anybody to send to.
    """

    validity: int = 5
    template: str = "{code}"
    domain: str | None = None
    limit: int = 5
    address_limit: int = 5
    queued: bool = False

    def text(self, code: str) -> str:
        """Return the text of a code."""
        return self.with_domain(self.template.format(code=code), code)

    def with_domain(self, text: str, code: str) -> str:
        """Return a text with a code in it, and the last line by which browsers fill that in where there is a domain."""
        # The form of WICG's "Origin-bound one-time codes delivered via SMS".
        return f"{text}\n\n@{self.domain} #{code}" if self.domain else text


@dataclass(frozen=True, slots=True)
class Account:
    """One entry of the setting: an account at the gateway, and where its outbox is (``None``: the user's own)."""

    alias: str
    url: DevinoURL
    outbox: str | None = None
    otp: CodeSettings = field(default_factory=CodeSettings)


def account(alias: str = DEFAULT) -> Account:
    """Return the settings of an alias; raise ImproperlyConfigured where there are none, or wrong ones."""
    entries = read_setting()
    if alias not in entries:
        known = ", ".join(map(str, entries)) or "none"
        raise ImproperlyConfigured(f"{NAME} has no entry {alias!r}: there is {known}")
    found, faults = read(alias, entries[alias])
    if found is None:
        raise ImproperlyConfigured("; ".join(fault.says for fault in faults))
    return found


def aliases() -> list[str]:
    """Return the names of all entries."""
    return list(read_setting())


def read_setting() -> Mapping[str, Any]:
    """Return all entries as they are written, none where the setting is missing or not a dict."""
    entries = getattr(settings, NAME, None)
    return entries if isinstance(entries, dict) else {}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the setting: a number that stays the same, where, what, and what to do."""

    number: int
    says: str
    hint: str | None = None


_KEYS = ("URL", "OUTBOX", "OTP")
_OTP: Mapping[str, tuple[type, Callable[[Any], bool], str]] = {
    "VALIDITY": (int, lambda value: 1 <= value <= 2880, "minutes, from 1 to 2880"),
    "TEMPLATE": (str, lambda value: _takes_code(value), "a text with {code} in it, and no other braces"),
    "DOMAIN": (str, lambda value: bool(value) and not set(value) & set(" @#/:"), "a host's name: shop.example.com"),
    "LIMIT": (int, lambda value: value >= 1, "codes an hour, at least 1"),
    "ADDRESS_LIMIT": (int, lambda value: value >= 1, "codes an hour, at least 1"),
    "QUEUED": (bool, lambda value: True, "True or False"),  # noqa: ARG005 - its type says all
}
"""Each key of ``OTP``: its type, what holds of a good value, and how that is said."""


def read(alias: str, entry: object) -> tuple[Account | None, list[Fault]]:
    """Return an entry as it is meant, or ``None``, and every fault in it; no fault shows a secret."""
    where = f"{NAME}[{alias!r}]"
    if not isinstance(entry, dict):
        return None, [Fault(2, f'{where} is not a dict: write {{"URL": "devino://…"}}')]
    faults = [*_unknown(where, entry, _KEYS)]
    url = None
    try:
        if not isinstance(entry.get("URL"), str):
            faults.append(Fault(4, f"{where} has no URL", 'write "URL": "devino://LOGIN:PASSWORD@SENDER"'))
        else:
            url = DevinoURL.parse(entry["URL"])
    except InvalidURL as error:
        faults.append(Fault(5, f"{where}: {error}", "`devinotify url` writes one from its parts."))
    outbox = entry.get("OUTBOX")
    if outbox is not None and not (isinstance(outbox, str) or hasattr(outbox, "__fspath__")):
        faults.append(Fault(6, f"{where}: OUTBOX is neither a path nor a postgresql:// URL"))
    otp = entry.get("OTP", {})
    faults += _otp_faults(where, otp)
    if url is None or faults:
        return None, faults
    given = {name.lower(): value for name, value in otp.items()}
    return Account(alias, url, url.outbox if outbox is None else str(outbox), CodeSettings(**given)), []


def _otp_faults(where: str, otp: object) -> Iterator[Fault]:
    if not isinstance(otp, dict):
        yield Fault(7, f"{where}: OTP is not a dict")
        return
    yield from _unknown(f"{where}: OTP", otp, tuple(_OTP))
    for name, value in otp.items():
        kind, good, needs = _OTP.get(name, (object, bool, ""))
        if needs and type(value) is not kind:
            yield Fault(8, f"{where}: OTP: {name} is {needs}: of type {kind.__name__}, not {type(value).__name__}")
        elif needs and not good(value):
            yield Fault(8, f"{where}: OTP: {name} is {needs}")
    if otp.get("QUEUED") is True and type(otp.get("VALIDITY")) is int and otp["VALIDITY"] == 1:
        # The gateway counts whole minutes, and once the code is stored there is less than one left.
        yield Fault(8, f"{where}: OTP: VALIDITY is at least 2 minutes where codes are QUEUED: the wait counts")


def _unknown(where: str, entry: Mapping[Any, Any], known: tuple[str, ...]) -> Iterator[Fault]:
    for key in entry:
        if key not in known:
            near = get_close_matches(str(key).upper(), known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            yield Fault(3, f"{where} has no key {str(key)[:40]!r}: {meant}")


def _takes_code(template: str) -> bool:
    try:
        return "123456" in template.format(code="123456")
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


assert {name.lower() for name in _OTP} == {each.name for each in fields(CodeSettings)}  # noqa: S101 - of one table
