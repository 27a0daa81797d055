"""Storm control: which records become messages, and that every one of them is accounted for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devinotify_logging import storm as storms
from devinotify_logging.records import Event
from devinotify_logging.storm import Alert, Storm


def event(kind: object = "a", level: int = 40, message: str = "m") -> Event:
    """Return an event of a kind."""
    return Event(("shop", level, str(kind), "", ""), level, "ERROR", message, 0.0)


def taken(storm: Storm, now: float, dropped: int = 0) -> Alert | None:
    """Take the next alert out and return it."""
    alert = storm.next_alert(now, dropped)
    if alert is not None:
        storm.taken(alert, now)
    return alert


def counts(storm: Storm) -> tuple[int, int, int, int]:
    """Return held, shown, repeated, suppressed."""
    return storm.held, storm.shown, storm.repeated, storm.suppressed


def test_first_record_goes_out_at_once() -> None:
    """A record of a new kind is due when it comes."""
    storm = Storm(60)
    storm.offer(event(), 0)
    assert Alert(event(), 1, 0.0) == taken(storm, 0)
    assert (None, (0, 1, 0, 0)) == (taken(storm, 0), counts(storm))


def test_repetitions_are_one_number() -> None:
    """47 more inside the window are told at its end, with the latest of them and their number."""
    storm = Storm(60)
    storm.offer(event(), 0)
    taken(storm, 0)
    for second in range(47):
        storm.offer(event(message=f"m{second}"), second)
    storm.tick(59.9)
    assert (None, 60) == (storm.next_alert(59.9), storm.next_due())
    storm.tick(60)
    assert Alert(event(message="m46"), 47, 60.0) == taken(storm, 60)
    assert (0, 1, 47, 0) == counts(storm)


def test_window_goes_on_while_it_storms() -> None:
    """Each further window of a storm is one message, that counts what came since the last."""
    storm = Storm(60)
    told = []
    for second in range(600):
        storm.offer(event(), second)
        storm.tick(second)
        alert = taken(storm, second)
        if alert is not None:
            told.append(alert.times)
    assert [1, *[60] * 9] == told


def test_quiet_window_is_forgotten() -> None:
    """A window without repetitions ends in silence, and the next record is a first one again."""
    storm = Storm(60)
    storm.offer(event(), 0)
    taken(storm, 0)
    storm.tick(60)
    assert None is storm.next_due()
    storm.offer(event(), 61)
    assert Alert(event(), 1, 0.0) == taken(storm, 61)


def test_late_tick_does_not_mix_windows() -> None:
    """A record that comes after its window ended is of a new one, whether or not somebody looked in between."""
    storm = Storm(60)
    storm.offer(event(), 0)
    taken(storm, 0)
    storm.offer(event(), 100)
    assert Alert(event(), 1, 0.0) == taken(storm, 100)


def test_no_window() -> None:
    """With a window of 0 every record is a message of its own."""
    storm = Storm(0)
    for _ in range(3):
        storm.offer(event(), 5)
    assert [1, 1, 1] == [alert.times for _ in range(3) if (alert := taken(storm, 5))]
    assert (0, 3, 0, 0) == counts(storm)


def test_most_severe_first() -> None:
    """Of what is held the most severe goes out first, and of equals the one that waits longest."""
    storm = Storm(60)
    for second, (kind, level) in enumerate([("a", 40), ("b", 50), ("c", 40), ("d", 50)]):
        storm.offer(event(kind, level), second)
    assert ["b", "d", "a", "c"] == [alert.event.kind[2] for _ in range(4) if (alert := taken(storm, 5))]


def test_held_repetitions_come_with_their_first() -> None:
    """What repeats a record that is still held is told with it."""
    storm = Storm(60)
    for second in range(5):
        storm.offer(event(), second)
    assert Alert(event(), 5, 10.0) == taken(storm, 10)
    assert (0, 1, 4, 0) == counts(storm)


def test_too_many_kinds_are_a_number() -> None:
    """Beyond the bound the newest of the least severe are only counted, and the next message says how many."""
    storm = Storm(60)
    for kind in range(storms.MOST_HELD + 5):
        storm.offer(event(kind), kind)
    storm.offer(event("worse", 50), 99)
    first = taken(storm, 100)
    assert first is not None
    assert ("worse", 6) == (first.event.kind[2], first.suppressed)
    second = taken(storm, 100)
    assert second is not None
    assert ("0", 0) == (second.event.kind[2], second.suppressed)


def test_first_record_goes_out_alone() -> None:
    """What repeats a record that comes out at once is left for the end of the window, however quickly it came."""
    storm = Storm(60)
    for number in range(5):
        storm.offer(event(message=f"m{number}"), 0.1)
    assert Alert(event(message="m0"), 1, 0.0) == taken(storm, 0.1)
    storm.tick(60.1)
    assert Alert(event(message="m4"), 4, 60.0) == taken(storm, 60.1)


def test_old_news_is_a_number() -> None:
    """What was held for ten minutes is not told any more but as a number."""
    storm = Storm(60)
    storm.offer(event("old"), 0)
    storm.offer(event("old"), 1)
    storm.offer(event("new"), storms.HELD_FOR)
    storm.tick(storms.HELD_FOR + 1)
    assert Alert(event("new"), 1, 1.0, 2) == taken(storm, storms.HELD_FOR + 1)


def test_dropped_is_told_once() -> None:
    """Records dropped before they came here are told in the next message, and not again."""
    storm = Storm(60)
    storm.offer(event("a"), 0)
    storm.offer(event("b"), 0)
    assert [7, 3] == [alert.dropped for dropped in (7, 10) if (alert := taken(storm, 0, dropped))]


def test_many_windows_are_bounded() -> None:
    """However many kinds there are, the windows that are kept are not more than the bound."""
    storm = Storm(3600)
    for kind in range(storms.MOST_KINDS + 500):
        storm.offer(event(kind), kind)
        taken(storm, kind)
    storm.offer(event(0), 10**6)
    assert storms.MOST_KINDS >= len(storm._windows)


def test_told_elsewhere() -> None:
    """What somebody else tells of is a repetition, and when the time is up it is asked whether that was done."""
    storm = Storm(60)
    storm.offer(event(), 0)
    alert = storm.next_alert(5)
    assert alert is not None
    storm.told_elsewhere(alert, 5, 40)
    assert ((0, 0, 1, 0), 45) == (counts(storm), storm.next_due())
    storm.offer(event(message="later"), 20)
    storm.tick(45)
    assert Alert(event(message="later"), 1, 60.0) == storm.next_alert(45)


def test_told_elsewhere_and_nothing_more() -> None:
    """Where nothing was added, it is asked for what was left there, and forgotten where that was told."""
    storm = Storm(60)
    storm.offer(event(), 0)
    alert = storm.next_alert(0)
    assert alert is not None
    storm.told_elsewhere(alert, 0, 60)
    storm.tick(60)
    again = storm.next_alert(60)
    assert again is not None
    assert 0 == again.times
    storm.told_elsewhere(again, 60, 0)
    assert ((0, 0, 1, 0), None, None) == (counts(storm), storm.next_due(), storm.next_alert(60))


def test_told_elsewhere_at_the_end() -> None:
    """At the end everything is left there, and nothing asked again."""
    storm = Storm(60)
    for number in range(3):
        storm.offer(event(message=str(number)), 0)
    left = []
    while True:
        storm.tick(0.5, ending=True)
        alert = storm.next_alert(0.5)
        if alert is None:
            break
        left.append(alert.times)
        storm.told_elsewhere(alert, 0.5, 60, ending=True)
    assert ([1, 2], (0, 0, 3, 0)) == (left, counts(storm))


def test_rest() -> None:
    """What cannot be told any more is named the most severe first, with the numbers of all that nobody was shown."""
    storm = Storm(60)
    for kind, level, times in (("a", 40, 2), ("b", 50, 1), ("c", 40, 1)):
        for _ in range(times):
            storm.offer(event(kind, level), 0)
    rest = storm.close_up(7)
    assert [("b", 1), ("a", 2), ("c", 1)] == [(one.kind[2], times) for one, times in rest.events]
    assert ((4, 7), (0, 0, 0, 4)) == ((rest.untold, rest.dropped), counts(storm))
    assert ((), 0, 0) == storm.close_up(7)


class Storming(RuleBasedStateMachine):
    """Any order of records, looks, messages and pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.storm = Storm(60)
        self.now = 0.0
        self.offered = 0
        self.told = 0

    @rule(kind=st.integers(0, 40), level=st.sampled_from([30, 40, 50]), times=st.integers(1, 30))
    def log(self, kind: int, level: int, times: int) -> None:
        """Some equal records come."""
        for _ in range(times):
            self.storm.offer(event(kind, level), self.now)
        self.offered += times

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds
        self.storm.tick(self.now)

    @rule()
    def send(self) -> None:
        """The limits let one message out."""
        before = self.storm.shown + self.storm.repeated
        alert = taken(self.storm, self.now)
        if alert is not None:
            new = self.storm.shown + self.storm.repeated - before
            assert new == alert.times
            self.told += new + alert.suppressed

    @rule(seconds=st.floats(0, 60))
    def leave(self, seconds: float) -> None:
        """Somebody else tells of what is next."""
        alert = self.storm.next_alert(self.now)
        if alert is not None and (seconds or not alert.times):
            self.storm.told_elsewhere(alert, self.now, seconds)
            self.told += alert.times

    @rule()
    def close_up(self) -> None:
        """Everything that is due is told in one last message."""
        self.told += self.storm.close_up().untold

    @rule()
    def pause(self) -> None:
        """The daily cap is reached."""
        self.storm.give_up()

    @rule()
    def end(self) -> None:
        """The program ends, and everything is sent."""
        self.storm.tick(self.now, ending=True)
        while self.storm.next_alert(self.now) is not None:
            self.send()
            self.storm.tick(self.now, ending=True)
        assert 0 == self.storm.held

    @invariant()
    def every_record_is_accounted_for(self) -> None:
        """Held, shown, repeated and suppressed add up to what was logged; what is told is told once."""
        assert self.offered == sum(counts(self.storm))
        untold = self.storm._untold_suppressed
        assert self.told == self.storm.shown + self.storm.repeated + self.storm.suppressed - untold

    @invariant()
    def bounded(self) -> None:
        """No more are due than may be held."""
        due = self.storm._due
        assert len(due) <= storms.MOST_HELD + sum(window.shown for window in due.values())


Storming.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestStorming = Storming.TestCase


@given(st.lists(st.floats(0, 300), min_size=1, max_size=200))
def test_one_message_a_window(moments: list[float]) -> None:
    """Equal records, however they come, are at most one message at once and one for each window."""
    storm = Storm(60)
    sent = []
    for moment in sorted(moments):
        storm.offer(event(), moment)
        storm.tick(moment)
        if taken(storm, moment) is not None:
            sent.append(moment)
    assert all(later - earlier >= 60 for earlier, later in pairwise(sent))
