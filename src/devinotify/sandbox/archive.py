"""The sandbox's messages in an SQLite file, so that they outlive it.

The file holds messages, refused sends, incoming messages, the requests that brought them (masked, as everywhere) and by
how much the clock was advanced; it holds neither sessions nor the password. One sandbox has it at a time. A file
that is made here is for its owner alone, since numbers and texts stand in it; the mode of one that was there
before is somebody's decision and stays. Links are not followed: in a folder that others write to they could
lead to any file.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from devinotify import files
from devinotify.exceptions import Verdict
from devinotify.sandbox.fates import Transition
from devinotify.sandbox.messages import SENDING, Incoming, PlatformMessage, RefusedSend
from devinotify.sandbox.requestlog import RequestRecord

if TYPE_CHECKING:
    from pathlib import Path

_APPLICATION = 0x44564E53
"""SQLite's application_id of these files: ``DVNS``."""
_VERSION = 2
_BESIDE = ("-wal", "-shm", "-journal")
"""The ends of the names of what SQLite keeps beside the file."""

_SCHEMA = """
CREATE TABLE request (
    id INTEGER PRIMARY KEY, at REAL, method TEXT, path TEXT, operation TEXT, query TEXT, body TEXT, headers TEXT,
    status INTEGER, code INTEGER, fault TEXT
);
CREATE TABLE message (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT, operation TEXT, sender TEXT, recipient TEXT, text TEXT,
    part_ids TEXT, created REAL, due REAL, price TEXT, fate TEXT, schedule TEXT, optional TEXT, resends INTEGER,
    resent_from INTEGER, request INTEGER
);
CREATE INDEX message_request ON message(request);
CREATE TRIGGER forget_request AFTER DELETE ON message
WHEN NOT EXISTS (SELECT 1 FROM message WHERE request = old.request)
BEGIN DELETE FROM request WHERE id = old.request; END;
CREATE TABLE incoming (number INTEGER PRIMARY KEY, id TEXT, sender TEXT, recipient TEXT, text TEXT, at REAL);
CREATE TABLE setting (name TEXT PRIMARY KEY, value REAL);
"""
_TO_2 = """
ALTER TABLE request ADD COLUMN took REAL DEFAULT 0;
ALTER TABLE message ADD COLUMN read INTEGER DEFAULT 0;
ALTER TABLE message ADD COLUMN tags TEXT DEFAULT '[]';
ALTER TABLE message ADD COLUMN released TEXT DEFAULT '';
ALTER TABLE message ADD COLUMN answered INTEGER DEFAULT 0;
CREATE TABLE refused (
    serial INTEGER PRIMARY KEY, channel TEXT, operation TEXT, sender TEXT, recipients TEXT, count INTEGER, text TEXT,
    status INTEGER, code INTEGER, reason TEXT, created REAL, behind INTEGER, request INTEGER, read INTEGER, tags TEXT
);
CREATE TRIGGER forget_refused_request AFTER DELETE ON refused
BEGIN DELETE FROM request WHERE id = old.request; END;
"""
"""What an older file is made newer by, and a new one complete."""

_REQUEST_COLUMNS = "id, at, method, path, operation, query, body, headers, status, code, fault, took"
_MESSAGE_COLUMNS = (
    "serial, channel, operation, sender, recipient, text, part_ids, created, due, price, fate, schedule, optional,"
    " resends, resent_from, request, read, tags, released, answered"
)
_REFUSED_COLUMNS = (
    "serial, channel, operation, sender, recipients, count, text, status, code, reason, created, behind, request,"
    " read, tags"
)


class ArchiveError(ValueError):
    """The file cannot be used: it is another program's, of a newer version, or in use."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds, in order of arrival, and the last number that was ever given to a message."""

    messages: list[PlatformMessage]
    incoming: list[Incoming]
    last_serial: int
    refused: list[RefusedSend]


def _make(path: Path) -> None:
    """Make the file where there is none, readable for nobody else for even a moment."""
    for name in (path, *(path.with_name(path.name + end) for end in _BESIDE)):
        if name.is_symlink():
            raise ArchiveError(f"cannot use {path}: {name.name} is a link, which is not followed")
    files.make(path)
    if not path.is_file():
        raise ArchiveError(f"cannot use {path}: it is not a file")


