"""What the admin's panel shows of each account: how many rows stand where, and the balance, asked for once a minute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from devinotify import Client, DevinotifyError
from django.core.cache import cache

from devinotify_django import conf, notifiers

if TYPE_CHECKING:
    from collections.abc import Iterable

KEEP = 60
"""Seconds for which a balance is shown before it is asked for anew."""
TIMEOUT = 5.0
"""Seconds that the gateway may take: somebody waits for the page."""
AT_A_TIME = 8
"""Accounts whose balance is asked for at the same time."""


@dataclass(frozen=True, slots=True)
class Panel:
    """How an account stands; ``fault`` is why its outbox or its setting cannot be used, and the rest is empty then."""

    using: str
    balance: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    fault: str | None = None


def panels(aliases: Iterable[str]) -> list[Panel]:
    """Return how these accounts stand; nothing that is wrong with one of them keeps the others from being shown."""
    accounts: dict[str, conf.Account | str] = {}
    for using in aliases:
        try:
            accounts[using] = conf.account(using)
        except conf.UNUSABLE as error:
            accounts[using] = str(error)
    known = _balances([account for account in accounts.values() if isinstance(account, conf.Account)])
    return [
        Panel(using, fault=account) if isinstance(account, str) else _of_outbox(account, known[using])
        for using, account in accounts.items()
    ]


def _of_outbox(account: conf.Account, balance: str) -> Panel:
    try:
        counts = notifiers.outbox(account.alias).counts(account.url.account)
    except conf.UNUSABLE as error:
        return Panel(account.alias, balance, fault=str(error))
    return Panel(account.alias, balance, tuple((str(state), count) for state, count in counts if count))


def _balances(accounts: Iterable[conf.Account]) -> dict[str, str]:
    """Return each alias's balance, or why it is not known: those that are not kept are asked for at the same time."""
    keys = {_key(account): account for account in accounts}
    known: dict[str, str] = cache.get_many(keys)
    missing = {key: account for key, account in keys.items() if key not in known}
    if missing:
        with ThreadPoolExecutor(min(len(missing), AT_A_TIME)) as pool:
            asked = dict(zip(missing, pool.map(_ask, missing.values()), strict=True))
        cache.set_many(asked, KEEP)
        known |= asked
    return {account.alias: known[key] for key, account in keys.items()}


def _key(account: conf.Account) -> str:
    # A digest: not every cache takes every sign that a login may have.
    return f"devinotify-balance-{sha256(f'{account.alias} {account.url.account}'.encode()).hexdigest()}"


def _ask(account: conf.Account) -> str:
    try:
        with Client(account.url.with_options(timeout=TIMEOUT)) as client:
            return str(client.user.balance())
    except DevinotifyError as error:
        return f"not known: {error}"
