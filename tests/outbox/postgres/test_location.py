"""What a ``postgresql://`` URL says, and what of it is shown."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox
from devinotify.outbox.location import VARIABLE, named_location, paced_at
from devinotify.outbox.postgres.location import parse_location
from tests.tables import table


@table(
    "url, name",
    [
        ("postgresql://me:s3cret@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgres://me@host/db?schema=sms", "postgres://me@host/db?schema=sms"),
        ("postgresql:///db?host=/run/pg&password=s3cret", "postgresql:///db?host=/run/pg&password=***"),
        ("postgresql://me:s3%40cret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:s3cret@one:1,two:2/db", "postgresql://me:***@one:1,two:2/db"),
    ],
)
def test_a_password_is_masked(url: str, name: str) -> None:
    """Wherever it stands; the rest is shown."""
    where = parse_location(url)
    assert (name, f"<Location {name}>") == (where.name, repr(where))


def test_the_schema_is_ours_unless_named() -> None:
    """A campaign has one of its own, apart from the others."""
    schemas = [parse_location(f"postgresql://host/db{rest}").schema for rest in ("", "?schema=sms", "?campaign=May-1")]
    assert ["devinotify", "sms", "devinotify.May-1"] == schemas


def test_libpq_is_told_what_it_knows() -> None:
    """Our own settings are left out, and a link that is half open is noticed unless the URL says otherwise."""
    conninfo = parse_location("postgresql://me:a%2Fb@host/db?schema=x&connect_timeout=9").conninfo
    assert "schema" not in conninfo
    assert {"connect_timeout=9", "tcp_user_timeout=20000", "keepalives_idle=10"} <= set(
        conninfo.partition("?")[2].split("&")
    )
    assert conninfo.startswith("postgresql://me:a%2Fb@host/db?")


@table(
    "url",
    [
        "postgresql://me:s3/cret@host/db",
        "postgresql://me:s3#cret@host/db",
        "postgresql://me:s3?cret@host/db",
        "postgresql://[host/db?s3cret",
        "postgresql://host/db?s3cret",
        "postgresql://host/db?schema=a&schema=s3cret",
        'postgresql://host/db?schema=s3"cret',
        "postgresql://host/db?campaign=",
        "postgresql://host/db?failover=s3cret",
        f"postgresql://host/db?campaign={'s3cret' * 10}",
    ],
)
def test_what_is_not_understood_is_not_shown(url: str) -> None:
    """A password that is not encoded must not come out in a message, cut in two."""
    with pytest.raises(InvalidInput, match="the outbox: ") as told:
        Outbox(url)
    assert "s3" not in str(told.value)


def test_the_environment_may_name_a_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As it is written; what else looks like a URL is a file."""
    monkeypatch.setenv(VARIABLE, "postgresql://host/db")
    file = str(tmp_path / "http:" / "x")
    assert ["postgresql://host/db", "postgres://b/c", Path(file)] == [
        named_location(given) for given in (None, "postgres://b/c", file)
    ]


@table(
    "journal, paced",
    [
        ("postgresql://u:p%40@h/db?campaign=May", "postgresql://u:p%40@h/db"),
        ("postgresql:///db?host=/run/pg&campaign=May&schema=a", "postgresql:///db?host=%2Frun%2Fpg&schema=a"),
        ("postgresql:///db?schema=a%2Bb", "postgresql:///db?schema=a%2Bb"),
        ("~/May.db", "~/May.db"),
    ],
)
def test_a_campaign_keeps_the_pace_of_what_it_stands_beside(journal: str, paced: str) -> None:
    """The same URL without the campaign's name; a file keeps its own."""
    assert paced == paced_at(journal)


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed it is told what to install."""
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> object:  # noqa: ANN401 - __import__'s own
        if name == "devinotify.outbox.postgres.store":
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InvalidInput, match=r"pip install 'devinotify\[postgres\]'"):
        Outbox("postgresql://host/db")
