"""Behind pgbouncer, which gives each transaction another connection."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from devinotify.outbox import Outbox
from devinotify.outbox.postgres.location import parse_location
from tests.outbox.support import accepted, claim, message, numbers
from tests.postgres_server import PASSWORD
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import Server

pytestmark = [
    pytest.mark.once(traced=True),
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed"),
]


@pytest.fixture
def pooled(server: Server, url: str) -> Iterator[str]:
    """Give the URL by a pooler of two connections in transaction mode."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="devinotify-pgbouncer-"))
    config = folder / "pgbouncer.ini"
    config.write_text(
        "[databases]\n"
        f"postgres = host=127.0.0.1 port={server.port} user=tester password={PASSWORD}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nserver_round_robin = 1\n"
    )
    folder.chmod(0o755)
    # Like the server, it refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    process = subprocess.Popen([*user, str(shutil.which("pgbouncer")), "-q", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield url.replace(str(server.port), str(port))
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


def _wait_for(port: int) -> None:
    until = time.monotonic() + LONGEST
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)  # nothing tells of its start
        else:
            return


def test_all_works_without_a_session(pooled: str) -> None:
    """Nothing is kept on the server between two transactions, and those of several outboxes share its connections."""
    with Outbox(pooled) as first, Outbox(pooled) as second, Outbox(pooled) as third:
        for outbox in (first, second, third):
            for _ in range(3):
                outbox.enqueue(message(*numbers(5)), account="me@host/rest")
        for outbox in (first, second, third) * 3:
            batch = claim(outbox)
            assert outbox.holds(batch)
            outbox.settle(batch, accepted(batch))
        assert (45, 45, 0, True) == (
            first.counts().accepted,
            len(list(second)),
            third.recover(),
            third.senders_alive(),
        )


def test_a_program_enqueues_in_its_transaction(pooled: str) -> None:
    """Whichever of the pooler's connections that has: seen by all when it commits, and gone where it does not."""
    with Outbox(pooled) as outbox, psycopg.connect(parse_location(pooled).conninfo) as program:
        outbox.enqueue(message(), connection=program)
        program.rollback()
        (row,) = outbox.enqueue(message(), connection=program)
        before = len(list(outbox))
        program.commit()
        assert (0, [row.id]) == (before, [each.id for each in outbox])


def test_one_pace_is_kept(pooled: str) -> None:
    """What one has booked the other waits for."""
    with Outbox(pooled) as first, Outbox(pooled) as second:
        first.set_pace(1.0)
        first.reserve(600)
        assert 300 < second.reserve(1) <= 600
