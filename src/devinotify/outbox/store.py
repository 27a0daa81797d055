"""What a driver offers to the outbox: where messages and rows are kept, values only.

``Outbox`` decides what becomes of a row and gives it to the driver to write; a driver decides nothing. It need not have
a file, a lock or a clock of this machine: the time is the store's (``now``), a claimant's life is the store's to tell,
and work that is lost on its way to the store may be done again, which is why it comes as a function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, runtime_checkable

from devinotify.exceptions import DevinotifyError, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from devinotify.outbox.pace import StoredPace
    from devinotify.outbox.records import ErrorParts, NewMessage, Row, StoredMessage
    from devinotify.outbox.settlement import Settlement
    from devinotify.outbox.states import RowState

T = TypeVar("T")

DROPPED, FORGOTTEN = "dropped", "forgotten"
"""The counts that a store keeps of what is not in it."""
STEPS, QUEUED_STEPS = "steps", "queued_steps"
"""What a store counts the rows under that an order tells of, all of them and those of them that are queued."""


class Selection(NamedTuple):
    """Which rows: the terms go together, and ``None`` leaves one out."""

    states: tuple[RowState, ...] | None = None
    message_id: int | None = None
    channel: str | None = None
    recipient: str | None = None
    account: str | None = None
    """This account's rows and nobody's."""
    steps: bool = True
    """Whether also rows that an order tells of."""


class Taken(NamedTuple):
    """What a claim found: ``rows`` of one message and channel, claimed by now, and ``late`` ones of it that are not."""

    claim: int
    stored: StoredMessage
    rows: tuple[Row, ...]
    late: tuple[Row, ...]
    """Rows whose deadline had passed, still queued: the outbox writes down what they become."""


class HeldError(DevinotifyError):
    """Nothing is claimed from an outbox that is called ``name`` until a person says so, and ``why``."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"outbox {name}: nothing is sent, for {why}: what is queued may have been sent before. Look at it"
            " (`devinotify outbox list --state queued`), then let it go on with `devinotify outbox resume`",
            operation="outbox.claim",
            verdict=Verdict.NOT_SENT,
            retryable=True,
        )


class Claimant(NamedTuple):
    """Who claims from a store."""

    name: str
    """Its name, never used again."""
    host: str
    """The machine that it runs on."""
    pid: int
    """Its process there."""
    seen_at: float
    """When it last gave a sign of life: seconds since the epoch, by the store's clock."""
    rows: int
    """How many rows it has claimed and not settled."""


