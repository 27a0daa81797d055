"""A message in its program's own transaction: with what it tells of, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from devinotify import AsyncNotifier, Notifier
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidPhoneNumber, Verdict
from devinotify.models import Message
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.memory import MemoryStore
from devinotify.outbox.postgres.location import parse_location
from devinotify.outbox.postgres.session import quoted
from devinotify.phones import is_e164
from devinotify.sandbox import Sandbox
from tests.outbox.postgres.hosts import HOSTS, Asyncpg, Host, Psycopg, Psycopg2
from tests.outbox.postgres.test_database import run
from tests.outbox.support import NUMBER, accepted, claim, message, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import Server

pytestmark = pytest.mark.once(traced=True)

ACCOUNT = "me@host/rest"
SOON = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)


class ChangedItsMindError(Exception):
    """What makes a program roll back."""


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    """Give an outbox in the database."""
    with Outbox(url) as found:
        yield found


@pytest.fixture(params=HOSTS, ids=lambda kind: kind.__name__.lower())
def host(request: pytest.FixtureRequest, outbox: Outbox, url: str) -> Iterator[Host]:
    """Give a program of each kind in turn."""
    found = request.param(url)
    yield found
    found.close()


@pytest.fixture
def connection(outbox: Outbox, url: str) -> Iterator[psycopg.Connection[Any]]:
    """Give a program's connection, no transaction begun."""
    with psycopg.connect(parse_location(url).conninfo) as found:
        yield found


def test_a_message_is_seen_when_its_program_commits(outbox: Outbox, host: Host) -> None:
    """Not before that, and then a worker sends it."""
    with host.transaction():
        (number,) = host.enqueue(outbox, "paid")
        assert (0, None) == (len(outbox), outbox.claim())
    batch = claim(outbox)
    assert [number] == [row.id for row in batch.rows]
    assert "paid" == batch.stored.message.text
    assert {number: RowState.ACCEPTED} == outbox.settle(batch, accepted(batch))


def test_a_message_is_gone_when_its_program_rolls_back(outbox: Outbox, host: Host) -> None:
    """As if it had never been; and its key is free."""
    _take_back(outbox, host, "paid", key="order-1")
    assert (0, []) == (len(outbox), outbox.find("order-1"))
    with host.transaction():
        host.enqueue(outbox, "paid", key="order-1")
    assert 1 == len(outbox)


def _take_back(outbox: Outbox, host: Host, text: str, **options: Any) -> None:  # noqa: ANN401 - enqueue's own
    """Enqueue in a transaction or savepoint that is rolled back."""
    with contextlib.suppress(ChangedItsMindError), host.transaction():
        host.enqueue(outbox, text, **options)
        raise ChangedItsMindError


def test_a_savepoint_takes_back_what_was_enqueued_inside(outbox: Outbox, host: Host) -> None:
    """And nothing else: what came before and after is committed."""
    with host.transaction():
        host.enqueue(outbox, "before")
        _take_back(outbox, host, "inside")
        with host.transaction():
            host.enqueue(outbox, "after")
    assert ["before", "after"] == [
        stored.message.text for row in outbox if (stored := outbox.message(row.message_id)) is not None
    ]


def test_an_error_leaves_the_programs_transaction_as_it_was(outbox: Outbox, host: Host) -> None:
    """What it enqueues before and after is committed, and of what was refused nothing is left."""
    if isinstance(host, Asyncpg):
        pytest.skip("who calls the function keeps a savepoint of his own")
    with host.transaction():
        host.enqueue(outbox, "before")
        with pytest.raises(InvalidInput, match="cannot keep"):
            host.enqueue(outbox, "a\0b")
        with pytest.raises(InvalidInput, match="cannot keep"):
            host.enqueue(outbox, "", key="k")  # the function's own refusal
        host.enqueue(outbox, "after")
    assert 2 == len(outbox)


def test_the_row_says_where_it_will_stand(outbox: Outbox, connection: psycopg.Connection[Any]) -> None:
    """In the order of the recipients, each once, and as it is read after the commit."""
    until = datetime.now(UTC) + timedelta(hours=1)
    to = numbers(3)
    rows = outbox.enqueue(
        message(*to, to[0]),
        connection=connection,
        deadline=until,
        not_before=until - timedelta(minutes=5),
        account=ACCOUNT,
        channel="viber",
    )
    connection.commit()
    assert (list(to), rows) == ([row.recipient for row in rows], list(outbox))
    assert [until.timestamp() - 300] * 3 == [row.next_attempt_at for row in rows]


def test_what_names_no_account_is_the_outboxs_own(
    url: str, outbox: Outbox, connection: psycopg.Connection[Any]
) -> None:
    """As without a connection."""
    with Outbox(url, account=ACCOUNT) as own:
        own.enqueue(message(), connection=connection)
        own.enqueue_within(connection, message())
    connection.commit()
    stored = [outbox.message(row.message_id) for row in outbox]
    assert [ACCOUNT] * 2 == [None if each is None else each.account for each in stored]


