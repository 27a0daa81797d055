"""Targets: how lists are taken apart, and what is a recipient."""

from __future__ import annotations

import pytest
from devinotify import Client, InvalidInput, Notifier, hookimpl, make_plugin_manager, phones

from devinotify_apprise import targets
from tests.support import ONE, THREE, TWO


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        (79161234567, ["79161234567"]),
        (f"{ONE};{TWO}", [ONE, TWO]),
        (f"{ONE}, {TWO} | {THREE}", [ONE, TWO, THREE]),
        (f"{ONE} {TWO}\n{THREE}", [ONE, TWO, THREE]),
        ("8 (916) 123-45-67", ["8 (916) 123-45-67"]),
        ([ONE, (TWO, [THREE])], [ONE, TWO, THREE]),
        ({ONE}, [ONE]),
    ],
)
def test_listed(given: object, expected: list[str]) -> None:
    """A text, a number, or lists of such become single targets; no number is torn and no plus is lost."""
    assert expected == targets.listed(given)


class Office:
    """A hook plugin with aliases and extensions; one alias is out of order."""

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return the members of an alias."""
        if recipient == "broken":
            raise OSError
        return {"oncall": [ONE]}.get(recipient)

    @hookimpl
    def devinotify_normalize_phone(self, raw: str, region: str) -> phones.PhoneNumber | None:
        """Return the number of an extension."""
        return phones.normalize("+7916123" + raw) if len(raw) == 4 and raw.isdigit() else None


@pytest.mark.parametrize(
    ("given", "recipients", "refused"),
    [
        ([ONE, "8 916 123 45 67", "79161234567"], (ONE,), []),
        (["79161234567 79161234568"], (ONE, TWO), []),
        (["79161234567 nobody"], (), ["79161234567 nobody"]),
        (["oncall", "4567", "nobody", "12"], ("oncall", "4567"), ["nobody", "12"]),
        (["broken"], ("broken",), []),
    ],
)
def test_read(given: list[str], recipients: tuple[str, ...], refused: list[str]) -> None:
    """Numbers are normalised, what a hook knows is kept, the rest is refused with a reason."""
    url = "devino://login:password@SENDER?gateway=http://127.0.0.1:1/rest"
    with Client(url) as client:
        notifier = Notifier(url, client=client, plugins=make_plugin_manager(Office(), discover=False))
        found = targets.read(given, notifier)
    assert (recipients, refused) == (found.recipients, list(found.refused))
    assert all(found.refused.values())


def test_wrong_region_is_no_invalid_number() -> None:
    """A region that does not exist is told as such."""
    url = "devino://login:password@SENDER?region=XX&gateway=http://127.0.0.1:1/rest"
    with Client(url) as client, pytest.raises(InvalidInput, match="XX"):
        targets.read([TWO[2:]], Notifier(url, client=client))
