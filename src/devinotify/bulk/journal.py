"""The journal of a campaign: an outbox that knows which campaign it is of, and accounts for every row of the input.

The identity stands in the message's ``meta``, which is written once, atomically: of two processes that begin
different campaigns on one file, the second is refused. The input is fed page by page, and again from its start after a
crash: what is there already stays as it is.

More than 400 lines: how the input is written down and how it is accounted for are two sides of the same notes.
"""

from __future__ import annotations

import functools
import itertools
import json
import logging
import os
import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from devinotify.bulk.tally import CATEGORIES, Category, Tally, category, tally
from devinotify.bulk.tries import Try, noted, read_tries
from devinotify.delivery.daily_window import WINDOW
from devinotify.delivery.worker import CAMPAIGN
from devinotify.exceptions import InvalidInput, Suppressed
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.location import campaign_of, exists, is_database
from devinotify.outbox.states import STEPS as GOES_ON

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal
    from types import TracebackType

    from devinotify.bulk.sorting import Sorted
    from devinotify.bulk.source import Source
    from devinotify.models import Message
    from devinotify.outbox import Counts, Row

log: logging.Logger = logging.getLogger(__name__)

STEPS = "steps"
"""The name in what a campaign is known by that says that it goes out in the steps of a fallback."""
OPEN = (RowState.QUEUED, RowState.CLAIMED)
"""The states of a row that is still to be sent, or just being sent."""
UNDECIDED = frozenset(OPEN) | GOES_ON
"""The states that a step of a fallback may be in as long as it is not decided; a delivered one is."""
KEY = CAMPAIGN
"""The key of the message that a journal is about, and the name under which its id is remembered."""
FED = "fed"
"""The name under which a journal remembers that all of its input is in it, and how much that was."""
NOTES = "notes"
"""The name under which a journal remembers what a report tells of a campaign, and nothing else needs."""
FEEDER = "feeder"
"""The duty of putting the input in, which one of all who work on a journal has."""
TRIES = "tries"
"""The name under which a journal remembers what was sent again at a person's wish, and what came of it before."""
HELD = "held"
"""The name of the counts of who was held until their window opened, by the names of campaigns."""
PUT = "put"
"""The name under which a journal remembers how many pages of its input are wholly in it."""
INPUT = "input"
"""What a campaign is known by that may change: the digest of its list, which may grow at its end."""
REFUSED = "row "
"""What stands, with the row's number, before what a row holds that was refused here."""
_REFUSED = re.compile(rf"{REFUSED}(\d+): (.*)", re.DOTALL)
FIRST, AT_ONCE = 5_000, 100_000
"""Recipients that are written at once, at first and at most: a tenth of what is in, and of the first page all. Sending
waits while some are written; and each time, nearly all of the index of a large journal is written again."""

DIFFERENCES: Mapping[str, str] = {
    "input": "the input is another file, or has changed",
    "text": "the text is another",
    "channel": "the channel is another",
    "send_at": "the time of sending is another",
    "sender": "the sender is another",
    "column": "the column of the numbers is another",
    "format": "the input is read in another format",
    "encoding": "the input is read in another encoding",
    "region": "the region of the numbers is another",
    "shape": "transliterate or max_segments of the URL are others",
    WINDOW: "the daily window is another",
    "tags": "the tags are others",
}
"""What a journal is known by, and what is said where it differs."""


RETRIED = (RowState.NOT_SENT, RowState.REJECTED, RowState.FAILED)
"""What a campaign may send again without a risk that somebody gets it twice."""
EXPLAINED = (RowState.NOT_SENT, RowState.REJECTED)
"""Of these, what an error of the journal's explains; why a delivery failed is the report's to tell."""


def check_retry(states: Iterable[RowState]) -> None:
    """Raise InvalidInput for a state whose rows are not sent again in a further run."""
    for state in states:
        if state not in RETRIED:
            raise InvalidInput(f"{state} rows are not retried: it is {' or '.join(RETRIED)} that can be")


@dataclass(frozen=True, slots=True)
class Notes:
    """What a report tells of a campaign: the list's name, its place (``None`` for a stream), the price of a segment."""

    list_name: str | None = None
    list_path: str | None = None
    price: str | None = None


@dataclass(frozen=True, slots=True)
class Fed:
    """What the input came to: ``rows`` in ``pages``, of which so many were ``duplicates``."""

    rows: int
    pages: int
    duplicates: int


