"""Whether those who work still come round."""

from __future__ import annotations

import threading

from devinotify.delivery.pulse import Pulse
from devinotify.delivery.rate_limit import Pace, Speed
from tests.waiting import ended


class Time:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Return its seconds."""
        return self.now


def test_a_step_lasts_as_long_as_its_block() -> None:
    """And nothing lasts after it."""
    time = Time()
    pulse = Pulse(time)
    with pulse.working():
        time.now += 7
        during = pulse.longest
    assert (7, 0) == (during, pulse.longest)


def test_the_next_step_begins_anew() -> None:
    """Many that end are no hanging."""
    time = Time()
    pulse = Pulse(time)
    with pulse.working():
        time.now += 7
        pulse.step()
        time.now += 2
        assert 2 == pulse.longest


def test_waiting_is_no_step() -> None:
    """After it the next step begins."""
    time = Time()
    pulse = Pulse(time)
    with pulse.working():
        with pulse.resting():
            time.now += 3600
            during = pulse.longest
        time.now += 2
        assert (0, 2) == (during, pulse.longest)


def test_nobody_begins_by_waiting() -> None:
    """Neither a wait nor a step outside of work is work."""
    time = Time()
    pulse = Pulse(time)
    with pulse.resting():
        pulse.step()
    time.now += 9
    assert 0 == pulse.longest


def test_the_longest_of_several_threads_counts() -> None:
    """One that hangs is seen whatever the others do."""
    time = Time()
    pulse = Pulse(time)
    begun, over = threading.Event(), threading.Event()

    def hang() -> None:
        with pulse.working():
            begun.set()
            over.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    assert begun.wait(60)
    time.now += 5
    with pulse.working():
        longest = pulse.longest
    over.set()
    ended(thread)
    assert (5, 0) == (longest, pulse.longest)


def test_whoever_waits_for_the_pace_is_at_no_step() -> None:
    """However slow it is: seen from another thread while the first waits."""
    time = Time()
    pulse = Pulse(time)
    pace = Pace(Speed(connections=1, batch=1), pulse=pulse)
    assert pace.enter(1)  # the only place is taken
    waits = threading.Event()

    def wait() -> None:
        with pulse.working():
            waits.set()
            pace.enter(1)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waits.wait(60)
    seen = threading.Event()
    while thread.is_alive() and not seen.is_set():  # between the event and the wait lies a moment
        time.now += 3600
        if pulse.longest == 0:
            seen.set()
    pace.stop()
    ended(thread)
    assert seen.is_set()
