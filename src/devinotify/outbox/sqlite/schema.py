"""What stands in the file: its marks, its tables, and the steps from each version to the next.

Recipients in E.164 are stored as integers (``+79161234567`` as 79161234567), anything else as text; times
are seconds since the epoch (UTC); states are the numbers of ``states.CODES``.
"""

from __future__ import annotations

APPLICATION_ID = 0x44564E4F
"""``DVNO`` in SQLite's application-id field: how the file says that it is an outbox."""

_VERSION_1 = (
    # A text and what belongs to it, shared by all its recipients. The id is that of the message's first row. ``flags``:
    # 1 its delivery is watched, 2 it falls back. ``rest``: what few messages have, as JSON, so that most carry no
    # empty columns.
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        key TEXT,
        text TEXT NOT NULL,
        channel TEXT NOT NULL,
        created_at REAL NOT NULL,
        flags INTEGER NOT NULL,
        rest TEXT
    )""",
    "CREATE UNIQUE INDEX messages_key ON messages (key) WHERE key IS NOT NULL",
    # One recipient and one step on one channel.
    """CREATE TABLE rows (
        id INTEGER PRIMARY KEY,
        message INTEGER NOT NULL,
        recipient NOT NULL,
        channel TEXT NOT NULL,
        state INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        due REAL,
        deadline REAL,
        claim INTEGER,
        message_ids TEXT,
        segments INTEGER,
        sent_at REAL,
        via TEXT,
        resends INTEGER,
        error TEXT,
        error_code INTEGER,
        error_reason TEXT,
        error_text TEXT,
        status TEXT,
        status_code INTEGER,
        status_at REAL,
        price TEXT,
        next_poll_at REAL,
        watch_until REAL,
        patience_until REAL,
        parent INTEGER,
        stepped INTEGER
    )""",
    # Nothing is enqueued twice on one channel.
    "CREATE UNIQUE INDEX rows_once ON rows (message, recipient, channel)",
    # The queue: only what waits is in it, and it covers the search for a batch of one message.
    "CREATE INDEX rows_queue ON rows (due, message, channel) WHERE state = 0",
    "CREATE INDEX rows_watch ON rows (next_poll_at) WHERE next_poll_at IS NOT NULL",
    # What was claimed by whom: ``rows`` packs the row ids as 64-bit integers, so that no index is needed for them.
    """CREATE TABLE claims (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        worker TEXT NOT NULL,
        pid INTEGER NOT NULL,
        claimed_at REAL NOT NULL,
        open INTEGER NOT NULL,
        rows BLOB NOT NULL
    )""",
    # Single messages land here, in one table without an index, and are moved in bulk before anything is read. Its
    # last row is left behind empty: the next row id follows from it, so that no id is ever used twice.
    """CREATE TABLE intake (
        id INTEGER PRIMARY KEY,
        recipient,
        step TEXT,
        due REAL,
        deadline REAL,
        key TEXT,
        text TEXT,
        channel TEXT,
        created_at REAL,
        flags INTEGER,
        rest TEXT
    )""",
    "CREATE UNIQUE INDEX intake_key ON intake (key) WHERE key IS NOT NULL",
    "INSERT INTO intake (id) VALUES (0)",
    # The counts of what is no longer there, and what the users of a file want to find again in it.
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "INSERT INTO facts VALUES ('dropped', 0), ('forgotten', 0)",
)

_VERSION_2 = (
    "ALTER TABLE facts RENAME TO meta",
    # Whose messages are whose. A message without an account is that of whoever sends it first.
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "ALTER TABLE messages ADD COLUMN account INTEGER",
    "ALTER TABLE intake ADD COLUMN account INTEGER",
    # The message's account, or NULL: then the message is asked. It leads the two indexes, so that nobody reads through
    # another account's queue.
    "ALTER TABLE rows ADD COLUMN account INTEGER",
    "DROP INDEX rows_queue",
    "CREATE INDEX rows_queue ON rows (account, due, message, channel) WHERE state = 0",
    "DROP INDEX rows_watch",
    "CREATE INDEX rows_watch ON rows (account, next_poll_at) WHERE next_poll_at IS NOT NULL",
    # Up to which message the file is older than accounts: those become the account's that opens it first.
    """INSERT INTO meta SELECT 'older', max(id) FROM intake
       WHERE (SELECT count(*) FROM messages) OR text IS NOT NULL HAVING max(id) IS NOT NULL""",
)

_VERSION_3 = (
    # The order of a fallback's steps: on each step its id, and on the order its own, so that both can be told.
    "ALTER TABLE rows ADD COLUMN story INTEGER",
    "CREATE INDEX rows_story ON rows (story) WHERE story IS NOT NULL",
)

_VERSION_4 = (
    # What plugins keep, and which incoming messages were told of: texts by key, in buckets.
    """CREATE TABLE entries (
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (bucket, key)
    ) WITHOUT ROWID""",
)

_VERSION_5 = (
    # 1 where nobody has asked for the deadline. What was set before stays as if somebody had.
    "ALTER TABLE rows ADD COLUMN own_deadline INTEGER",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
"""The statements that lead from each version to the next; the first makes an empty file version 1."""
