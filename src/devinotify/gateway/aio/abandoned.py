"""What became of a send whose caller was cancelled after it had begun to leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from devinotify.exceptions import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.exceptions import DevinotifyError
    from devinotify.gateway.calls import Call
    from devinotify.models import BulkReceipt, Receipt


@dataclass(frozen=True, slots=True, repr=False)
class Abandoned:
    """The end of a send that nobody waits for any more: a ``receipt``, or the ``error`` that tells why there is none.

    ``operation`` is the gateway's name of it, ``recipients`` whom it was for, in E.164.
    """

    operation: str
    recipients: tuple[str, ...]
    receipt: Receipt | BulkReceipt | None = None
    error: DevinotifyError | None = None

    def __repr__(self) -> str:
        return f"<Abandoned {self.operation}, {self.verdict}>"

    @property
    def verdict(self) -> Verdict:
        """What is known of the message, as for a send that was waited for."""
        return Verdict.ACCEPTED if self.error is None else self.error.verdict


def recipients_of(call: Call[Any]) -> tuple[str, ...]:
    """Return whom a send is for, in E.164."""
    numbers = call.values.get("DestinationAddresses") or (call.values["DestinationAddress"],)
    return tuple([f"+{number}" for number in cast("Iterable[str]", numbers)])
