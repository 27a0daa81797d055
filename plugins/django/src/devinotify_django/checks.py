"""``manage.py check``: every mistake in the setting by its name; ``--deploy`` asks the gateway as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinotify import Client, DevinotifyError, Notifier, Outbox
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from devinotify_django import conf

if TYPE_CHECKING:
    from collections.abc import Iterator

LOW = 100
"""A balance below which ``--deploy`` warns, in the account's currency."""


def _error(fault: conf.Fault) -> Error:
    return Error(fault.says, hint=fault.hint, id=f"devinotify.E{fault.number:03d}")


@register("devinotify")
def check_settings(**options: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001 - Django's own
    """Return what is wrong with ``DEVINOTIFY``, an outbox that cannot be used included."""
    entries = conf.read_setting()
    if conf.DEFAULT not in entries:
        says = f'{conf.NAME} has no entry "{conf.DEFAULT}"'
        return [Error(says, hint='write DEVINOTIFY = {"default": {"URL": "devino://…"}}', id="devinotify.E001")]
    found: list[CheckMessage] = []
    for alias, entry in entries.items():
        account, faults = conf.read(alias, entry)
        found += map(_error, faults)
        if account is not None:
            found += _of_account(account)
    return found


def _of_account(account: conf.Account) -> Iterator[CheckMessage]:
    where = f"{conf.NAME}[{account.alias!r}]"
    try:
        if account.outbox is not None:
            Outbox(account.outbox).close()
    except DevinotifyError as error:
        yield Error(f"{where}: {error}", hint="OUTBOX is a path or a postgresql:// URL", id="devinotify.E009")
    else:
        # What only a Notifier knows: the channels, those of plugins among them, and the senders that they take.
        try:
            Notifier(account.url, outbox=account.outbox).close()
        except DevinotifyError as error:
            yield Error(f"{where}: {error}", id="devinotify.E011")
    needed = conf.segments(account.otp)
    if needed > 1:
        yield checks.Warning(
            f"{where}: a one-time code takes {needed} segments, each of which is paid for",
            hint=f"`devinotify segments` shows why; measured with a code of {len(conf.LONGEST_CODE)} digits",
            id="devinotify.W001",
        )


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
