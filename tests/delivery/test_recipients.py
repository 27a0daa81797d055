"""Whom a message is for: aliases, groups, circles, and the hooks that read numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from devinotify import hookimpl, make_plugin_manager, phones
from devinotify.delivery.recipients import DEEPEST, Recipients
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidPhoneNumber, PluginError
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify.phones import PhoneNumber

ONE, TWO, THREE = "+79161234567", "+79161234568", "+79161234569"


class Rota:
    """A plugin that knows aliases, and raises for the one named ``broken``."""

    def __init__(self, **groups: list[str]) -> None:
        self.groups: Mapping[str, list[str]] = groups
        self.asked: list[str] = []

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return the members."""
        self.asked.append(recipient)
        if recipient == "broken":
            raise RuntimeError("no")
        return self.groups.get(recipient)


class Extensions:
    """A plugin that reads the extensions of an office, and refuses all that begins with 9."""

    @hookimpl
    def devinotify_normalize_phone(self, raw: str, region: str) -> PhoneNumber | None:
        """Return the number of an extension."""
        if raw.startswith("9"):
            raise InvalidPhoneNumber("on the blocklist", reason="blocked")
        return phones.normalize(f"+7916000{raw}") if len(raw) == 4 else None


def reading(*plugins: object, region: str = "RU") -> Recipients:
    """Return the recipients' reader of a manager with these plugins."""
    return Recipients(make_plugin_manager(*plugins, discover=False), region)


def errors(found: Mapping[str, DevinotifyError | None]) -> dict[str, str | None]:
    """Return what was said of each recipient."""
    return {recipient: None if error is None else str(error) for recipient, error in found.items()}


def test_numbers_are_normalised_once_each() -> None:
    """Numbers in any notation, each once, in order of first appearance."""
    found = reading().read([TWO, "8 (916) 123-45-67", "79161234568", ONE])
    assert {TWO: None, ONE: None} == found


def test_the_region_counts() -> None:
    """A number without + is read as it is written in the region."""
    assert ["+77011234567"] == list(reading(region="KZ").read(["8 701 123 45 67"]))


def test_a_refused_number_is_there_as_it_was_given() -> None:
    """What is no number is listed with its refusal, at its place."""
    found = reading().read([ONE, "nobody", TWO])
    assert [ONE, "nobody", TWO] == list(found)
    assert isinstance(found["nobody"], InvalidPhoneNumber)


@table("given", [None, 1.5, b"79161234567", True, ""])
def test_what_is_no_recipient_at_all(given: str) -> None:
    """Whatever stands in the list is refused rather than raised."""
    (error,) = reading().read([given]).values()
    assert isinstance(error, InvalidPhoneNumber)


def test_integers_and_phone_numbers() -> None:
    """JSON brings integers, and a PhoneNumber is taken as it is, without asking a plugin."""
    rota = Rota()
    assert {ONE: None, TWO: None} == reading(rota, Extensions()).read([79161234567, phones.normalize(TWO)])
    assert [] == rota.asked


def test_resolve_recipient() -> None:
    """An alias stands for its members, apart, at its place."""
    found = reading(Rota(oncall=[TWO, "8 916 123-45-69"])).read([ONE, "oncall", THREE])
    assert [ONE, TWO, THREE] == list(found)


def test_resolve_recipient_in_turn() -> None:
    """Members may be aliases themselves."""
    rota = Rota(all=["day", "night"], day=[ONE], night=[TWO, ONE])
    assert [ONE, TWO] == list(reading(rota).read(["all"]))


def test_a_circle_is_refused_and_the_others_are_not() -> None:
    """An alias that comes back to itself is refused; the numbers in it are kept."""
    found = reading(Rota(a=["b", ONE], b=["a", TWO])).read(["a"])
    assert {"a": "the alias goes round in a circle", TWO: None, ONE: None} == errors(found)


def test_a_number_may_stand_for_itself_and_others() -> None:
    """A number that is an alias of itself and somebody else is read as a number the second time."""
    found = reading(Rota(**{ONE: [ONE, TWO]})).read([ONE])
    assert {ONE: None, TWO: None} == found


def test_an_alias_for_nobody() -> None:
    """An empty group is a recipient that nothing is sent to."""
    assert {"oncall": "the alias stands for nobody"} == errors(reading(Rota(oncall=[])).read(["oncall"]))


def test_an_alias_that_breaks() -> None:
    """A plugin that raises refuses its own recipient and no other."""
    found = reading(Rota()).read(["broken", ONE])
    assert (PluginError, None) == (type(found["broken"]), found[ONE])


def test_endless_aliases() -> None:
    """A plugin that always has a further alias is stopped."""

    class Endless:
        @hookimpl
        def devinotify_resolve_recipient(self, recipient: str) -> list[str]:
            return [recipient + "x"]

    ((recipient, error),) = reading(Endless()).read(["x"]).items()
    assert (DEEPEST + 2, f"aliases are nested more than {DEEPEST} deep") == (len(recipient), str(error))


def test_as_deep_as_is_allowed() -> None:
    """So many aliases in one another are still resolved."""
    groups = {f"a{depth}": [f"a{depth + 1}"] for depth in range(DEEPEST - 1)}
    groups[f"a{DEEPEST - 1}"] = [ONE]
    assert {ONE: None} == reading(Rota(**groups)).read(["a0"])


def test_groups_of_groups_are_cheap() -> None:
    """A group that is a member of many is looked into once, so that no rota grows out of hand."""
    groups = {f"a{depth}": [f"a{depth + 1}"] * 5 for depth in range(15)}
    rota = Rota(**groups, a15=[ONE])
    assert {ONE: None} == reading(rota).read(["a0"])
    assert len(rota.asked) < 100


def test_normalize_phone() -> None:
    """A plugin reads what it knows, and leaves the rest to the core."""
    assert ["+79160004567", ONE] == list(reading(Extensions()).read(["4567", ONE]))


def test_normalize_phone_refuses() -> None:
    """A plugin's refusal is the recipient's, in its own words."""
    assert {"9999": "on the blocklist", ONE: None} == errors(reading(Extensions()).read(["9999", ONE]))


def test_normalize_phone_breaks() -> None:
    """A plugin that raises refuses the recipients that it is asked about."""

    class Broken:
        @hookimpl
        def devinotify_normalize_phone(self) -> None:
            raise RuntimeError("no")

    (error,) = reading(Broken()).read([ONE]).values()
    assert "the plugin Broken raised RuntimeError in devinotify_normalize_phone" == str(error)


def test_a_region_that_is_none() -> None:
    """An unknown region refuses what has to be read by it."""
    (error,) = reading(region="ZZ").read(["8 916 123-45-67"]).values()
    assert isinstance(error, InvalidInput)


_names = st.sampled_from(["a", "b", "c", "d", ONE, TWO, THREE, "8 916 123-45-67", "nobody"])


@given(
    groups=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.lists(_names, max_size=4)),
    asked=st.lists(_names, max_size=6),
)
def test_every_number_that_can_be_reached_is_there(groups: dict[str, list[str]], asked: list[str]) -> None:
    """Whatever the groups look like, those reached are exactly those that a walk over them reaches."""
    reached: set[str] = set()
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += groups.get(name, [])
    numbers = {phones.normalize(name).e164 for name in reached if any(map(str.isdigit, name)) and name not in groups}
    found = reading(Rota(**groups)).read(asked)
    assert numbers == {recipient for recipient, error in found.items() if error is None}
