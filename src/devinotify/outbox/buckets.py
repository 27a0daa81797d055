"""What a plugin keeps in the outbox that it works with: texts by key, in a bucket of its own. No SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from devinotify.outbox.store import Store, Transaction

INCOMING = "devinotify.incoming."
"""What the bucket is called, before the account's name, that knows which incoming messages were told of."""
LIMITS = "devinotify.limits."
"""What the bucket is called, before the account's name, that has the counts of what was sent against its limits."""
PAGE = 1000
"""Entries that an iteration reads at a time."""


class Bucket:
    """Texts by key, one set of them for all who share the outbox; a plugin calls its bucket after itself.

    A key is a text that is not empty, a value any text; neither holds a NUL or half a surrogate pair, for which
    InvalidInput is raised. Every failure of the store is a DevinotifyError, and nothing is changed then. Threads may
    share it.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.name: str = _key(name)
        self._store = store

    def __repr__(self) -> str:
        return f"<Bucket {self.name} of outbox {self._store.name}>"

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """Return what stands under these keys, those left out that nothing stands under."""
        wanted = list(dict.fromkeys(map(_key, keys)))
        return self._store.read("bucket", lambda transaction: transaction.entries(self.name, wanted)) if wanted else {}

    def put(self, values: Mapping[str, str]) -> None:
        """Store a value under each key, in place of the one that stood there."""
        self.change(values, lambda _: values)

    def remove(self, keys: Iterable[str]) -> int:
        """Remove what stands under these keys; return how many there were."""
        return len(self.change(keys, dict.fromkeys))

    def change(
        self, keys: Iterable[str], decide: Callable[[dict[str, str]], Mapping[str, str | None]]
    ) -> dict[str, str | None]:
        """Store what ``decide`` makes of what stands under these keys, and return that: ``None`` removes a key.

        One transaction: nobody changes the bucket between the question and the answer. ``decide`` may be asked
        more than once and must change nothing itself; a key that it leaves out stays as it is.
        """
        wanted = list(dict.fromkeys(map(_key, keys)))
        return self._store.write("bucket", lambda transaction: _change(transaction, self.name, wanted, decide))

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield all keys with their values, in the order of the keys, as they stand when their page is read."""
        after = ""
        while page := self._page(after):
            yield from page
            after = page[-1][0]

    def _page(self, after: str) -> list[tuple[str, str]]:
        return self._store.read("bucket", lambda transaction: transaction.entries_after(self.name, after, PAGE))


def _change(
    transaction: Transaction,
    name: str,
    keys: list[str],
    decide: Callable[[dict[str, str]], Mapping[str, str | None]],
) -> dict[str, str | None]:
    decided = {_key(key): value for key, value in decide(transaction.entries(name, keys)).items()}
    kept = {key: _text(value) for key, value in decided.items() if value is not None}
    transaction.put_entries(name, kept)
    transaction.drop_entries(name, [key for key in decided if key not in kept])
    return decided


def _key(key: str) -> str:
    if not key:
        raise InvalidInput("a bucket and its keys have names that are not empty")
    return _text(key)


def _text(value: str) -> str:
    """Return a text that every store can keep; raise InvalidInput for any other."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("a bucket keeps no text with half a surrogate pair") from None
    if "\0" in value:
        raise InvalidInput("a bucket keeps no text with a NUL")
    return value
