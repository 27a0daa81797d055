"""Whatever happens to messages under limits, in whatever order, with kills anywhere: no count and no state lies."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from devinotify import Fallback, Notifier, hookimpl, make_plugin_manager
from devinotify import exceptions as errors
from devinotify.channels.batch import accepted, failed
from devinotify.exceptions import Verdict
from devinotify.gateway.departure import require_departure
from devinotify.limits import Scope
from devinotify.models import DeliveryStatus, Receipt, SmsState
from devinotify.outbox import RowState
from tests.outbox.conftest import PLACES, InMemory, InPostgres, Place
from tests.outbox.support import Clock, numbers
from tests.plain_channel import PlainChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.models import Message, Outcome
    from devinotify.outbox import Outbox, Row

pytestmark = pytest.mark.once

PEOPLE = numbers(4)
LIMITS = "6segments/day;2messages/day,recipient;8segments/month,tag:sale"
URL = f"devino://login:password@SENDER?gateway=http://127.0.0.1:9/rest&limit={LIMITS}"
FATES: dict[str, errors.DevinotifyError | None] = {
    "accepted": None,
    "refused": errors.Forbidden("no", code=7),
    "blamed": errors.InvalidArgument("no such number", code=2),
    "no credits": errors.NotEnoughCredits("empty", code=5),
    "away": errors.NotSent("refused"),
    "given up": errors.NotSent("given up", retryable=False),
    "lost": errors.OutcomeUnknown("lost"),
}
LEFT = ("accepted", "lost")
DEATHS = (None, None, None, "before", "after", "told")


class DeadError(BaseException):
    """The process is killed here."""


@dataclass
class World:
    """What truly happened, and what is to happen next."""

    fates: Sequence[str] = ()
    death: str | None = None
    status: DeliveryStatus = DeliveryStatus.DELIVERED
    left: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How often a text may have reached a person on a channel."""
    counted: list[tuple[str, bool, str, int]] = field(default_factory=list)
    """What counts, a send each: the day, whether it is of a sale, whom it is to, and its segments."""


class Wire(PlainChannel):
    """A channel to people of whose ways the world tells."""

    segmented = True
    max_length = 1000

    def __init__(self, name: str, world: World, clock: Clock) -> None:
        self.name = name
        self._world = world
        self._clock = clock

    @hookimpl
    def devinotify_register_channels(self) -> list[PlainChannel]:
        """Bring itself."""
        return [self]

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Do what is to happen, and write it down."""
        require_departure()
        world, fates, day = self._world, self._world.fates, f"{self._clock.datetime:%Y-%m-%d}"
        outcomes = []
        for number, to in enumerate(message.recipients):
            fate = fates[number % len(fates)]
            if fate in LEFT or world.death in ("before", "after"):
                world.counted.append((day, "sale" in message.tags, to, segments(message.text)))
            if world.death == "before":
                continue
            world.left[message.text, to, self.name] += fate in LEFT
            error = FATES[fate]
            receipt = Receipt(to, ("id",) * segments(message.text), segments(message.text), channel=self.name)
            outcomes.append(accepted(self.name, to, receipt) if error is None else failed(self.name, to, error))
        if world.death in ("before", "after"):
            raise DeadError(message.recipients)
        return outcomes

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Tell what is to be told."""
        return SmsState(self._world.status, 0)


def segments(text: str) -> int:
    """Return what a text of the machine's costs."""
    return 1 if len(text) < 160 else 2


