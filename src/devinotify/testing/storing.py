"""Whose messages a host stores, as the suite of hosts looks at it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.outbox import outbox
from devinotify.outbox.arguments import new_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.outbox.records import NewMessage


@contextmanager
def accounts_stored() -> Iterator[list[str | None]]:
    """Give the account of each message that this process stores in an outbox inside the block, ``None`` for nobody's.

    As it is when it is stored: what is nobody's becomes the account's that first claims it, which is the right one by
    chance where each account has an outbox of its own, or a worker that is quick.
    """
    accounts: list[str | None] = []

    def noting(*args: Any, account: str | None, **options: Any) -> NewMessage:  # noqa: ANN401 - the function's own
        accounts.append(account)
        return new_message(*args, account=account, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "new_message", noting)
        yield accounts
