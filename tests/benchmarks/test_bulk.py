"""What a campaign costs, from the file to the settled journal. Figures are printed (``-s``), never asserted."""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import phonenumbers
import requests

from tests.benchmarks.ratios import report
from tests.benchmarks.server import SESSION_ID, fast_gateway

if TYPE_CHECKING:
    from pathlib import Path

RECIPIENTS = 100_000
TEXT = "Привет! Магазин открыт."
CONNECTIONS, BATCH, DELAY = 16, 500, 0.2
MOST_MEMORY = 200  # MB

PERSONAL, TEMPLATE = 3200, "Привет, {name}! Магазин открыт."

RUN = r"""
import json, re, sys, time
cpu, wall = time.process_time(), time.perf_counter()
from devinotify.bulk import Campaign, Speed
from devinotify import Notifier
from devinotify.delivery.worker import rare_collections
from devinotify.plugins import make_plugin_manager
url, source, journal, kind, text, connections, batch = sys.argv[1:]
# As the command line does it, without what a terminal shows, and without what plugins happen to be installed.
notifier = Notifier(url, plugins=make_plugin_manager(discover=False))
with rare_collections(), notifier, Campaign(notifier, source, journal=journal, **{kind: text}) as campaign:
    result = campaign.run(Speed(connections=int(connections), batch=int(batch)))
# Linux tells the peak of this program here; getrusage's is that of the process that started it as well.
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps({
    "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "sending": result.seconds, "peak": peak,
    "accepted": result.tally.accepted,
}))
"""


REPORT = r"""
import json, re, sys, time
cpu, wall = time.process_time(), time.perf_counter()
from pathlib import Path
from devinotify.bulk import Journal
from devinotify.bulk.report import write_report
journal, folder = map(Path, sys.argv[1:])
with Journal(journal, create=False) as opened:
    summary = write_report(opened, csv_file=folder / "out.csv", html_file=folder / "out.html")
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps({
    "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "peak": peak, "rows": summary.tally.rows,
    "unlisted": summary.unlisted,
}))
"""

DELIVERED = """
    UPDATE rows SET next_poll_at = NULL, price = '2.5', status_at = sent_at + id % 997,
        state = CASE WHEN id % 9 THEN 6 ELSE 7 END, status = CASE WHEN id % 9 THEN 'delivered' ELSE 'expired' END,
        status_code = CASE WHEN id % 9 THEN 0 ELSE 46 END
    WHERE state = 2
"""
"""What makes of the accepted rows of a journal, of SQLite's, delivered ones, and one in nine that has expired."""


def _list(path: Path, count: int) -> list[str]:
    """Write a CSV of distinct Russian mobiles in random order, as people write them, and return them."""
    chance = random.Random(20)
    raws = [f"8 ({n[:3]}) {n[3:6]}-{n[6:8]}-{n[8:]}" for n in (f"9{tail:09d}" for tail in _distinct(chance, count))]
    path.write_text("name,phone\n" + "".join(f"Ann,{raw}\n" for raw in raws))
    return raws


def _distinct(chance: random.Random, count: int) -> list[int]:
    return [100_000_000 + each for each in chance.sample(range(90_000_000), count)]


