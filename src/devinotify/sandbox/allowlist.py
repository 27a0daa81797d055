"""To whom messages may be sent on, and by which client of a real account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify import phones

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.gateway.client import Client


@dataclass(frozen=True, slots=True)
class AllowList:
    """A client of a real account, and the digits of the numbers that may be written to through it."""

    client: Client
    numbers: frozenset[str]

    @classmethod
    def of(cls, client: Client, numbers: Iterable[str]) -> AllowList:
        """Return one for numbers as people write them; raises InvalidPhoneNumber, a ValueError, for what is not one."""
        return cls(client, frozenset(phones.normalize(number, "RU").digits for number in numbers))
