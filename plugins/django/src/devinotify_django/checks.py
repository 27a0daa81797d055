"""``manage.py check``: every mistake in the setting by its name; ``--deploy`` asks the gateway as well."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from devinotify import Client, DevinotifyError, Notifier, Outbox
from devinotify import text as texts
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

from devinotify_django import conf
from devinotify_django.addresses import AddressMiddleware
from devinotify_django.hosts import Text, hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOW = 100
"""A balance below which ``--deploy`` warns, in the account's currency."""


def _error(fault: conf.Fault) -> Error:
    return Error(fault.says, hint=fault.hint, id=f"devinotify.E{fault.number:03d}")


@register("devinotify")
def check_settings(**options: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001 - Django's own
    """Return what is wrong with ``DEVINOTIFY``, an outbox that cannot be used included."""
    entries = conf.read_setting()
    found: list[CheckMessage] = []
    if conf.DEFAULT not in entries:
        says = f'{conf.NAME} has no entry "{conf.DEFAULT}"'
        found.append(Error(says, hint='write DEVINOTIFY = {"default": {"URL": "devino://…"}}', id="devinotify.E001"))
    found += _of_hosts(entries)
    for alias, entry in entries.items():
        account, faults = conf.read(alias, entry)
        found += map(_error, faults)
        if account is not None:
            found += _of_account(account, sends_codes="OTP" in entry or any(host.using == alias for host in hosts()))
            found += _of_texts(account)
    found += _of_addresses(entries)
    return found


def _of_hosts(entries: Mapping[str, Any]) -> Iterator[CheckMessage]:
    """Yield an error for each package that sends its codes by an entry that is not there."""
    for host in hosts():
        if host.using != conf.DEFAULT and host.using not in list(entries):  # without a default one, that is told
            near = get_close_matches(str(host.using), map(str, entries), 1)
            there = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(map(str, entries)) or 'none'}"
            says = f"{host.setting} is {host.using!r}, and {conf.NAME} has no such entry: {there}"
            yield Error(says, id="devinotify.E012")


def _of_account(account: conf.Account, *, sends_codes: bool) -> Iterator[CheckMessage]:
    where = f"{conf.NAME}[{account.alias!r}]"
    hint = "OUTBOX is a path or a postgresql:// URL"
    try:
        if account.outbox is not None:
            Outbox(account.outbox).close()
    except DevinotifyError as error:
        yield Error(f"{where}: {error}", hint=hint, id="devinotify.E009")
        return
    # What only a Notifier knows: the channels, those of plugins among them, and the senders that they take.
    try:
        notifier = Notifier(account.url, outbox=account.outbox)
    except DevinotifyError as error:
        yield Error(f"{where}: {error}", id="devinotify.E011")
        return
    try:
        notifier.following()  # with the outbox of the user or the environment, where none is named
    except DevinotifyError as error:
        if sends_codes:
            yield Error(f"{where}: {error}", hint=hint, id="devinotify.E009")
        else:  # it may send by send_sms alone, which needs none
            hint = f"enqueue_sms and one-time codes need it: {hint}"
            yield checks.Warning(f"{where}: {error}", hint=hint, id="devinotify.W004")
    finally:
        notifier.close()


def _of_texts(account: conf.Account) -> Iterator[CheckMessage]:
    """Yield what is said of the texts of one-time codes: of the account's own, and of those of other packages."""
    otp = account.otp
    measured = [Text("a one-time code", otp.template.format(code=conf.LONGEST_CODE), conf.LONGEST_CODE)]
    for host in hosts():
        if host.using == account.alias:
            measured += host.texts
    for each in measured:
        text = each.text if each.code is None else otp.with_domain(each.text, each.code)
        needed = texts.count_segments(texts.to_gsm7(text) if account.url.transliterate else text)
        if needed > 1:
            hint = "`devinotify segments` shows why"
            yield checks.Warning(
                f"{conf.NAME}[{account.alias!r}]: {each.name} takes {needed} segments, each of which is paid for",
                hint=hint if each.code is None else f"{hint}; measured with a code of {len(each.code)} characters",
                id="devinotify.W001",
            )


def _of_addresses(entries: Mapping[str, Any]) -> Iterator[CheckMessage]:
    """Yield a warning where codes are sent, and the addresses that ask for them are not known."""
    sends_codes = any(isinstance(entry, dict) and "OTP" in entry for entry in entries.values()) or any(hosts())
    if sends_codes and not any(map(_knows_addresses, settings.MIDDLEWARE)):
        yield checks.Warning(
            "one-time codes are not limited by address: AddressMiddleware is not in MIDDLEWARE",
            hint='add "devinotify_django.addresses.AddressMiddleware", or silence this where callers give an address',
            id="devinotify.W003",
        )


def _knows_addresses(path: str) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        return False  # Django itself tells
    return isinstance(found, type) and issubclass(found, AddressMiddleware)


@register(Tags.security, deploy=True)
def check_balance(**options: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001 - Django's own
    """Return what the gateway says of each account: wrong credentials, a balance that is nearly used up."""
    found: list[CheckMessage] = []
    for alias, entry in conf.read_setting().items():
        account, _ = conf.read(alias, entry)
        if account is None:
            continue  # told by the other check
        where = f"{conf.NAME}[{alias!r}]"
        try:
            with Client(account.url) as client:
                balance = client.user.balance()
        except DevinotifyError as error:
            found.append(Error(f"{where}: the gateway was asked for the balance: {error}", id="devinotify.E010"))
            continue
        if balance < LOW:
            found.append(checks.Warning(f"{where}: the balance is {balance}", id="devinotify.W002"))
    return found
