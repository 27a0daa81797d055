"""The store in a PostgreSQL database: ``store.Store`` over a connection, with a heartbeat for a sign of life."""

from __future__ import annotations

import contextlib
import logging
import time
import weakref
from typing import TYPE_CHECKING, TypeVar

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox.encoding import encode_message
from devinotify.outbox.paging import in_pages
from devinotify.outbox.postgres import borrowed, claiming, heartbeat, migration, settling, staging
from devinotify.outbox.postgres.database import AnswerLostError, Database
from devinotify.outbox.postgres.errors import InDoubtError, UnconfirmedError, not_claimed
from devinotify.outbox.postgres.heartbeat import Heartbeat
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.positions import LOOK_EVERY, Positions
from devinotify.outbox.postgres.session import quoted
from devinotify.outbox.postgres.transaction import PostgresTransaction, TakenForDeadError
from devinotify.outbox.records import make_row
from devinotify.outbox.states import RowState
from devinotify.outbox.store import Claimant, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from devinotify.outbox.postgres.session import Line, Session
    from devinotify.outbox.records import NewMessage, Row
    from devinotify.outbox.settlement import Settlement
    from devinotify.outbox.store import Selection

log: logging.Logger = logging.getLogger(__name__)

_TO_PUT_BACK = frozenset({"claim", "step"})
"""Operations whose claims are queued again where their commit does not count. Not what is sent by whoever stores it: he
is told that nothing was sent, and nobody is to send it after that."""

COMMIT_WAITED_FOR = 5.0
"""Seconds for which a commit that is under way is waited for at a time before its claim is put back."""

T = TypeVar("T")