@pytest.mark.parametrize(
    "send_at", [None, SOON, SOON.replace(tzinfo=None, microsecond=678)], ids=["none", "instant", "wall-clock"]
)
def test_a_message_is_stored_as_without_a_connection(
    outbox: Outbox, connection: psycopg.Connection[Any], send_at: datetime | None
) -> None:
    """All that a message can have; a wall clock stays one."""
    full = Message(
        "text",
        (NUMBER,),
        title="title",
        sender="ME",
        channel="sms-viber",
        send_at=send_at,
        validity=60,
        tags=frozenset({"urgent", "b"}),
    )
    options: dict[str, Any] = {
        "original_time": datetime(2025, 1, 2, tzinfo=UTC),
        "patience": 60.0,
        "watch": False,
        "fallback": True,
        "meta": {"a": {"b": None, "c": [1, "д"]}},
        "account": ACCOUNT,
    }
    (within,) = outbox.enqueue(full, connection=connection, **options)
    connection.commit()
    (alone,) = outbox.enqueue(full, **options)
    first, second = outbox.message(within.message_id), outbox.message(alone.message_id)
    assert first is not None
    assert second is not None
    assert (second.message, second.meta, second.original_time, second.patience, second.watch, second.fallback) == (
        first.message,
        first.meta,
        first.original_time,
        first.patience,
        first.watch,
        first.fallback,
    )
    assert ACCOUNT == first.account == second.account


def test_a_known_key_stores_nothing(outbox: Outbox, connection: psycopg.Connection[Any]) -> None:
    """The rows of then are returned, as they stand: the program's own that are not committed yet, too."""
    (row,) = outbox.enqueue(message(), key="k")
    assert ([row], True) == outbox.enqueue_within(connection, message(text="other"), key="k")
    batch = claim(outbox)
    (found,) = outbox.enqueue(message(), key="k", connection=connection)
    assert (row.id, RowState.CLAIMED) == (found.id, found.state)
    outbox.settle(batch, accepted(batch))
    (found,) = outbox.enqueue(message(), key="k", connection=connection)
    assert RowState.ACCEPTED == found.state
    first, again = (outbox.enqueue_within(connection, message(), key="new") for _ in range(2))
    assert (first[0], False, True) == (again[0], first[1], again[1])
    connection.commit()
    assert 2 == len(outbox)