class Transaction(Protocol):
    """One transaction: all of its changes are made, or none.

    Within one that writes, the rows that it has read are changed by nobody else. An ``account`` stands for its own rows
    and nobody's, ``None`` for all.
    """

    @property
    def now(self) -> float:
        """The store's time: seconds since the epoch."""

    # --- asked

    def rows(self, numbers: Iterable[int]) -> list[Row]:
        """Return the rows of these ids, those left out that are not there."""

    def message(self, number: int) -> StoredMessage | None:
        """Return a message, or ``None`` where there is none of this id."""

    def message_of_key(self, key: str) -> int | None:
        """Return the id of the message that was enqueued under a key."""

    def rows_of(self, message_id: int, recipient: str | None = None) -> list[Row]:
        """Return a message's rows, or those of one recipient, in the order of their ids."""

    def steps_of(self, order: int) -> list[Row]:
        """Return the steps that a row has ordered, in the order of their ids."""

    def latest(self, selection: Selection, before: int, size: int) -> list[Row]:
        """Return up to ``size`` rows of a selection with an id below ``before``, the newest first."""

    def counts(self, account: str | None, channel: str | None = None) -> Mapping[str, int]:
        """Return how many rows stand in each state, by its name, with DROPPED and FORGOTTEN: all in one look.

        Rows that an order tells of are counted as STEPS and QUEUED_STEPS instead. With ``channel`` the rows on it alone
        are counted, steps like any other.
        """

    def next_due(self, account: str | None, *, queued: bool) -> float | None:
        """Return when the next row can be claimed or, unless only the ``queued`` are asked for, needs attention."""

    def ahead(self, by: float, limit: int) -> list[Row]:
        """Return queued rows that are due, and whose messages were stored, more than ``by`` seconds after now."""

    def waiting(self) -> dict[str, int]:
        """Return how many rows are queued, by account; nobody's are left out."""

    def last_id(self) -> int:
        """Return the highest id that was ever given to a row."""

    def total(self) -> int:
        """Return how many rows there are."""

    def finished(self, states: Collection[RowState], limit: int) -> list[int]:
        """Return the ids of the oldest rows in these states that need no attention any more."""

    def held(self, settlement: Settlement) -> set[int]:
        """Return those of a settlement's rows whose outcome is still its claim's to tell."""

    def is_open(self, claim: int, seconds: float) -> bool:
        """Whether a claim has not been settled or given up, nor will be given up for so many seconds from now."""

    def recall(self, name: str) -> str | None:
        """Return the text stored under a name."""

    def entries(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Return what stands in a bucket under these keys; in a transaction that writes nobody else changes it."""

    def entries_after(self, bucket: str, after: str, size: int) -> list[tuple[str, str]]:
        """Return up to ``size`` of a bucket's keys above ``after`` with their values, in the order of code points."""

    def pace(self, account: str) -> StoredPace | None:
        """Return the pace that is stored for an account, or for EVERYBODY; nobody else books meanwhile."""

    # --- new messages and rows

    def register(self, new: NewMessage) -> int:
        """Store a message without rows; return its id."""

    def add(
        self, new: NewMessage, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> Sequence[int]:
        """Store a message with a queued row for each of these distinct recipients; return the rows' ids.

        The message's id is that of its first row.
        """

    def add_each(self, lines: Sequence[tuple[NewMessage, str, float | None]]) -> int:
        """Store messages of one recipient each (message, recipient, deadline), but those whose key is known.

        Returns how many were new. They are due at once.
        """

    def extend(
        self, message_id: int, recipients: Sequence[str], channel: str, due: float, deadline: float | None
    ) -> int:
        """Queue a message for more recipients; return how many were new to it on this channel."""

    def refuse(self, message_id: int, channel: str, state: RowState, refused: Sequence[tuple[str, ErrorParts]]) -> int:
        """Store rows that have ended before they began; return how many were new to the message."""

    def add_steps(self, parents: Sequence[Row], channel: str, due: float, deadline: float | None) -> list[Row | None]:
        """Queue the next step of each row: ``None`` where its message has been on this channel for the recipient."""

    def tell(self, stories: Mapping[int, int]) -> None:
        """Write down by which row the story of each of these rows is told."""

    # --- claims

    def take(self, worker: str, limit: int, account: str | None, among: Sequence[int] | None = None) -> Taken | None:
        """Claim due rows of one message and channel, those of the row that has been due for longest.

        ``among`` asks for these rows alone, as far as they share the first one's message and channel. A message that is
        nobody's becomes ``account``'s. Raises HeldError where nothing may be claimed, and so does ``claim``.
        """

    def claim(self, worker: str, numbers: Sequence[int]) -> tuple[int, tuple[Row, ...]]:
        """Claim these queued rows of one message; return the claim's id, never used again, and the rows."""

    def settle(self, settlement: Settlement) -> int:
        """Write down what became of a batch's rows; return how many took it: those that are still the claim's.

        A claim that has no open rows left is closed. Where the store has lost the claim itself, as in a failover, rows
        that nobody has claimed since are still its own.
        """

    def claimed_by(self, worker: str) -> list[Row]:
        """Return the rows that a worker has claimed and not settled."""

    def drop_claims(self, worker: str) -> None:
        """Close the claims of a worker, whatever is open of them."""

    # --- changes

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows back as they are given."""

    def attend(self, limit: int, until: float, account: str | None) -> list[Row]:
        """Return rows that need attention, the longest due first, and put it off until ``until`` for others."""

    def remove(self, numbers: Iterable[int]) -> int:
        """Remove rows, and the messages that have none left; return how many rows there were."""

    def add_to(self, name: str, number: int) -> None:
        """Raise one of the counts."""

    def remember(self, name: str, value: str) -> None:
        """Store a text under a name."""

    def put_entries(self, bucket: str, values: Mapping[str, str]) -> None:
        """Store values in a bucket under their keys, in place of what stood there."""

    def drop_entries(self, bucket: str, keys: Collection[str]) -> None:
        """Remove these keys from a bucket."""

    def set_pace(self, account: str, pace: StoredPace | None) -> None:
        """Store the pace of an account, or of EVERYBODY; ``None`` takes it away."""

    def introduce(self, account: str) -> int:
        """Give the account what is older than accounts, once; return how many rows."""

    def hand_over(self, old: str, new: str) -> int:
        """Make one account's messages another's; return how many rows."""


class Store(Protocol):
    """Where an outbox keeps what it holds; threads may share one."""

    @property
    def max_rows(self) -> int | None:
        """How many rows it holds unless it is told otherwise; ``None``: as many as there come."""

    @property
    def campaign(self) -> str | None:
        """The campaign that it keeps by its very name, and nothing else; ``None`` where it keeps what comes."""

    @property
    def name(self) -> str:
        """How the store is called to people, without a secret."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    @property
    def worker(self) -> str | None:
        """The name of this process among those that claim; ``None`` before ``enlist``."""

    def now(self) -> float:
        """Return the store's time: seconds since the epoch."""

    def ahead(self) -> float:
        """Return by how many seconds the store's clock is ahead of this machine's; 0 where it is this machine's own."""

    def read(self, operation: str, work: Callable[[Transaction], T]) -> T:
        """Return what ``work`` makes of the store; failures are DevinotifyErrors that name ``operation``."""

    def write(
        self,
        operation: str,
        work: Callable[[Transaction], T],
        *,
        durable: bool = False,
        verdict: Verdict = Verdict.NOT_SENT,
    ) -> T:
        """Return what ``work`` returns, once its changes are made; an exception undoes them.

        ``durable``: they survive a power failure before this returns. ``verdict`` is that of a failure's error.
        """

    def add_one(
        self, new: NewMessage, recipient: str, channel: str, not_before: float | None, deadline: float | None
    ) -> Row | None:
        """Store a message with one row, the quickest way there is; ``None`` where its key is known."""

    def pages(self, selection: Selection, after: int, limit: int | None, size: int) -> Iterator[list[Row]]:
        """Yield rows with an id above ``after``, ``size`` at a time, in the order of their ids, as they stand then."""

    def idle(self, account: str | None) -> bool:
        """Whether nothing can be claimed now; where that is not known without a change, it is ``False``."""

    def enlist(self) -> str:
        """Give a sign of life from now on, until ``close`` or this process's end; return this worker's name."""

    def gone(self) -> AbstractContextManager[Collection[str]]:
        """Give the names of workers that claimed and live no more, held so that nobody else closes their claims.

        They are cleared away at the end unless an exception comes.
        """

    def held(self) -> str | None:
        """Return why nothing is claimed until ``resume``, as where commits may be missing; ``None`` as a rule."""

    def resume(self) -> None:
        """Take what is there for all that there was."""

    def senders_alive(self) -> bool:
        """Whether any worker but this one is alive."""

    def workers(self) -> list[Claimant]:
        """Return the workers that are alive."""

    def close(self) -> None:
        """Let go of everything; a second call does nothing."""


@runtime_checkable
class QuickSteps(Protocol):
    """What a store offers besides where a worker's steps have a way that takes less than what a transaction allows for:
    one question to another machine, or one that holds others up for less long.

    What is not as it mostly is they leave to the transaction's methods of the same names, with all else untouched.
    """

    def take(self, worker: str, limit: int, account: str | None) -> tuple[bool, Taken | None]:
        """Claim as a transaction does, committed and durable; return what, and before it whether that is the answer.

        Where it is, ``None`` says that nothing is due.
        """

    def settle(self, settlement: Settlement) -> bool:
        """Write down what became of all rows of a batch, committed; return whether it was done."""


@runtime_checkable
class SharedDatabase(Protocol):
    """What a store offers besides where it stands in a database that its users have for their own data, too."""

    def add_within(
        self,
        connection: object,
        new: NewMessage,
        recipients: Sequence[str],
        channel: str,
        not_before: float | None,
        deadline: float | None,
    ) -> tuple[list[Row], bool]:
        """Store a message in the transaction of the caller's connection, which is left open; return its rows.

        And whether its key was known: then nothing was stored, and of the rows no more than their places and states is
        told. A failure changes nothing in the transaction.
        """
