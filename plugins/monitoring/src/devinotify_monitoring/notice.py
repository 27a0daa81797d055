"""What a host has to tell somebody, read from its own way of telling it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Notice:
    """One notification of a host: what is told, to whom, and what tells it from the others.

    ``headline`` is the state with host and service, ``detail`` what the check said, or somebody's comment.
    ``recipients`` are those whom the host names. ``identity`` are the parts that one notification has in common with
    its own repetitions and with no other; empty where the host tells none.
    """

    headline: str
    detail: str = ""
    recipients: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Notice for {len(self.recipients)}{'' if self.identity else ', told apart by its text'}>"
