"""Whom a campaign leaves out, by their numbers: as its list is sorted out, and before each send. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.bulk.own_sends import OwnSends
from devinotify.exceptions import Suppressed
from devinotify.hookspecs import hookimpl
from devinotify.phones.number import is_e164

if TYPE_CHECKING:
    from devinotify.bulk.seen import Seen
    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Message
    from devinotify.notifier import Notifier
    from devinotify.phones.recipients import SortedMany


class Exclusion(OwnSends):
    """Numbers to leave out, as digits, and a plugin that refuses them in the campaign's own sends.

    They are left out twice: as the list is sorted out, so that the plan, the journal and all who send from it know;
    and before each send of this process, for those who were put into the journal before they were left out. What
    others send with the same ``notifier`` meanwhile is not the campaign's affair.
    """

    def __init__(self, numbers: Seen, notifier: Notifier) -> None:
        super().__init__(notifier)
        self.numbers = numbers
        self.error: DevinotifyError = Suppressed(
            "left out: the number is on a list, or was reached by a campaign, that is excluded", reason="excluded"
        )
        """Why they are refused."""

    def split(self, found: SortedMany) -> tuple[SortedMany, list[int]]:
        """Return what is left of a page, and the positions of the rows that are left out."""
        pairs = zip(found.positions, found.numbers, strict=True)
        out = {place for place, number in pairs if int(number) in self.numbers}
        if not out:
            return found, []
        kept = [pair for pair in zip(found.positions, found.numbers, strict=True) if pair[0] not in out]
        left = replace(
            found,
            positions=[place for place, _ in kept],
            numbers=[number for _, number in kept],
            duplicates={later: at for later, at in found.duplicates.items() if at not in out},
        )
        return left, sorted([*out, *(later for later, at in found.duplicates.items() if at in out)])

    @hookimpl
    def devinotify_screen_recipients(self, message: Message) -> dict[str, DevinotifyError]:
        """Refuse those who are left out, in what the campaign sends."""
        if not self.is_asked:
            return {}
        return {number: self.error for number in message.recipients if is_e164(number) and int(number) in self.numbers}
