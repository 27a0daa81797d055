"""The packages whose one-time codes are sent by this one, as the project's settings have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from devinotify_django import conf

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a package sends: what it is called, and the code in it (``None``: it has none)."""

    name: str
    text: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A package that sends codes: its setting, the entry of ``DEVINOTIFY`` that it names, and texts of its own."""

    setting: str
    using: object
    texts: tuple[Text, ...] = ()


def hosts() -> Iterator[Host]:
    """Yield the packages that are set up to send their codes by one of our classes, or one derived from it."""
    gateway = _ours(getattr(settings, "TWO_FACTOR_SMS_GATEWAY", None), "devinotify_django.two_factor.Gateway")
    if gateway is not None:
        yield Host("TWO_FACTOR_SMS_GATEWAY: using", gateway.using)
    adapter = _ours(getattr(settings, "ACCOUNT_ADAPTER", None), "devinotify_django.allauth.PhoneAdapterMixin")
    if adapter is not None:
        names = ("devinotify_unknown_account_text", "devinotify_account_already_exists_text")
        texts = tuple(Text(name, str(getattr(adapter, name))) for name in names)
        yield Host("ACCOUNT_ADAPTER: devinotify_using", adapter.devinotify_using, texts)
    verification = getattr(settings, "PHONE_VERIFICATION", None)
    given: dict[str, Any] = verification if isinstance(verification, dict) else {}
    if _ours(given.get("BACKEND"), "devinotify_django.phone_verify.Backend") is not None:
        options = given.get("OPTIONS")
        using = options.get("using", conf.DEFAULT) if isinstance(options, dict) else conf.DEFAULT
        yield Host("PHONE_VERIFICATION['OPTIONS']['using']", using, tuple(_of_phone_verify(given)))


def _of_phone_verify(given: dict[str, Any]) -> Iterator[Text]:
    try:
        code = "0" * int(given.get("TOKEN_LENGTH") or len(conf.LONGEST_CODE))
        text = str(given["MESSAGE"]).format(app=given.get("APP_NAME", ""), security_code=code)
    except (AttributeError, LookupError, TypeError, ValueError):
        return  # phone-verify asks for it, or takes more from its caller
    yield Text("PHONE_VERIFICATION['MESSAGE']", text, code)


def _ours(path: object, base: str) -> Any:  # noqa: ANN401 - a class of the project's
    """Return the class that a setting names, ``None`` where it is none of ours."""
    if not isinstance(path, str):
        return None
    try:
        found, ours = import_string(path), import_string(base)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the package that it is made for tells
        return None
    return found if isinstance(found, type) and issubclass(found, ours) else None