class PostgresStore:
    """The schema that a ``postgresql://`` URL names, made where there is none.

    The time is the database's; ``clock``, in seconds since the epoch, takes its place in tests. Once in ``look_every``
    seconds rows are looked for that became visible late. Raises InvalidInput where the URL is not understood or the
    schema cannot be used, and a DevinotifyError where the database cannot be reached.
    """

    max_rows: int | None = None  # a database is bounded by its disk

    def __init__(self, url: str, clock: Callable[[], float] | None = None, *, look_every: float = LOOK_EVERY) -> None:
        self._where = parse_location(url)
        self.campaign: str | None = self._where.campaign
        self._database = Database(self._where)
        self._clock = clock
        self._accounts: dict[str, int] = {}
        self._positions = Positions(look_every)
        # Claims that may have been committed, and are nobody's to send, each with the token of its transaction.
        self._loose: dict[int, int] = {}
        self._place: str | None = None  # which database of which server, once it was asked
        self._heartbeats: list[Heartbeat] = []  # of this process: at most one
        self._finalizer = weakref.finalize(self, _release, self._database, self._heartbeats)
        try:
            self._database.prepare()
        except BaseException:
            self._database.close()
            raise

    @staticmethod
    def migrate(url: str) -> tuple[int, int]:
        """Bring the schema that a URL names to the newest version; return which it had, and which it has."""
        database = Database(parse_location(url))
        try:
            return database.migrate()
        finally:
            database.close()

    @staticmethod
    def exists(url: str) -> bool:
        """Return whether the schema that a URL names is there; raises as the class does."""
        database = Database(parse_location(url))
        try:
            return bool(database.read("open", migration.version))
        finally:
            database.close()

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self._where.name

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._database.closed

    @property
    def worker(self) -> str | None:
        """This process's name, once it has claimed."""
        return next((each.name for each in self._heartbeats if each.is_alive()), None)

    def now(self) -> float:
        """Return the time by the database's clock."""
        return self._database.now() if self._clock is None else self._clock()

    def ahead(self) -> float:
        """Return by how much the database's clock is ahead of this machine's."""
        return self._database.now() - time.time() if self._clock is None else 0.0

    def read(self, operation: str, work: Callable[[PostgresTransaction], T]) -> T:
        """Return what ``work`` reads, statement by statement."""

        def ask(session: Session) -> T:
            transaction = PostgresTransaction(
                session, self.now, self._accounts, self._positions, locks=False, lives=self._lives
            )
            found = work(transaction)
            self._accounts.update(transaction.new)
            return found

        return self._database.read(operation, ask)

    def _lives(self, seconds: float) -> bool:
        return all(each.renew(seconds) for each in self._heartbeats)

    def write(
        self,
        operation: str,
        work: Callable[[PostgresTransaction], T],
        *,
        durable: bool = False,
        verdict: Verdict = Verdict.NOT_SENT,
    ) -> T:
        """Return what ``work`` returns, in one transaction."""
        if operation in _TO_PUT_BACK or operation == "close":
            self._put_back()
        done: list[tuple[PostgresTransaction, T, int]] = []  # the last try, what it returned, and its token

        def change(session: Session, now: float) -> None:
            clock = self._clock or (lambda: now)
            transaction = PostgresTransaction(
                session,
                clock,
                self._accounts,
                self._positions,
                locks=True,
                may_claim=self._database.check_claims,
                since=self._database.missed_at,
            )
            done[:] = [(transaction, work(transaction), self._database.token)]

        try:
            self._database.write(operation, change, durable=durable, verdict=verdict)
        except (InDoubtError, UnconfirmedError) as error:
            ((transaction, _, token),) = done
            if transaction.taken and operation in _TO_PUT_BACK:
                self._loose.update(dict.fromkeys(transaction.taken, token))
                raise self._not_claimed(error) from None
            if isinstance(error, InDoubtError) or verdict is not Verdict.UNKNOWN:
                raise
            self._stands(error)
        except TakenForDeadError:
            for each in self._heartbeats:
                each.lose()
            raise DevinotifyError(
                f"outbox {self.name}: this worker was taken for dead, having given no sign of life for"
                f" {heartbeat.DEAD_AFTER:.0f} seconds; it goes on as a new one",
                operation=f"outbox.{operation}",
                verdict=Verdict.NOT_SENT,
                retryable=True,
            ) from None
        # Not before the commit: a transaction may be undone.
        ((transaction, found, _),) = done
        self._accounts.update(transaction.new)
        return found

    @staticmethod
    def _stands(error: UnconfirmedError) -> None:
        """Say so: it tells of what has happened already, and stands where it was told; again, it would not be news."""
        log.warning("%s", error)

    def _not_claimed(self, error: DevinotifyError) -> DevinotifyError:
        """Return the error of a claim whose commit does not count, put back already where that can be done."""
        with contextlib.suppress(DevinotifyError):  # before anything else is claimed, then
            self._put_back()
        return not_claimed(error)

    def _put_back(self) -> None:
        """Queue again what was claimed by commits that do not count; raise the error for which that has to wait.

        A commit that still waits for its standby shows nobody its claim: it is waited for by its token, and so long.
        """

        def undo(session: Session, now: float) -> None:  # noqa: ARG001 - the rows have their own times
            session.run("SELECT set_config('lock_timeout', %s, true)", f"{COMMIT_WAITED_FOR:.0f}s")
            for claim, token in loose.items():
                if self._database.was_made(session, token):
                    staging.enqueue(session, claiming.close(session, claim))

        with self._database.lock:
            if loose := dict(self._loose):
                try:
                    self._database.write("release", undo)
                except DevinotifyError as error:
                    raise not_claimed(error) from None
                self._loose.clear()
                self._positions.reset()

    def held(self) -> str | None:
        """Return why nothing is claimed, or ``None``."""
        return self._database.held()

    def resume(self) -> None:
        """Send from the server as it is."""
        self._database.resume()

    def add_one(
        self, new: NewMessage, recipient: str, channel: str, not_before: float | None, deadline: float | None
    ) -> Row | None:
        """Store a message with one row: one statement, one round trip."""
        account = None
        if new.account is not None:
            account = self._accounts.get(new.account)
            if account is None:
                whose = new.account
                account = self.write("enqueue", lambda transaction: transaction.number_of(whose))
        moment = None if self._clock is None else self._clock()
        values = (*encode_message(new, moment, account), recipient, channel, not_before, deadline)

        def add(session: Session) -> Line | None:
            return session.one(staging.ADD_ONE, *values)

        try:
            line = self._database.once("enqueue", add, Verdict.NOT_SENT)
        except InDoubtError:
            if new.key is None:
                raise
            # The key tells: where it was stored, it is known by now. It waits for whoever is still storing it.
            line = self._database.once("enqueue", add, Verdict.UNKNOWN)
        if line is None or line[0] is None:
            return None
        number, due = line
        return make_row(number, number, recipient, channel, RowState.QUEUED, 0, due, deadline)

    def take(self, worker: str, limit: int, account: str | None) -> tuple[bool, Taken | None]:
        """Claim by one statement."""
        whose, started = None if account is None else self._accounts.get(account), self._database.started
        if started is None or (account is not None and whose is None):
            return False, None
        claim, moment = claiming.new_claim(), None if self._clock is None else self._clock()

        def ask(session: Session, last: int, following: int) -> Line | None:
            self._loose[claim] = following  # until it is told
            alone = claiming.Alone(last, following, started, self._where.trusts)
            line = claiming.ask_next(session, alone, claim, worker, moment, whose, limit, since)
            return None if claiming.made_at(line) is None else line

        with self._database.lock:
            self._put_back()
            since, asked = self._positions.since(whose), time.monotonic()
            try:
                line = self._database.alone("claim", ask)
            except AnswerLostError:
                return False, None
            except (InDoubtError, UnconfirmedError) as error:
                raise self._not_claimed(error) from None
            self._loose.pop(claim, None)  # it may not have been asked for at all
            if (at := claiming.made_at(line)) is None:
                return False, None
            self._database.heard(at, asked)
            found = claiming.found(claim, line)
            if found is None:
                return False, None
            place, (_, rows, stored) = found
            self._positions.taken(whose, place)
            return True, Taken(claim, stored, rows, ())

    def settle(self, settlement: Settlement) -> bool:
        """Write down by one statement what was accepted alike."""
        batch, alike = settlement.batch, list(settlement.accepted())
        if settlement.endings or len(alike) != 1 or len(settlement.states) != len(batch.rows):
            return False

        def ask(session: Session, last: int, following: int) -> bool | None:
            return settling.settle_alone(session, last, following, batch.claim, *alike[0]) or None

        try:
            return self._database.alone("settle", ask) is not None
        except AnswerLostError:
            return True
        except UnconfirmedError as error:
            self._stands(error)
            return True

    def add_within(
        self,
        connection: object,
        new: NewMessage,
        recipients: Sequence[str],
        channel: str,
        not_before: float | None,
        deadline: float | None,
    ) -> tuple[list[Row], bool]:
        """Store a message by the function that stands in the schema."""
        lines = borrowed.enqueue(
            connection,
            borrowed.Order(new, recipients, channel, not_before, deadline),
            name=self.name,
            prefix=quoted(self._where.schema),
            is_here=self._is_here,
        )
        rows = [
            make_row(number, message, recipient, step, RowState(state), attempts, due, until)
            for number, message, recipient, step, state, attempts, due, until, _ in lines
        ]
        return rows, not lines or bool(lines[0][-1])

    def _is_here(self, place: str) -> bool:
        # Asked anew where it is another one: a server may have been upgraded since.
        if place != self._place:
            line = self._database.read("enqueue", lambda session: session.one(f"SELECT {borrowed.PLACE}"))
            self._place = None if line is None else str(line[0])
        return place == self._place

    def pages(self, selection: Selection, after: int, limit: int | None, size: int) -> Iterator[list[Row]]:
        """Yield pages of rows, each as it stands when it is read."""

        def read(after: int, most: int) -> list[Row]:
            return self.read("rows", lambda transaction: transaction.page(selection, after, most))

        return in_pages(read, after, limit, size)

    def idle(self, account: str | None) -> bool:
        """Whether the queue has nothing that is due, what was stored a moment ago included."""
        if self._loose:
            return False
        if self._clock is None:
            self._database.hear()
        return self.read("claim", lambda transaction: transaction.is_idle(account))

    def enlist(self) -> str:
        """Return the name under which this process is heard of from now on; a new one where it was taken for dead."""
        with self._database.lock:
            if self.worker is None:
                for each in self._heartbeats:
                    each.stop()
                self._heartbeats[:] = [Heartbeat(self._where)]
            return self._heartbeats[0].name

    @contextlib.contextmanager
    def gone(self) -> Iterator[Collection[str]]:
        """Give the workers whose lines are gone: those of the dead are removed first, so that they know it, too."""

        def bury(session: Session, now: float) -> list[str]:  # noqa: ARG001 - the database counts by its own clock
            session.run(heartbeat.BURY)
            session.run(heartbeat.TIDY)
            return [worker for (worker,) in session.all(heartbeat.GONE)]

        # Two that recover at once find each other's claims held, and then closed.
        yield self._database.write("recover", bury, durable=True)

    def senders_alive(self) -> bool:
        """Whether any worker but this one has been heard of lately."""
        own = self.worker
        return self._database.read("workers", lambda session: session.one(heartbeat.ALIVE, own)) is not None

    def workers(self) -> list[Claimant]:
        """Return those that have been heard of lately."""
        return self._database.read("workers", lambda session: list(map(Claimant._make, session.all(heartbeat.SEEN))))

    def close(self) -> None:
        """Close the connection and take the sign of life back."""
        name = self.worker
        try:
            for each in self._heartbeats:
                each.stop()
            if name is not None:
                with contextlib.suppress(DevinotifyError):  # the line is found dead, then
                    self._database.once("close", lambda session: session.run(heartbeat.LEAVE, name), Verdict.UNKNOWN)
        finally:
            self._finalizer.detach()
            _release(self._database, self._heartbeats)


def _release(database: Database, heartbeats: list[Heartbeat]) -> None:
    """Let go of the connections; what was claimed and not settled is found in time by whoever recovers."""
    # Collection may come at any moment, in a thread that holds other locks: it never waits for this one.
    if database.lock.acquire(blocking=False):
        try:
            database.close()
        finally:
            database.lock.release()
    for each in heartbeats:
        each.leave()
    heartbeats.clear()
