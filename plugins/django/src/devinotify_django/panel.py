"""What the admin's panel shows: how many rows stand where, and the balance, asked for once a minute at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import Client, DevinotifyError
from django.core.cache import cache

from devinotify_django import conf

if TYPE_CHECKING:
    from devinotify import Outbox

KEEP = 60
"""Seconds for which a balance is shown before it is asked for anew."""
TIMEOUT = 5.0
"""Seconds that the gateway may take: somebody waits for the page."""


def counts(outbox: Outbox) -> list[tuple[str, int]]:
    """Return how many rows stand in each state, the states without any left out."""
    return [(str(state), count) for state, count in outbox.counts() if count]


def balance(using: str) -> str:
    """Return the balance of an alias, or why it is not known."""
    account = conf.account(using)
    key = f"devinotify-balance-{using}-{account.url.account}"
    known = cache.get(key)
    if known is None:
        try:
            with Client(account.url.with_options(timeout=TIMEOUT)) as client:
                known = str(client.user.balance())
        except DevinotifyError as error:
            known = f"not known: {error}"
        cache.set(key, known, KEEP)
    return str(known)