def _run(
    folder: Path,
    gateway: str,
    count: int,
    *,
    personal: bool = False,
    source: Path | None = None,
    accepted: int | None = None,
    **speed: int,
) -> dict[str, Any]:
    """Return what a campaign of so many recipients took, in a process of its own."""
    url = f"devino://demo:demo@DEVINO?gateway={gateway}"
    text = ["template", TEMPLATE] if personal else ["text", TEXT]
    options = [str(speed.get("connections", 8)), str(speed.get("batch", BATCH))]
    source, journal = source or folder / f"{count}.csv", folder / f"{count}-{time.monotonic_ns()}.db"
    if not source.exists():
        _list(source, count)
    command = [sys.executable, "-c", RUN, url, str(source), str(journal), *text, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert (count if accepted is None else accepted) == found["accepted"]
    return found


def test_cpu_against_phonenumbers(tmp_path: Path) -> None:
    """The whole campaign uses less CPU than phonenumbers alone needs to parse and validate its numbers."""
    raws = _list(tmp_path / f"{RECIPIENTS}.csv", RECIPIENTS)
    theirs, ours = [], []
    with fast_gateway(tls=False) as (gateway, _):
        for _ in range(5):
            began = time.process_time()
            valid = sum(phonenumbers.is_valid_number(phonenumbers.parse(raw, "RU")) for raw in raws)
            theirs.append(time.process_time() - began)
            assert RECIPIENTS == valid
            ours.append(_run(tmp_path, gateway, RECIPIENTS)["cpu"])
    campaign, alone = statistics.median(ours), statistics.median(theirs)
    ratio = campaign / alone
    report("CPU of a campaign of 100,000 / phonenumbers' parse and validate", ratio, "at most 1", ratio <= 1)
    print(f"  campaign {campaign:.2f} s of CPU, phonenumbers {alone:.2f} s")


def test_invalid_rows_against_valid_ones(tmp_path: Path) -> None:
    """A row that is refused here costs no more CPU than one that is sent to: land lines, numbers cut short, names."""
    kinds = {
        "valid": [f"8 (916) {n // 10_000:03d}-{n // 100 % 100:02d}-{n % 100:02d}" for n in range(RECIPIENTS)],
        "land lines": [f"8 (495) {n // 10_000:03d}-{n // 100 % 100:02d}-{n % 100:02d}" for n in range(RECIPIENTS)],
        "cut short": [f"8916{n:06d}" for n in range(RECIPIENTS)],
        "names": [f"Клиент {n}" for n in range(RECIPIENTS)],
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind, raws in kinds.items():
        (tmp_path / f"{kind}.csv").write_text("name,phone\n" + "".join(f"Ann,{raw}\n" for raw in raws))
    with fast_gateway(tls=False) as (gateway, _):
        for _ in range(3):
            for kind in kinds:
                accepted = RECIPIENTS if kind == "valid" else 0
                found = _run(tmp_path, gateway, RECIPIENTS, source=tmp_path / f"{kind}.csv", accepted=accepted)
                taken[kind].append(found["cpu"])
    medians = {kind: statistics.median(each) for kind, each in taken.items()}
    for kind in ("land lines", "cut short", "names"):
        ratio = medians[kind] / medians["valid"]
        report(f"CPU of a campaign of 100,000 {kind} / of valid numbers", ratio, "at most 1", ratio <= 1)


def _bare(gateway: str, numbers: list[str], batch: int = BATCH) -> float:
    """Return the seconds that the same requests take when they are nothing but requests, the login first."""
    sessions = [requests.Session() for _ in range(CONNECTIONS)]
    batches = [numbers[start : start + batch] for start in range(0, len(numbers), batch)]
    operation, name = ("Sms/SendBulk", "DestinationAddresses") if batch > 1 else ("Sms/Send", "DestinationAddress")

    def work(number: int) -> None:
        for some in batches[number::CONNECTIONS]:
            form = {"SessionID": SESSION_ID.decode(), "SourceAddress": "DEVINO", name: some, "Data": TEXT}
            sessions[number].post(f"{gateway}/{operation}", data=form, timeout=30).json()

    began = time.perf_counter()
    sessions[0].get(f"{gateway}/User/SessionID", params={"Login": "demo", "Password": "demo"}, timeout=30).json()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(work, range(CONNECTIONS)))
    taken = time.perf_counter() - began
    for session in sessions:
        session.close()
    return taken


def test_time_against_bare_requests(tmp_path: Path) -> None:
    """At a gateway that takes 200 ms, the campaign takes little longer than its requests."""
    numbers = [f"79{tail:09d}" for tail in _distinct(random.Random(20), RECIPIENTS)]
    theirs, ours = [], []
    with fast_gateway(tls=False, delay=DELAY) as (gateway, _):
        for _ in range(5):
            theirs.append(_bare(gateway, numbers))
            ours.append(_run(tmp_path, gateway, RECIPIENTS, connections=CONNECTIONS)["sending"])
    campaign, bare = statistics.median(ours), statistics.median(theirs)
    ratio = campaign / bare
    report("time of a campaign of 100,000 / its bare requests", ratio, "at most 1.25", ratio <= 1.25)
    print(f"  from the file to the settled journal {campaign:.2f} s, bare requests {bare:.2f} s")
    assert ratio > 0


def test_personal_time_against_bare_requests(tmp_path: Path) -> None:
    """At the same gateway, personal texts, a request and a claim each, take little longer than their requests."""
    numbers = [f"79{tail:09d}" for tail in _distinct(random.Random(20), PERSONAL)]
    with fast_gateway(tls=False, delay=DELAY) as (gateway, _):
        bare = _bare(gateway, numbers, batch=1)
        ours = _run(tmp_path, gateway, PERSONAL, personal=True, connections=CONNECTIONS)
    ratio = ours["sending"] / bare
    report(f"time of {PERSONAL} personal texts / their bare requests", ratio, "at most 1.5", ratio <= 1.5)
    assert ratio > 0


def test_memory_and_growth(tmp_path: Path) -> None:
    """A million rows stay under 200 MB, and each takes as long as each of ten thousand."""
    with fast_gateway(tls=False) as (gateway, _):
        found = {count: _run(tmp_path, gateway, count) for count in (10_000, 100_000, 1_000_000)}
    for count, taken in found.items():
        print(f"\n{count} rows: {taken['sending']:.1f} s, {taken['cpu']:.1f} s of CPU, peak {taken['peak']:.0f} MB")
    peak = found[1_000_000]["peak"]
    report("peak memory for 1,000,000 rows in MB", peak, f"under {MOST_MEMORY}", peak < MOST_MEMORY)
    ratio = (found[1_000_000]["sending"] / 100) / found[10_000]["sending"]
    report("time a row of 1,000,000 / of 10,000", ratio, "about 1: linear", ratio <= 1.5)
    assert peak > 0


def test_report_of_a_million(tmp_path: Path) -> None:
    """CSV with the list's own columns, and page: under a minute and 300 MB."""
    with fast_gateway(tls=False) as (gateway, _):
        _run(tmp_path, gateway, 1_000_000)
    (journal,) = tmp_path.glob("1000000-*.db")
    with closing(sqlite3.connect(journal)) as file, file:
        file.execute(DELIVERED)
    done = subprocess.run(
        [sys.executable, "-c", REPORT, str(journal), str(tmp_path)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert (1_000_000, None) == (found["rows"], found["unlisted"])
    print(f"\nreport of 1,000,000 rows: {found['wall']:.1f} s")
    report("CPU of the report of 1,000,000 rows in s", found["cpu"], "at most 25 quiet", found["cpu"] <= 25)
    report("its peak memory in MB", found["peak"], "under 300", found["peak"] < 300)