class Witness:
    """A plugin that dies where it is told of an outcome, if it is to."""

    def __init__(self, world: World) -> None:
        self._world = world

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Die, after what was sent was counted and before it is written down."""
        if self._world.death == "told":
            raise DeadError(outcome.recipient)


class Limits(RuleBasedStateMachine):
    """A Notifier with limits, whoever works on its outbox, and a book of what truly happened."""

    kind: ClassVar[type[Place]] = Place

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.place = self.kind(self.folder / "outbox.db", self.clock)
        self.world = World()
        self.serial = 0
        self.wishes: Counter[tuple[str, str]] = Counter()
        """How often a person wished a text to be sent to somebody again."""
        self.begin()

    def begin(self) -> None:
        """Start a process."""
        first, second = (Wire(name, self.world, self.clock) for name in ("first", "second"))
        both = Fallback("both", first, second)

        class Both:
            @hookimpl
            def devinotify_register_channels(self) -> list[Channel]:
                return [both]

        plugins = make_plugin_manager(first, second, Both(), Witness(self.world), discover=False)
        self.notifier = Notifier(f"{URL}&channel=first", plugins=plugins)
        self.outbox: Outbox = self.place.open()
        self.notifier._storage._own["outbox"] = self.outbox
        self.tracker = self.notifier.following()
        self.tracker.puts_back = True
        self.outbox.recover()

    def end(self) -> None:
        """End the process: what it was sending has no outcome."""
        self.world.death = None
        self.notifier.close()

    def teardown(self) -> None:
        """Close and remove the file."""
        self.end()
        self.place.close()
        shutil.rmtree(self.folder)

    def text(self, *, long: bool) -> str:
        """Return a text that no other message has."""
        self.serial += 1
        return f"{self.serial} ".ljust(200 if long else 10, "x")

    @rule(
        to=st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True),
        long=st.booleans(),
        sale=st.booleans(),
        channel=st.sampled_from(["first", "first", "both"]),
        hours=st.sampled_from([None, None, 1, 30]),
    )
    def enqueue(self, to: list[str], long: bool, sale: bool, channel: str, hours: int | None) -> None:
        """Enqueue for some people."""
        deadline = None if hours is None else datetime.fromtimestamp(self.clock.now, UTC) + timedelta(hours=hours)
        tags = "sale" if sale else None
        self.notifier.enqueue(self.text(long=long), to, channel=channel, tags=tags, deadline=deadline)

    fates = st.lists(st.sampled_from(sorted(FATES)), min_size=1, max_size=4)
    deaths = st.sampled_from(DEATHS)

    @rule(
        to=st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True),
        channel=st.sampled_from(["first", "both"]),
        fates=fates,
        death=deaths,
    )
    def notify(self, to: list[str], channel: str, fates: list[str], death: str | None) -> None:
        """Send at once, and see that what is said of it is true."""
        self.world.fates, self.world.death = fates, death
        text = self.text(long=False)
        try:
            outcomes = self.notifier.notify(text, to, channel=channel)
        except DeadError:
            self.end()
            self.begin()
            return
        self.world.death = None
        for outcome in outcomes:
            left = [self.world.left[text, outcome.recipient, name] for name in ("first", "second")]
            if outcome.verdict in (Verdict.REJECTED, Verdict.NOT_SENT):
                assert [0, 0] == left, outcome
            if outcome.verdict is Verdict.ACCEPTED:
                assert sum(left), outcome

    @rule(limit=st.integers(1, 5), fates=fates, death=deaths)
    def work(self, limit: int, fates: list[str], death: str | None) -> None:
        """Send what is due, as a worker does."""
        self.world.fates, self.world.death = fates, death
        try:
            batch = self.outbox.claim(limit, account=self.notifier.url.account)
            if batch is not None:
                self.tracker.deliver(batch)
        except DeadError:
            self.end()
            self.begin()
        self.world.death = None

    @rule(limit=st.integers(1, 5), fates=fates, wish=st.booleans(), works=st.booleans())
    def stall(self, limit: int, fates: list[str], wish: bool, works: bool) -> None:
        """Stand still between claim and send for so long that others go on, and then wake up."""
        batch = self.outbox.claim(limit, account=self.notifier.url.account)
        if batch is None:
            return
        notifier, tracker = self.notifier, self.tracker
        self.place.kill(self.outbox)
        self.begin()
        if wish:
            self.retry(RowState.UNKNOWN)
        if works:
            self.work(limit, fates, None)
        self.world.fates = fates
        queued = {row.id for row in self.outbox if row.state is RowState.QUEUED}
        tracker.deliver(batch)
        notifier.close()
        assert queued <= {row.id for row in self.outbox if row.state is RowState.QUEUED}

    @rule(status=st.sampled_from(DeliveryStatus), fates=fates, death=deaths)
    def watch(self, status: DeliveryStatus, fates: list[str], death: str | None) -> None:
        """Look at deliveries, and take the steps that follow."""
        self.world.status, self.world.fates, self.world.death = status, fates, death
        try:
            self.tracker.attend(self.outbox.watch_due(account=self.notifier.url.account))
        except DeadError:
            self.end()
            self.begin()
        self.world.death = None

    @rule(seconds=st.sampled_from([30.0, 400.0, 7200.0, 86400.0, 40 * 86400.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds

    @rule()
    def hurry(self) -> None:
        """Ask again for what waits."""
        self.outbox.hurry()

    @rule(state=st.sampled_from([RowState.FAILED, RowState.NOT_SENT, RowState.REJECTED, RowState.UNKNOWN]))
    def retry(self, state: RowState) -> None:
        """Have all that ended in some way sent again, as a person does."""
        before = {row.id: row.state for row in self.outbox}
        self.outbox.retry_all(state, force=state is RowState.UNKNOWN, undelivered=True)
        for row in self.outbox:
            if row.state is not before[row.id]:
                assert row.state is RowState.QUEUED
                self.wishes[self.text_of(row), row.recipient] += 1

    def text_of(self, row: Row) -> str:
        """Return the text of a row."""
        stored = self.outbox.message(row.message_id)
        assert stored is not None
        return stored.message.text

    @invariant()
    def nobody_is_sent_to_twice(self) -> None:
        """But by a person's wish."""
        for (text, to, channel), times in self.world.left.items():
            assert times <= 1 + self.wishes[text, to], (text[:3], to, channel)

    @invariant()
    def states_are_true(self) -> None:
        """What is said not to have been sent, or waits, was not sent but before somebody wished it again."""
        for row in self.outbox:
            text = self.text_of(row)
            channels = ("first", "second") if row.channel == "both" else (row.channel,)
            left = [self.world.left[text, row.recipient, channel] for channel in channels]
            if row.state in (RowState.QUEUED, RowState.NOT_SENT, RowState.REJECTED):
                assert max(left) <= self.wishes[text, row.recipient], row
            if row.state in (RowState.ACCEPTED, RowState.DELIVERED, RowState.FAILED):
                assert sum(left), row

    @invariant()
    def limits_are_kept(self) -> None:
        """The counts are those of what may have been sent, and never more than there is room for."""
        now = self.clock.datetime
        for to in PEOPLE:
            for usage in self.notifier.limits(to):
                assert usage.used <= usage.limit.amount
                assert usage.used == self.book(usage.limit.scope, f"{now:%Y-%m-%d}", to), (usage, to)

    def book(self, scope: Scope, day: str, to: str) -> int:
        """Return what is used of the limit on this, by the book."""
        if scope is Scope.RECIPIENT:
            return sum(1 for on, _, whom, _ in self.world.counted if (on, whom) == (day, to))
        if scope is Scope.TAG:
            return sum(each for on, sale, _, each in self.world.counted if sale and on[:7] == day[:7])
        return sum(each for on, _, _, each in self.world.counted if on == day)

    @invariant()
    def adds_up(self) -> None:
        """Each row is in one state, and in one place."""
        counts = self.outbox.counts()
        rows = list(self.outbox)
        steps = sum(row.story not in (None, row.id) for row in rows)
        assert (len(rows), steps) == (counts.total, counts.steps)
        assert len({(row.message_id, row.recipient, row.channel) for row in rows}) == len(rows)


class LimitsInMemory(Limits):
    """The same over the store in memory."""

    kind = InMemory


class LimitsInPostgres(Limits):
    """The same over the store in PostgreSQL."""

    kind = InPostgres


SETTINGS = settings(max_examples=30, stateful_step_count=30, deadline=None)
LimitsInMemory.TestCase.settings = SETTINGS
# The more seldom, the more a step costs.
Limits.TestCase.settings = settings(SETTINGS, max_examples=15)
TestLimits = Limits.TestCase
TestLimitsInMemory = LimitsInMemory.TestCase
if "postgres" in PLACES:
    LimitsInPostgres.TestCase.settings = settings(SETTINGS, max_examples=4)
    TestLimitsInPostgres = LimitsInPostgres.TestCase
