"""The figures: beside a bundled plugin that posts each message by itself, HTTPS on loopback, in one run."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import apprise
import pytest
from apprise.plugins.d7networks import NotifyD7Networks

from devinotify_apprise import NotifyDevino, library

ROOT = Path(__file__).parents[4]
SENDS = 10
RATIO = 15.0
"""Messages per second, beside the bundled plugin's, that single sends have to reach."""
START = 0.001
"""Seconds that a start of the interpreter may take longer after ``install --library``."""


@pytest.fixture(scope="module")
def core() -> dict[str, Any]:
    """The core's server that costs next to nothing, and its way to measure; of the repository, not of the package."""
    sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))  # also for the server's own process
    return {name: import_module(name) for name in ("server", "ratios")}


def test_single_sends(core: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Single sends are at least fifteen times as many a second as those of a plugin with a request of its own each."""
    with core["server"].fast_gateway() as (gateway, ca):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
        monkeypatch.setattr(NotifyD7Networks, "notify_url", f"{gateway}/messages")
        bundled = apprise.Apprise()
        bundled.add(NotifyD7Networks(token="token", targets="79161234567"))
        bundled[0].request_rate_per_sec = 0  # it would wait 0.2 s between messages otherwise
        ours = apprise.Apprise()
        results = NotifyDevino.parse_url(f"devino://login:password@SENDER/79161234567?gateway={gateway}&ca={ca}")
        assert results is not None
        ours.add(NotifyDevino(**results))

        def sending(sender: apprise.Apprise) -> Any:  # noqa: ANN401 - a function without arguments
            def send() -> None:
                for _ in range(SENDS):
                    assert sender.notify("The server room is on fire")

            return send

        candidates = {"bundled": sending(bundled), "ours": sending(ours)}
        medians = core["ratios"].side_by_side(candidates, rounds=15, clock=time.perf_counter)
    ratio = medians["bundled"] / medians["ours"]
    what = f"Apprise {apprise.__version__}: messages per second / those of d7sms"
    core["ratios"].report(what, ratio, f"at least {RATIO:g}", ratio >= RATIO)
    for name, seconds in medians.items():
        print(f"  {name}: {SENDS / seconds:.0f} messages/s")
    assert ratio >= RATIO


def test_a_hundred_recipients(core: dict[str, Any]) -> None:
    """A hundred recipients take about as long as one."""
    with core["server"].fast_gateway() as (gateway, ca):
        plugins = []
        for count in (1, 100):
            to = ",".join(f"+7916123{number:04d}" for number in range(count))
            results = NotifyDevino.parse_url(f"devino://login:password@SENDER/?to={to}&gateway={gateway}&ca={ca}")
            assert results is not None
            plugins.append(NotifyDevino(**results))
        medians = core["ratios"].side_by_side(
            {str(len(plugin.targets)): lambda plugin=plugin: plugin.notify("text") for plugin in plugins},
            rounds=50,
            clock=time.perf_counter,
        )
    ratio = medians["100"] / medians["1"]
    core["ratios"].report("time of 100 recipients / of one", ratio, "at most 10", ratio <= 10)
    assert ratio <= 10


TIMED = """
import sys
from time import perf_counter
start = perf_counter()
{line}
print(perf_counter() - start)
"""


def test_start_of_the_interpreter() -> None:
    """What ``install --library`` adds to each start of Python takes at most a millisecond."""
    code = TIMED.format(line=library.FILE.content)
    runs = [subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True) for _ in range(50)]
    seconds = median(float(run.stdout) for run in runs)
    print(f"\ninstall --library: {seconds * 1000:.2f} ms at each start of Python, at most {START * 1000:g} ms")
    assert seconds <= START
