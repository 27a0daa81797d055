"""Whom a message is for: aliases and groups resolved, numbers read, each recipient once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from devinotify import phones
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict, copied
from devinotify.redact import Secrets, hide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from devinotify.models import Message
    from devinotify.phones import PhoneNumber
    from devinotify.plugins import PluginManager

    Given = str | PhoneNumber | int

DEEPEST = 20
"""How many aliases may stand in one another: what goes deeper is taken for endless."""

AT_A_TIME = 1000
"""Recipients of a million that plugins and counts are asked about at once."""


_ALONE = (str, int, phones.PhoneNumber)
"""The types of a recipient."""


class Recipients:
    """Reads recipients with the hooks of one Notifier; ``region`` is that of numbers without ``+``."""

    def __init__(self, plugins: PluginManager, region: str) -> None:
        self._plugins = plugins
        self._region = region

    def read(self, given: Iterable[Given]) -> dict[str, DevinotifyError | None]:
        """Return the distinct recipients in order of first appearance, members of an alias apart.

        A recipient is a number in E.164 with ``None``, or what was given with the error for which it is refused.
        """
        found: dict[str, DevinotifyError | None] = {}
        expanded: set[str] = set()
        for recipient in given:
            for number, refused in self._members(recipient, (), expanded) if self._aliased else self._one(recipient):
                found.setdefault(number, refused)
        return found

    def number(self, raw: Given) -> str:
        """Return the number in E.164 that ``raw`` is; raise InvalidInput or PluginError."""
        if isinstance(raw, str) and self.customised:
            return self.phone(raw).e164
        return phones.normalize(raw, region=self._region).e164

    @property
    def customised(self) -> bool:
        """Whether a plugin has a say in how numbers are read."""
        return self._plugins.listens("devinotify_normalize_phone", outside=True)

    def phone(self, raw: str) -> PhoneNumber:
        """Return the number that ``raw`` is by the hooks; raise InvalidInput or PluginError."""
        number: PhoneNumber = self._plugins.hook.devinotify_normalize_phone(raw=str(raw), region=self._region)
        return number

    @property
    def _aliased(self) -> bool:
        return self._plugins.listens("devinotify_resolve_recipient")

    def _one(self, recipient: Given) -> Sequence[tuple[str, DevinotifyError | None]]:
        try:
            return ((self.number(recipient), None),)
        except DevinotifyError as error:
            return ((_shown(recipient), error),)

    def _members(
        self, recipient: Given, path: tuple[str, ...], expanded: set[str]
    ) -> Iterator[tuple[str, DevinotifyError | None]]:
        try:
            members = self._resolve(recipient, path)
        except DevinotifyError as error:
            yield _shown(recipient), error
            return
        if members is None:
            for number, refused in self._one(recipient):
                # What stands for itself is either a number with other members, or a circle.
                circle = recipient in path and isinstance(refused, InvalidInput)
                yield number, InvalidInput("the alias goes round in a circle") if circle else refused
            return
        alias = str(recipient)
        if not members:
            yield alias, InvalidInput("the alias stands for nobody")
        elif alias not in expanded:
            expanded.add(alias)  # a group in several groups is looked into once
            for member in members:
                yield from self._members(member, (*path, alias), expanded)

    def _resolve(self, recipient: Given, path: tuple[str, ...]) -> list[str] | None:
        if not isinstance(recipient, str) or recipient in path:
            return None
        if len(path) > DEEPEST:
            raise InvalidInput(f"aliases are nested more than {DEEPEST} deep")
        members: list[str] | None = self._plugins.hook.devinotify_resolve_recipient(recipient=str(recipient))
        return members


def in_parts(pages: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield the recipients of pages of any size, at most ``AT_A_TIME`` at once."""
    for page in pages:
        for start in range(0, len(page), AT_A_TIME):
            yield page[start : start + AT_A_TIME]


def screen(plugins: PluginManager, message: Message) -> dict[str, DevinotifyError]:
    """Return the recipients of ``message`` that a plugin refuses, with the error of each: nothing was sent to them.

    Raises PluginError where a plugin fails: whom it would have refused is not known, so nobody may get the message.
    """
    if not plugins.listens("devinotify_screen_recipients"):
        return {}
    refused: dict[str, DevinotifyError] = {}
    for answer in plugins.hook.devinotify_screen_recipients(message=message):
        for recipient in message.recipients:
            if recipient in answer and recipient not in refused:
                error = refused[recipient] = copied(answer[recipient])
                error.verdict = Verdict.NOT_SENT
    return refused


def listed(to: Given | Iterable[Given]) -> Iterable[Given]:
    """Return the recipients that were given alone or as a list; raise InvalidInput for what is neither."""
    if isinstance(to, _ALONE):
        return (to,)
    if isinstance(to, bytes) or not isinstance(to, Iterable):
        raise InvalidInput("recipients are a number, an alias, or a list of them")
    return to


def is_one(to: object) -> bool:
    """Whether one recipient was given, alone or in a list."""
    return isinstance(to, _ALONE) or (isinstance(to, Secrets | list | tuple) and len(to) == 1)


def hidden(to: Any) -> Any:  # noqa: ANN401 - whatever a caller gave
    """Return recipients so that no repr shows them, as ``hide`` does, and a number that is an int too."""
    return Secrets((to,)) if isinstance(to, int) else hide(to)


def _shown(recipient: Given) -> str:
    return recipient.e164 if isinstance(recipient, phones.PhoneNumber) else str(recipient)