def _name(location: str | os.PathLike[str]) -> str:
    """Return how a journal is called to people; raise InvalidInput where a database is named, and no campaign in it."""
    if not is_database(location):
        return Path(location).name
    campaign = campaign_of(location)
    if campaign is None:
        raise InvalidInput("a campaign in a database has a name: add ?campaign=NAME to the URL of its journal")
    return campaign


class Journal:
    """The journal at ``location``: a file's path, or ``postgresql://…?campaign=NAME``.

    A context manager, shared by threads, and the file by processes of one machine, the database by those of many.
    Raises InvalidInput where the file is none of ours, or an outbox that is not a campaign's.
    """

    def __init__(self, location: str | os.PathLike[str], *, create: bool = True) -> None:
        self.path: Path | None = None if is_database(location) else Path(location).expanduser()
        place = os.fspath(location) if self.path is None else self.path
        self.name: str = _name(place)
        if not create and not exists(place):
            raise InvalidInput(f"there is no journal {self.name}")
        # A campaign that waits for a top-up waits for as long as it takes, and every row of it is kept.
        try:
            self.outbox: Outbox = Outbox(place, max_rows=None, retry_for=None)
        except InvalidInput as error:
            # Of a file it is said why it is not an outbox, and a journal is what was asked for.
            kind, _, why = str(error).partition(": ")
            if self.path is None or not kind.startswith("outbox "):
                raise
            why = why.replace("not an outbox", "not a campaign's journal")
            raise InvalidInput(f"{self.name} cannot be used as a journal: {why}") from None
        try:
            known = self.outbox.recall(KEY)
            self.message_id = None if known is None else int(known)
            if known is None and (not create or any(True for _ in self.outbox.rows(limit=1))):
                raise InvalidInput(f"{self.name} is not a journal of a campaign")
        except BaseException:
            self.outbox.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.outbox.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<Journal {self.outbox.name}>"

    @staticmethod
    def exists(location: str | os.PathLike[str]) -> bool:
        """Return whether there is what may be a journal; raises InvalidInput for a database without ``?campaign=``."""
        _name(location)
        return exists(location)

    @property
    def identity(self) -> Mapping[str, Any] | None:
        """What the campaign is known by, or ``None`` before one has begun."""
        stored = None if self.message_id is None else self.outbox.message(self.message_id)
        if stored is None:
            return None
        grown = self.outbox.recall(INPUT)
        return stored.meta if grown is None else {**stored.meta, INPUT: grown}

    @property
    def fed(self) -> Fed | None:
        """What the whole input came to, or ``None`` while it is not in the journal."""
        known = self.outbox.recall(FED)
        return Fed(**json.loads(known)) if known else None

    @property
    def notes(self) -> Notes | None:
        """What else was told of the campaign, by its last run; ``None`` where nothing was."""
        known = self.outbox.recall(NOTES)
        return None if known is None else Notes(**json.loads(known))

    def note(self, source: Source, price: Decimal | None) -> None:
        """Remember what a report tells of the campaign; a price that is not given is that of before."""
        before = self.notes or Notes()
        path = None if source.path is None else str(source.path)
        notes = Notes(source.name, path, before.price if price is None else str(price))
        self.outbox.remember(NOTES, json.dumps(asdict(notes)))

    @property
    def held(self) -> int:
        """How many recipients were put off until their daily window opened, and accepted so."""
        return int(self.outbox.bucket(HELD).get([self.name]).get(self.name) or 0)

    def hold(self, count: int) -> None:
        """Count so many more who were put off until their daily window opens."""
        self.outbox.bucket(HELD).change([self.name], lambda kept: {self.name: str(int(kept.get(self.name, 0)) + count)})

    @property
    def tries(self) -> Sequence[Try]:
        """What was sent again at a person's wish, in that order, and what had come of it before."""
        return read_tries(self.outbox.recall(TRIES))

    @property
    def began_at(self) -> datetime | None:
        """When the campaign was begun, or ``None`` before that."""
        stored = None if self.message_id is None else self.outbox.message(self.message_id)
        return None if stored is None else stored.created_at

    @property
    def account(self) -> str | None:
        """Whose campaign it is: the account of its message, or ``None`` where nobody's yet."""
        stored = None if self.message_id is None else self.outbox.message(self.message_id)
        return None if stored is None else stored.account

    @property
    def second(self) -> str | None:
        """The channel of the second steps, where the campaign's is a fallback; its steps are rows of this outbox."""
        steps = (self.identity or {}).get(STEPS)
        return str(steps[1]) if steps else None

    @property
    def fallback(self) -> bool:
        """Whether the campaign's channel is a fallback."""
        return self.second is not None

    @property
    def _channel(self) -> str | None:
        """The channel of the recipients' own rows, where the outbox holds others: ``None`` where it does not."""
        stored = None if self.message_id is None else self.outbox.message(self.message_id)
        return stored.message.channel if stored is not None and stored.meta.get(STEPS) else None

    def differences(self, identity: Mapping[str, Any]) -> Sequence[str]:
        """Return the names, in ``DIFFERENCES``, of what the campaign is known by and is another here."""
        mine = self.identity
        return [] if mine is None else [name for name in DIFFERENCES if mine.get(name) != identity.get(name)]

    def check(self, identity: Mapping[str, Any]) -> None:
        """Raise InvalidInput, which says what differs, where this is the journal of another campaign."""
        differs = self.differences(identity)
        if differs:
            grown = " Where rows were added at its end, --append sends to them." if differs == [INPUT] else ""
            raise InvalidInput(
                f"{self.name} is the journal of another campaign: {'; '.join(DIFFERENCES[name] for name in differs)}."
                f" Give another journal, or the same input and text as before.{grown}"
            )

    def append(self, identity: Mapping[str, Any]) -> None:
        """Have the journal take in what was added to its list, the one that ``identity`` names from now on.

        Raises InvalidInput where another process that lives puts the list in, or has.
        """
        if not self.outbox.take_on(FEEDER):
            raise InvalidInput(f"another process is sending {self.name}: add to its list when that one has ended")
        # In this order: with the list of before, a run that was cut short here has nothing to put in.
        self.outbox.remember(FED, "")
        self.outbox.remember(INPUT, identity[INPUT])

    def check_account(self, account: str, *, otherwise: str = "") -> None:
        """Raise InvalidInput where the campaign is another account's; ``otherwise`` is what else may be done then."""
        mine = self.account
        if mine is not None and mine != account:
            raise InvalidInput(
                f"{self.name} is the journal of a campaign of another account, {mine}:"
                f" give that account's URL{otherwise}"
            )

    def use(self, account: str, *, other: bool = False) -> None:
        """Have the campaign go out from ``account``, from another than before only where ``other`` allows that.

        Raises InvalidInput as ``check_account`` does.
        """
        self.outbox.introduce(account)
        if other and self.account is not None:
            self.outbox.adopt(self.account, account)
        self.check_account(account)

    def begin(self, message: Message, identity: Mapping[str, Any], account: str | None = None) -> None:
        """Make this the journal of a campaign, or find that it is; raises InvalidInput as ``check`` does."""
        self.check(identity)
        # What is looked at of a fallback is its steps, which tell the row that ordered them.
        watch = not identity.get(STEPS)
        self.message_id = self.outbox.register(message, key=KEY, watch=watch, meta=identity, account=account)
        self.outbox.remember(KEY, str(self.message_id))
        self.check(identity)

    def feed(self, pages: Callable[[], Iterable[Sorted]], message: Message, *, personal: bool) -> Iterator[int | None]:
        """Put the input into the journal, and yield with each part how many rows of it have been read.

        What is in may be sent at once. One of all who work on the journal does it, for as long as it lives: the others
        get ``None`` as often as they ask, until all is in or it is theirs to go on. ``pages`` gives the input, anew
        where it is asked again. Pages that are wholly in since before are not put in again: so nobody is sent to anew
        whose row has been forgotten since.
        """
        told = False
        while self.fed is None:
            if self.outbox.take_on(FEEDER):
                yield from self._feed(pages(), message, personal=personal)
                continue
            if not told:
                told = True
                log.warning(
                    "%s: another process puts the list into the journal: this one only sends, and goes on with the list"
                    " where that one ends before",
                    self.name,
                )
            yield None

    def _feed(self, pages: Iterable[Sorted], message: Message, *, personal: bool) -> Iterator[int]:
        """Put the input in, to its end or until that is another's duty; yield as ``feed`` does."""
        number = int(self.outbox.recall(PUT) or 0)
        known = duplicates = rows = 0
        for put in self.put_pages():
            known += put["rows"]
            duplicates += len(put["repeats"])
        held: list[Sorted] = []
        for page in pages:
            first, rows = rows + 1, rows + page.rows
            if rows > known:
                held.append(page.behind(known, first))
                duplicates += len(held[-1].duplicates)
            at_once = min(max(FIRST, rows // 10), AT_ONCE)
            # The first page does not wait for others: sending begins with it.
            if held and (personal or not number or sum(len(each.numbers) for each in held) >= at_once):
                if not self.outbox.take_on(FEEDER):
                    return
                for _ in self._put(held, message, at_once, personal=personal):
                    yield rows
                number += len(held)
                self._mark(held, number)
                held.clear()
        if not self.outbox.take_on(FEEDER):
            return
        for _ in self._put(held, message, AT_ONCE, personal=personal):
            yield rows
        number += len(held)
        self._mark(held, number)
        self.outbox.remember(FED, json.dumps({"rows": rows, "pages": number, "duplicates": duplicates}))

    def _put(self, pages: Sequence[Sorted], message: Message, at_once: int, *, personal: bool) -> Iterator[None]:
        """Queue the recipients of some pages, ``at_once`` at a time."""
        assert self.message_id is not None  # noqa: S101 - ``begin`` comes first
        if personal:
            window = (self.identity or {}).get(WINDOW)
            for page in pages:
                self.outbox.enqueue_many(
                    (
                        replace(message, text=text, recipients=(recipient,))
                        for recipient, text in zip(page.numbers, page.texts, strict=True)
                    ),
                    keys=page.numbers,
                    watch=not self.fallback,
                    meta=None if window is None else {WINDOW: window},
                    account=self.account,
                )
                yield
            return
        numbers = [number for page in pages for number in page.numbers]
        for start in range(0, len(numbers), at_once):
            self.outbox.extend(self.message_id, numbers[start : start + at_once])
            yield

    def _mark(self, pages: Sequence[Sorted], last: int) -> None:
        """Write down what else the pages up to number ``last`` hold, and that they are in."""
        assert self.message_id is not None  # noqa: S101 - ``begin`` comes first
        for number, page in enumerate(pages, last - len(pages) + 1):
            if page.refused:
                self.outbox.refuse(
                    self.message_id, [(f"{REFUSED}{row}: {raw}", error) for row, raw, error in page.refused]
                )
            told = {"rows": page.rows, "refused": [row for row, _, _ in page.refused], "repeats": page.duplicates}
            self.outbox.remember(f"page {number}", json.dumps(told))
        if pages:
            self.outbox.remember(PUT, str(last))

    def recipients(self) -> int:
        """Return how many recipients are in the journal so far; rows that were refused here are none of them."""
        refused = sum(row.recipient.startswith(REFUSED) for row in self.rows({RowState.NOT_SENT}))
        return self.counts().total - refused

    def rows(self, states: Collection[RowState] | None = None) -> Iterator[Row]:
        """Yield a row for each recipient and each row that was refused here; what a fallback's steps come to is in it.

        With ``states`` only those that are in one of them.
        """
        return self.outbox.rows(states=states, channel=self._channel)

    def steps(self) -> Iterator[Row]:
        """Yield the steps of a fallback, the rows that ``rows`` tells the outcome of."""
        channel = self._channel
        for row in self.outbox.rows() if channel is not None else ():
            if row.channel != channel:
                yield row

    def counts(self) -> Counts:
        """Return how many of these rows stand in each state."""
        return self.outbox.counts(channel=self._channel)

    def recover(self) -> int:
        """Turn what a killed run was sending into ``unknown``; return how many recipients."""
        before = self.counts().unknown if self.fallback else 0
        lost = self.outbox.recover()
        return max(self.counts().unknown - before, 0) if lost and self.fallback else lost

    def reasons(self) -> dict[RowState, str]:
        """Return the commonest reason for which recipients were not sent to, or rejected, by these states.

        Those who have opted out, or are left out, are no matter of trying again: they have no part in it.
        """
        found: dict[RowState, str] = {}
        for state in EXPLAINED:
            counts = Counter(
                row.error_text or ""
                for row in self.rows({state})
                if category(row) is not Category.INVALID and row.error != Suppressed.__name__
            )
            if counts:
                found[state] = counts.most_common(1)[0][0]
        return found

    def suppressed(self) -> Counter[str]:
        """Return how many were not sent to for which words of a plugin, or of the list of those who are left out."""
        rows = self.rows({RowState.NOT_SENT})
        return Counter(row.error_text or "" for row in rows if row.error == Suppressed.__name__)

    def send_again(self, states: Iterable[RowState]) -> int:
        """Queue again what is in these states; return how many. Of ``unknown``, recipients may so get it twice.

        A recipient who has a step of a fallback to come, or under way, waits for that.
        """
        chosen = set(states)
        # What the steps of a fallback cost stays with them, rows of their own.
        note = (TRIES, functools.partial(noted, at=self.outbox.now(), paid=not self.fallback))

        def all_in(state: RowState) -> int:
            force = state is RowState.UNKNOWN
            return self.outbox.retry_all(state, channel=self._channel, force=force, undelivered=True, note=note)

        if not self.fallback:
            return sum(map(all_in, chosen))
        again = sum(map(all_in, chosen - {RowState.UNKNOWN}))
        if RowState.UNKNOWN in chosen:
            under_way = {row.story or row.id for row in self._open_steps()}
            unknown = (row.id for row in self.rows({RowState.UNKNOWN}) if row.id not in under_way)
            while some := list(itertools.islice(unknown, AT_ONCE)):
                again += self.outbox.retry(some, force=True, note=note)
        return again

    def to_come(self) -> int:
        """Return for how many recipients the second step of a fallback may still come; 0 where it is not a fallback."""
        second = self.second
        if second is None:
            return 0
        found = {
            row.story or row.id
            for row in self._open_steps()
            if (row.state in OPEN if row.channel == second else not row.stepped)
        }
        # A recipient that is rejected has an open step until somebody looks at it, and nothing follows.
        undecided = self.rows({RowState.ACCEPTED, RowState.UNKNOWN})
        return sum(row.id in found for row in undecided) if found else 0

    def _open_steps(self) -> Iterator[Row]:
        """Yield the steps of a fallback that are not decided."""
        channel = self._channel
        for row in self.outbox.rows(states=UNDECIDED) if channel is not None else ():
            if row.channel != channel and (row.state in OPEN or row.next_poll_at is not None):
                yield row

    def next_look(self) -> datetime | None:
        """When a delivery is next due to be looked at; ``None`` for never, and where what waits to be sent is first."""
        due, queued = self.outbox.next_due(), self.outbox.next_due(queued=True)
        return None if due is None or (queued is not None and queued <= due) else datetime.fromtimestamp(due, UTC)

    def repeats(self) -> Mapping[str, Sequence[int]]:
        """Return the further rows of the input, from 1, that each repeated number has; it holds those numbers alone."""
        fed = self.fed
        found: dict[str, list[int]] = {}
        if fed is not None and fed.duplicates:
            for page in self.put_pages():
                for row, number in page["repeats"]:
                    found.setdefault(number, []).append(row)
        return found

    def places(self) -> Iterator[int]:
        """Yield the rows of the input, from 1, that the recipients stand in, in the order of the journal's own rows.

        Neither repetitions nor refused rows are among them. Nothing is yielded while not all of the input is there.
        """
        fed = self.fed
        first = 1
        for page in () if fed is None else self.put_pages():
            others = {*page["refused"], *(row for row, _ in page["repeats"])}
            yield from (row for row in range(first, first + page["rows"]) if row not in others)
            first += page["rows"]

    def put_pages(self) -> Iterator[dict[str, Any]]:
        """Yield what is noted of each page of the input that is wholly in: ``rows``, ``refused``, ``repeats``."""
        for number in range(1, int(self.outbox.recall(PUT) or 0) + 1):
            yield json.loads(self.outbox.recall(f"page {number}") or "")

    def recipient_rows(self) -> Iterator[Row]:
        """Yield the rows of recipients, in the order of the input."""
        return (row for row in self.rows() if _refusal(row) is None)

    def refused_rows(self) -> Iterator[tuple[int, str, Row]]:
        """Yield what was refused here, in the order of the input: its row from 1, what stood there, its own row."""
        for row in self.rows({RowState.NOT_SENT}):
            if found := _refusal(row):
                yield int(found[1]), found[2], row

    def tally(self) -> Tally:
        """Return where every row of the input stands. It reads all rows where the input has repeated numbers."""
        repeats = self.repeats()
        states: Counter[RowState] = Counter()
        categories: Counter[Category] = Counter()
        if repeats:
            for row in self.rows():
                self._count(row, states, categories, repeats)
        else:
            counts = self.counts()
            for state, count in counts:
                if state is not RowState.NOT_SENT:
                    states[state] += count
                    categories[CATEGORIES[state]] += count
            for row in self.rows({RowState.NOT_SENT}) if counts.not_sent else ():
                self._count(row, states, categories, repeats)
        return tally(states, categories, sum(map(len, repeats.values())))

    @staticmethod
    def _count(
        row: Row, states: Counter[RowState], categories: Counter[Category], repeats: Mapping[str, Sequence[int]]
    ) -> None:
        states[row.state] += 1
        categories[category(row)] += 1 + len(repeats.get(row.recipient, ()))


def _refusal(row: Row) -> re.Match[str] | None:
    # Quicker than by the pattern alone, as nearly all are numbers.
    return _REFUSED.fullmatch(row.recipient) if row.recipient.startswith(REFUSED) else None