def test_a_key_waits_for_the_program_that_has_it(outbox: Outbox, url: str) -> None:
    """Until that one has committed, nobody knows whether the key is taken."""
    first, second = Psycopg(url), Psycopg(url)
    with first.transaction():
        first.enqueue(outbox, "first", key="k")
        second.connection.execute("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(DevinotifyError, match="locked by another") as told:
            second.enqueue(outbox, "second", key="k")
    assert (Verdict.NOT_SENT, True) == (told.value.verdict, told.value.retryable)
    assert 1 == len(outbox)
    first.close()
    second.close()


def test_a_connection_that_commits_by_itself_is_refused(outbox: Outbox, url: str) -> None:
    """There is no transaction to be part of; inside of one it may be used."""
    with psycopg.connect(parse_location(url).conninfo, autocommit=True) as connection:
        with pytest.raises(InvalidInput, match="commits each statement by itself"):
            outbox.enqueue(message(), connection=connection)
        with connection.transaction():
            outbox.enqueue(message(), connection=connection)
    assert 1 == len(outbox)


def test_a_failed_transaction_is_told(outbox: Outbox, connection: psycopg.Connection[Any]) -> None:
    """It is the program's to roll back."""
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT 1/0")
    with pytest.raises(InvalidInput, match="has failed already"):
        outbox.enqueue(message(), connection=connection)


def test_a_transaction_that_may_not_write_is_told(outbox: Outbox, connection: psycopg.Connection[Any]) -> None:
    """And goes on reading."""
    connection.execute("SET TRANSACTION READ ONLY")
    with pytest.raises(InvalidInput, match="read-only"):
        outbox.enqueue(message(), connection=connection)
    assert (1,) == connection.execute("SELECT 1").fetchone()


def test_another_database_is_told(server: Server, outbox: Outbox, url: str) -> None:
    """Whether it has an outbox of the same name or not: a worker would never see the message."""
    run(url, "DROP DATABASE IF EXISTS other")
    run(url, "CREATE DATABASE other")
    elsewhere = url.replace("/postgres?", "/other?")
    with psycopg.connect(parse_location(elsewhere).conninfo) as connection:
        with pytest.raises(InvalidInput, match="has no outbox of this version"):
            outbox.enqueue(message(), connection=connection)
        connection.commit()
        with Outbox(elsewhere) as other:
            with pytest.raises(InvalidInput, match="another database"):
                outbox.enqueue(message(), connection=connection)
            connection.commit()
            assert 0 == len(other)


@pytest.mark.parametrize("awaited", ["asyncpg", "psycopg"])
def test_a_connection_that_is_awaited_is_told_of_the_function(outbox: Outbox, url: str, awaited: str) -> None:
    """Neither asyncpg's nor psycopg's own can be called from here."""

    async def by_psycopg() -> None:
        async with await psycopg.AsyncConnection.connect(parse_location(url).conninfo) as connection:
            outbox.enqueue(message(), connection=connection)

    def by_asyncpg() -> None:
        with contextlib.closing(Asyncpg(url)) as host:
            outbox.enqueue(message(), connection=host.connection)

    with pytest.raises(InvalidInput, match="call the SQL function"):
        by_asyncpg() if awaited == "asyncpg" else asyncio.run(by_psycopg())


def test_what_is_not_a_connection_to_postgresql_is_told(outbox: Outbox) -> None:
    """A file's, and anything that has no cursor."""
    with pytest.raises(InvalidInput, match="not one to PostgreSQL"):
        outbox.enqueue(message(), connection=sqlite3.connect(":memory:", factory=_Closing))
    with pytest.raises(InvalidInput, match=r"Django's is connection\.connection"):
        outbox.enqueue(message(), connection=object())


class _Closing(sqlite3.Connection):
    def __del__(self) -> None:
        self.close()


def test_a_closed_connection_is_told(outbox: Outbox, url: str) -> None:
    """Nothing was stored: it may be tried again by another."""
    for host in (Psycopg(url), Psycopg2(url)):
        host.close()
        with pytest.raises(DevinotifyError, match="closed or lost") as told:
            host.enqueue(outbox, "text")
        assert (Verdict.NOT_SENT, True) == (told.value.verdict, told.value.retryable)


def test_an_outbox_of_another_kind_takes_no_connection(connection: psycopg.Connection[Any], url: str) -> None:
    """Nor does one with a bound: what others have not committed cannot be counted."""
    with Outbox(MemoryStore()) as memory, pytest.raises(InvalidInput, match="PostgreSQL"):
        memory.enqueue(message(), connection=connection)
    with Outbox(url, max_rows=10) as bounded, pytest.raises(InvalidInput, match="without max_rows"):
        bounded.enqueue(message(), connection=connection)


def test_what_is_not_a_number_is_refused(outbox: Outbox, connection: psycopg.Connection[Any]) -> None:
    """By a connection as by the function."""
    with pytest.raises(InvalidPhoneNumber):
        outbox.enqueue(message("89161234567"), connection=connection)
    assert [] == outbox.enqueue(Message("text", ()), connection=connection)


@pytest.mark.parametrize(
    "raw",
    [
        "+12345",
        "+1234",
        "+" + "9" * 15,
        "+" + "9" * 16,
        "+0123456789",
        "79161234567",
        f"{NUMBER}\n",
        f"x\n{NUMBER}",
        "",
    ],
)
def test_a_number_is_what_it_is_everywhere(
    outbox: Outbox, connection: psycopg.Connection[Any], url: str, raw: str
) -> None:
    """The function in the database, an outbox with a connection and ``devinotify.phones`` have one rule of E.164."""
    taken = [True, True]
    try:
        outbox.enqueue(message(raw), connection=connection)
    except InvalidPhoneNumber:
        taken[0] = False
    call = f"SELECT recipient FROM {quoted(parse_location(url).schema)}enqueue('text', %s, 'me@host')"  # noqa: S608 - ours
    try:
        connection.execute(call.encode(), [[raw]])
    except psycopg.errors.InvalidParameterValue:
        taken[1] = False
    assert [is_e164(raw)] * 2 == taken


def test_a_connection_that_gives_lines_of_another_kind_serves(outbox: Outbox, url: str) -> None:
    """Whatever the program has set for its own."""
    with psycopg.connect(parse_location(url).conninfo, row_factory=dict_row) as connection:
        assert [RowState.QUEUED] == [row.state for row in outbox.enqueue(message(), connection=connection)]


def test_a_notifier_enqueues_within(url: str, connection: psycopg.Connection[Any]) -> None:
    """Numbers are read and texts checked as always; what is refused stands beside its recipient."""
    with Sandbox() as gateway, Notifier(str(gateway.url), outbox=url) as notifier:
        stored = notifier.enqueue("paid", ["8 916 123-45-67", "112"], key="k", connection=connection)
        known = notifier.enqueue("paid", "8 916 123-45-67", key="k", connection=connection)
        assert (["+79161234567"], ["112"], False, True) == (
            list(stored.rows),
            list(stored.refused),
            stored.known,
            known.known,
        )
        with Outbox(url) as outbox:
            assert 0 == len(outbox)
            connection.commit()
            (row,) = outbox
            found = outbox.message(row.message_id)
            assert found is not None
            assert notifier.url.account == found.account


def test_a_notifier_of_an_event_loop_passes_a_connection_on(url: str, connection: psycopg.Connection[Any]) -> None:
    """It is used in a thread while the caller waits."""

    async def enqueue() -> None:
        with Sandbox() as gateway:
            async with AsyncNotifier(str(gateway.url), outbox=url) as notifier:
                await notifier.enqueue("paid", "8 916 123-45-67", connection=connection)

    asyncio.run(enqueue())
    connection.commit()
    with Outbox(url) as outbox:
        assert 1 == len(outbox)