class Archive:
    """An open file. Raises ArchiveError where it cannot be used, OSError where it cannot be made."""

    def __init__(self, path: Path) -> None:
        _make(path)
        # The emulator's lock keeps its threads apart.
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=0.5)
        try:
            self._prepare()
        except (sqlite3.Error, ArchiveError) as failure:
            self._connection.close()
            if isinstance(failure, ArchiveError):
                raise
            locked = "locked" in str(failure)
            reason = "another sandbox has it open" if locked else "it is not an SQLite file, or a damaged one"
            raise ArchiveError(f"cannot use {path}: {reason}") from None

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        # What a crash of the machine would lose is a sandbox's last second.
        run("PRAGMA synchronous = OFF")
        run("PRAGMA journal_mode = WAL")
        (application,), (version,) = run("PRAGMA application_id").fetchone(), run("PRAGMA user_version").fetchone()
        (tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            self._connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA application_id = {_APPLICATION}; COMMIT;")
        elif application != _APPLICATION:
            raise ArchiveError("this SQLite file is another program's")
        elif version > _VERSION:
            raise ArchiveError(f"this file is of version {version}, and this program knows version {_VERSION}")
        if version < _VERSION:
            self._connection.executescript(f"BEGIN; {_TO_2} PRAGMA user_version = {_VERSION}; COMMIT;")
        # Takes the lock now rather than at the first message.
        run("INSERT OR IGNORE INTO setting VALUES ('advanced', 0)")
        self._connection.commit()

    def close(self) -> None:
        """Write what is left, and close the file."""
        self.commit()
        self._connection.close()

    def commit(self) -> None:
        """Make what was written since the last time last."""
        if self._connection.in_transaction:
            self._connection.commit()

    @property
    def advanced(self) -> float:
        """The seconds by which the clock was advanced."""
        return float(self._connection.execute("SELECT value FROM setting WHERE name = 'advanced'").fetchone()[0])

    @advanced.setter
    def advanced(self, seconds: float) -> None:
        self._connection.execute("UPDATE setting SET value = ? WHERE name = 'advanced'", (seconds,))

    # Reading.

    def load(self, keep: int) -> Loaded:
        """Return what the file holds, after the oldest messages past ``keep`` were removed from it."""
        run = self._connection.execute
        newest = "SELECT serial FROM message ORDER BY serial DESC LIMIT ?"
        run(f"DELETE FROM message WHERE serial NOT IN ({newest})", (keep,))  # noqa: S608 - no value stands in it
        requests = {row[0]: _request(row) for row in run(f"SELECT {_REQUEST_COLUMNS} FROM request")}  # noqa: S608 - as above
        messages: dict[int, PlatformMessage] = {}
        for row in run(f"SELECT {_MESSAGE_COLUMNS} FROM message ORDER BY serial"):  # noqa: S608 - as above
            message = messages[row[0]] = _message(row, requests)
            viber = messages.get(row[14])
            if viber is not None:
                message.resent_from, viber.resent = viber, message
        refused = [
            _refused(row, requests)
            for row in run(f"SELECT {_REFUSED_COLUMNS} FROM refused ORDER BY serial")  # noqa: S608 - as above
        ]
        columns = "SELECT id, sender, recipient, text, at FROM incoming ORDER BY number"
        incoming = [Incoming(*row) for row in run(columns)][-keep:]
        last = run("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
        return Loaded(list(messages.values()), incoming, last[0] if last else 0, refused)

    # Writing.

    def _insert(self, into: str, values: tuple[object, ...]) -> int:
        marks = ", ".join("?" * len(values))
        cursor = self._connection.execute(f"INSERT INTO {into} VALUES ({marks})", values)  # noqa: S608 - constants
        return cursor.lastrowid or 0

    def _request_id(self, record: RequestRecord | None) -> int | None:
        if record is None:
            return None
        if not record.archived_as:
            record.archived_as = self._insert(
                f"request ({_REQUEST_COLUMNS})",
                (
                    *(None, record.at, record.method, record.path, record.operation, record.query, record.body),
                    *(json.dumps(record.headers), record.status, record.code, record.fault),
                    record.took,
                ),
            )
        return record.archived_as

    def add(self, message: PlatformMessage) -> None:
        """Write a message, and the request that brought it."""
        self._insert(
            f"message ({_MESSAGE_COLUMNS})",
            (
                *(message.serial, message.channel, message.operation, message.sender, message.recipient),
                *(message.text, json.dumps(message.part_ids), message.created, message.due, str(message.price)),
                *(message.fate, json.dumps(message.schedule), message.optional, message.resends),
                message.resent_from.serial if message.resent_from else None,
                self._request_id(message.request),
                *(message.read, json.dumps(message.tags), message.released, message.answered),
            ),
        )

    def add_refused(self, refused: RefusedSend) -> None:
        """Write a refused send, and its request."""
        self._insert(
            f"refused ({_REFUSED_COLUMNS})",
            (
                *(refused.serial, refused.channel, refused.operation, refused.sender, json.dumps(refused.recipients)),
                *(refused.count, refused.text, refused.status, refused.code, refused.reason, refused.created),
                refused.behind,
                *(self._request_id(refused.request), refused.read, json.dumps(refused.tags)),
            ),
        )

    def remove_refused(self, serial: int) -> None:
        """Remove a refused send and its request."""
        self._connection.execute("DELETE FROM refused WHERE serial = ?", (serial,))

    def mark(self, listed: PlatformMessage | RefusedSend) -> None:
        """Write whether what is listed was read, and its tags."""
        table = "message" if isinstance(listed, PlatformMessage) else "refused"
        values = (listed.read, json.dumps(listed.tags), listed.serial)
        self._connection.execute(f"UPDATE {table} SET read = ?, tags = ? WHERE serial = ?", values)  # noqa: S608 - one of two

    def release(self, message: PlatformMessage) -> None:
        """Write with which verdict a message was sent on."""
        self._connection.execute("UPDATE message SET released = ? WHERE serial = ?", (message.released, message.serial))

    def answered_by_phone(self, message: PlatformMessage) -> None:
        """Write that a message's phone has answered it."""
        self._connection.execute("UPDATE message SET answered = 1 WHERE serial = ?", (message.serial,))

    def answered(self, record: RequestRecord) -> None:
        """Write how a request was answered that brought a message."""
        if record.archived_as:
            values = (record.status, record.code, record.fault, record.took, record.archived_as)
            update = "UPDATE request SET status = ?, code = ?, fault = ?, took = ? WHERE id = ?"
            self._connection.execute(update, values)

    def reschedule(self, message: PlatformMessage) -> None:
        """Write a message's other fate and states."""
        values = (message.fate, json.dumps(message.schedule), message.serial)
        self._connection.execute("UPDATE message SET fate = ?, schedule = ? WHERE serial = ?", values)

    def remove(self, serial: int) -> None:
        """Remove a message, and its request with the last message that it brought."""
        self._connection.execute("DELETE FROM message WHERE serial = ?", (serial,))

    def add_incoming(self, message: Incoming, keep: int) -> None:
        """Write an incoming message, and remove those past ``keep``."""
        values = (message.id, message.sender, message.recipient, message.text, message.at)
        number = self._insert("incoming (id, sender, recipient, text, at)", values)
        self._connection.execute("DELETE FROM incoming WHERE number <= ?", (number - keep,))

    def clear_messages(self) -> None:
        """Remove all messages and the requests that brought them."""
        self._connection.execute("DELETE FROM message")

    def clear_refused(self) -> None:
        """Remove all that was refused, and the requests."""
        self._connection.execute("DELETE FROM refused")

    def clear_incoming(self) -> None:
        """Remove all incoming messages."""
        self._connection.execute("DELETE FROM incoming")


def _request(row: tuple[Any, ...]) -> RequestRecord:
    number, at, method, path, operation, query, body, headers, status, code, fault, took = row
    pairs = tuple((name, value) for name, value in json.loads(headers))
    return RequestRecord(at, method, path, operation, query, body, pairs, status, code, fault, number, took=took)


def _message(row: tuple[Any, ...], requests: dict[int, RequestRecord]) -> PlatformMessage:
    serial, channel, operation, sender, recipient, text, part_ids, created, due, price, fate, schedule = row[:12]
    optional, resends, _, request, read, tags, released, answered = row[12:]
    return PlatformMessage(
        serial,
        channel,
        operation,
        sender,
        recipient,
        text,
        tuple(json.loads(part_ids)),
        created,
        due,
        Decimal(price),
        fate,
        tuple(Transition(at, state) for at, state in json.loads(schedule)),
        optional,
        bool(resends),
        request=requests.get(request),
        read=bool(read),
        tags=tuple(json.loads(tags)),
        # Whoever was sending it on has not said what came of it.
        released=Verdict.UNKNOWN if released == SENDING else released,
        answered=bool(answered),
    )


def _refused(row: tuple[Any, ...], requests: dict[int, RequestRecord]) -> RefusedSend:
    serial, channel, operation, sender, recipients, count, text, status, code, reason, *rest = row
    created, behind, request, read, tags = rest
    return RefusedSend(
        *(serial, channel, operation, sender, tuple(json.loads(recipients)), count, text, status, code, reason),
        created=created,
        behind=behind,
        request=requests.get(request),
        read=bool(read),
        tags=tuple(json.loads(tags)),
    )
