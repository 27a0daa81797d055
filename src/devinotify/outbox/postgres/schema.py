"""What stands in the database: its tables, and the steps from each version to the next.

Times are seconds since the epoch (UTC), states the numbers of ``states.CODES``. ``~`` stands for the schema's name.

A row that waits has its line in ``queue``, one that a worker has claimed stands in a line of ``claims``: to claim is to
move ids from one to the other, and the row itself, which is large, is written once, when its outcome is known. Until
then ``rows.state`` says queued, and ``rows.attempts`` and ``rows.claim`` are as they were before.
"""

from __future__ import annotations

from devinotify.outbox.postgres.functions import FUNCTIONS
from devinotify.outbox.postgres.routines import CLAIM_ROWS, ROUTINES
from devinotify.outbox.postgres.standing import TIMELINE
from devinotify.outbox.postgres.steps import STEPS

_VERSION_1 = (
    # One sequence for messages and rows: a message has the id of its first row.
    "CREATE SEQUENCE ~ids AS bigint",
    "CREATE TABLE ~accounts (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE)",
    # A text and what belongs to it, shared by all its recipients. ``flags``: 1 its delivery is watched, 2 it falls
    # back. ``rest``: what few messages have, as JSON. ``account`` NULL: it is that of whoever sends it first.
    """CREATE TABLE ~messages (
        id bigint PRIMARY KEY,
        key text,
        text text NOT NULL,
        channel text NOT NULL,
        created_at double precision NOT NULL,
        flags smallint NOT NULL,
        rest text,
        account integer
    )""",
    "CREATE UNIQUE INDEX messages_key ON ~messages (key) WHERE key IS NOT NULL",
    # One recipient and one step on one channel. ``account`` repeats the message's, or is 0: then the message is asked.
    """CREATE TABLE ~rows (
        id bigint PRIMARY KEY,
        message bigint NOT NULL,
        due double precision,
        deadline double precision,
        claim bigint,
        parent bigint,
        sent_at double precision,
        status_at double precision,
        next_poll_at double precision,
        watch_until double precision,
        patience_until double precision,
        account integer NOT NULL DEFAULT 0,
        attempts integer NOT NULL DEFAULT 0,
        error_code integer,
        status_code integer,
        segments integer,
        state smallint NOT NULL,
        resends smallint,
        stepped smallint,
        recipient text COLLATE "C" NOT NULL,
        channel text COLLATE "C" NOT NULL,
        message_ids text,
        via text,
        error text,
        error_reason text,
        error_text text,
        status text,
        price text
    )""",
    # Nothing is enqueued twice on one channel.
    "CREATE UNIQUE INDEX rows_once ON ~rows (message, recipient, channel)",
    "CREATE INDEX rows_watch ON ~rows (account, next_poll_at) WHERE next_poll_at IS NOT NULL",
    # What waits. The account leads the order, so that nobody reads through another account's queue.
    """CREATE TABLE ~queue (
        id bigint PRIMARY KEY,
        due double precision NOT NULL,
        message bigint NOT NULL,
        account integer NOT NULL,
        channel text COLLATE "C" NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)""",
    "CREATE INDEX queue_order ON ~queue (account, due, message, channel, id)",
    # What was claimed by whom and has not been settled. The id is the claimant's own random number.
    """CREATE TABLE ~claims (
        id bigint PRIMARY KEY,
        worker text NOT NULL,
        claimed_at double precision NOT NULL,
        rows bigint[] NOT NULL
    )""",
    # Who sends, and when it was last heard of.
    """CREATE TABLE ~workers (
        name text PRIMARY KEY,
        host text NOT NULL,
        pid integer NOT NULL,
        seen_at double precision NOT NULL
    )""",
    # Which transactions were made: the last one of each process, by a random number of its own, so that one whose
    # answer was lost can be found out.
    "CREATE TABLE ~tokens (id bigint PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now())",
    # The counts of what is no longer there, and what users want to find again.
    "CREATE TABLE ~counters (name text PRIMARY KEY, value bigint NOT NULL)",
    "INSERT INTO ~counters VALUES ('dropped', 0), ('forgotten', 0)",
    "CREATE TABLE ~notes (name text PRIMARY KEY, value text NOT NULL)",
)

_VERSION_2 = (
    # How fast an account may send, over all who work here, and when its next message may go. The name is empty where
    # the pace is everybody's who has none of his own.
    "CREATE TABLE ~paces (account text PRIMARY KEY, rate double precision NOT NULL, next_at double precision NOT NULL)",
    *FUNCTIONS,
)

_VERSION_3 = (
    # Which server the claims were committed on, as far as a person knows: one line.
    """CREATE TABLE ~server (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        system bigint NOT NULL,
        timeline integer NOT NULL,
        relation oid NOT NULL,
        known_at double precision NOT NULL
    )""",
    f"""INSERT INTO ~server (system, timeline, relation, known_at)
        SELECT system_identifier, {TIMELINE}, '~server'::regclass::oid,
            extract(epoch FROM clock_timestamp())::double precision
        FROM pg_control_system()""",  # noqa: S608 - our own words
)

_VERSION_4 = (
    # The order of a fallback's steps: on each step its id, and on the order its own, so that both can be told.
    "ALTER TABLE ~rows ADD COLUMN story bigint",
    "CREATE INDEX rows_story ON ~rows (story) WHERE story IS NOT NULL",
)

_VERSION_5 = (
    # When anybody has booked last: a clock that shows less has been set back.
    "ALTER TABLE ~paces ADD COLUMN booked_at double precision",
)

_VERSION_6 = (
    # What plugins keep, and which incoming messages were told of: texts by key, in buckets.
    """CREATE TABLE ~entries (
        bucket text COLLATE "C",
        key text COLLATE "C",
        value text NOT NULL,
        PRIMARY KEY (bucket, key)
    )""",
)

# One question for each step of a worker's.
_VERSION_7 = ROUTINES

_VERSION_8 = (
    # 1 where nobody has asked for the deadline. What was set before stays as if somebody had.
    "ALTER TABLE ~rows ADD COLUMN own_deadline smallint",
    CLAIM_ROWS,
)

_VERSION_9 = (
    # A worker's step is a transaction of its own.
    *STEPS,
    # A row is written again when its outcome is known: on its own page, if there is room, and in no index then unless
    # its delivery is watched.
    "ALTER TABLE ~rows SET (fillfactor = 45)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
    _VERSION_7,
    _VERSION_8,
    _VERSION_9,
)
"""The statements that lead from each version to the next; the first makes an empty schema version 1."""

LOCK = 0x44564E4F
"""The advisory lock, of one transaction, under which the schema is changed: ``DVNO``."""
