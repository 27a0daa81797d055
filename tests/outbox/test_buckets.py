"""What plugins keep in an outbox: texts by key, one set for all who share it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import InvalidInput, Message, Notifier, Outbox, hookimpl, make_plugin_manager
from devinotify.outbox.buckets import PAGE
from devinotify.outbox.memory import MemoryStore
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.outbox.conftest import Place, Places

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def test_what_is_put_is_everybodys(place: Place) -> None:
    """Whoever has opened the outbox finds it, and another bucket's keys are its own."""
    first, second = place.open(), place.open()
    first.bucket("stop").put({"a": "1", "b": "2"})
    first.bucket("go").put({"a": "3"})
    second.bucket("stop").put({"b": "4"})
    assert ({"a": "1", "b": "4"}, {"a": "3"}) == (
        first.bucket("stop").get(["b", "a", "c"]),
        second.bucket("go").get(["a", "b"]),
    )


def test_what_is_removed_is_gone(place: Place) -> None:
    """How many there were is told."""
    bucket = place.open().bucket("stop")
    bucket.put({"a": "1", "b": "2"})
    assert [("a", "1"), ("b", "2")] == list(bucket.items())
    bucket.remove(["a", "c"])
    assert [("b", "2")] == list(bucket.items())


def test_nothing_is_asked_for_nothing(place: Place) -> None:
    """No key, no value."""
    bucket = place.open().bucket("stop")
    bucket.put({})
    assert ({}, []) == (bucket.get([]), list(bucket.items()))


def test_a_change_sees_what_stands_there(place: Place) -> None:
    """What it leaves out stays, and ``None`` removes."""
    bucket = place.open().bucket("stop")
    bucket.put({"a": "1", "b": "2", "c": "3"})
    seen: list[dict[str, str]] = []

    def decide(found: dict[str, str]) -> dict[str, str | None]:
        seen.append(found)
        return {"a": found["a"] + "0", "b": None, "d": "new"}

    assert {"a": "10", "b": None, "d": "new"} == bucket.change(["a", "b", "x"], decide)
    assert ({"a": "1", "b": "2"}, [("a", "10"), ("c", "3"), ("d", "new")]) == (seen[-1], list(bucket.items()))


def test_what_a_change_raises_undoes_it(place: Place) -> None:
    """The exception is the caller's own."""
    bucket = place.open().bucket("stop")
    with pytest.raises(InvalidInput, match="NUL"):
        bucket.change([], lambda _: {"a": "1", "b": "\0"})
    assert [] == list(bucket.items())


def test_changes_at_once_lose_nothing(place: Place) -> None:
    """Each sees what the one before it wrote, a key that nobody has written yet included."""
    outboxes = [place.open() for _ in range(4)]

    def count(outbox: Outbox) -> None:
        for _ in range(10):
            outbox.bucket("n").change(["k"], lambda found: {"k": str(int(found.get("k", "0")) + 1)})

    threads = [threading.Thread(target=count, args=(outbox,)) for outbox in outboxes]
    for thread in threads:
        thread.start()
    ended(*threads)
    assert {"k": "40"} == outboxes[0].bucket("n").get(["k"])


def test_many_are_read_page_by_page(place: Place) -> None:
    """In the order of code points, each once; and any number is asked for at once."""
    bucket = place.open().bucket("stop")
    keys = [f"k{number:05d}" for number in range(PAGE + 1)] + ["я", "ё", "\U0001f600"]
    bucket.put(dict.fromkeys(reversed(keys), "v"))
    assert (keys, len(keys)) == ([key for key, _ in bucket.items()], len(bucket.get(keys)))


@table("key, value", [("", "v"), ("k\0", "v"), ("k", "v\0"), ("k", "\ud800"), ("\udfff", "v")])
def test_what_a_store_cannot_keep_is_refused(places: Places, key: str, value: str) -> None:
    """By all of them alike."""
    place = places()
    bucket = place.open().bucket("stop")
    with pytest.raises(InvalidInput, match="bucket"):
        bucket.put({key: value})
    assert [] == list(bucket.items())


def test_a_bucket_has_a_name(place: Place) -> None:
    """It is told in its repr, with the outbox."""
    outbox = place.open()
    with pytest.raises(InvalidInput, match="not empty"):
        outbox.bucket("")
    assert f"<Bucket stop of outbox {outbox.name}>" == repr(outbox.bucket("stop"))


@given(st.lists(st.tuples(TEXTS.filter(bool), st.none() | TEXTS)))
def test_it_is_a_dict(changes: list[tuple[str, str | None]]) -> None:
    """Whatever is put and removed, in whatever order."""
    bucket, twin = Outbox(MemoryStore()).bucket("b"), dict[str, str]()
    for key, value in changes:
        if value is None:
            assert (twin.pop(key, None) is not None) == bool(bucket.remove([key]))
        else:
            bucket.put({key: value})
            twin[key] = value
    assert sorted(twin.items()) == list(bucket.items())


class Neighbour:
    """A plugin that asks in each kind of hook which outbox it is called for."""

    def __init__(self) -> None:
        self.found: list[Outbox | None] = []

    @hookimpl
    def devinotify_screen_recipients(self, message: Message) -> None:
        """Ask in a hook of which all answer."""
        self.found.append(Outbox.current())

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message) -> None:
        """Ask in an observer."""
        self.found.append(Outbox.current())

    @hookimpl(wrapper=True)
    def devinotify_prepare_message(self, message: Message) -> Generator[None, list[Message], list[Message]]:
        """Ask on both sides of a wrapper's yield."""
        self.found.append(Outbox.current())
        answer = yield
        self.found.append(Outbox.current())
        return answer


def test_a_plugin_finds_its_notifiers_outbox(tmp_path: Path) -> None:
    """In every hook, and nowhere else; one that serves nobody finds none."""
    plugin, path = Neighbour(), tmp_path / "outbox.db"
    url = f"devino://me:secret@SENDER/79161234567?channel=null&outbox={path}"
    with Notifier(url, plugins=make_plugin_manager(plugin, discover=False)) as notifier:
        notifier.notify("hello")
        names = [None if outbox is None else outbox.name for outbox in plugin.found]
        assert ([str(path)] * 4, None) == (names, Outbox.current())
    plugin.found.clear()
    make_plugin_manager(plugin, discover=False).hook.devinotify_screen_recipients(message=Message("hello", ()))
    assert [None] == plugin.found


def test_a_journal_that_is_lent_is_not_the_plugins(tmp_path: Path) -> None:
    """What a fleet shares does not stand in a campaign's file."""
    plugin = Neighbour()
    url = f"devino://me:secret@SENDER/79161234567?channel=null&outbox={tmp_path / 'own.db'}"
    with (
        Notifier(url, plugins=make_plugin_manager(plugin, discover=False)) as notifier,
        Outbox(tmp_path / "journal.db") as journal,
        notifier.storing(journal),
    ):
        notifier.notify("hello")
        assert {str(tmp_path / "own.db")} == {outbox.name for outbox in plugin.found if outbox is not None}


def test_the_named_one_is_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is named in the call."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "a.db"))
    with Outbox.named() as first, Outbox.named(str(tmp_path / "b.db")) as second:
        assert (str(tmp_path / "a.db"), str(tmp_path / "b.db")) == (first.name, second.name)
