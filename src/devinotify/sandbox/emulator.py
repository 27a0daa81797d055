"""The emulated platform: one account, its messages, their fates, and the clock that moves them.

Nothing runs in the background: a message's states are laid down when it is accepted, and what the clock
has passed is read off them. Only resends (Viber that failed) make something new; ``settle`` makes them
before anything is looked at. Everything here is called with ``lock`` held.
"""

from __future__ import annotations

import heapq
import threading
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.sandbox import checks, ids, money
from devinotify.sandbox.account import Account
from devinotify.sandbox.clock import Clock
from devinotify.sandbox.fates import (
    LIFECYCLES,
    RESENT_AFTER,
    NumberFate,
    TimelineStep,
    forced,
    timeline,
)
from devinotify.sandbox.faults import ANY, ArmedFault, Fault, Faults, operation_name
from devinotify.sandbox.live import Live
from devinotify.sandbox.messages import (
    DEFAULT_RECIPIENT,
    MAX_ADDRESS,
    MAX_INCOMING_TEXT,
    Incoming,
    PlatformMessage,
    check_incoming,
)
from devinotify.sandbox.settings import Settings, known_number
from devinotify.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox.allowlist import AllowList
    from devinotify.sandbox.messages import RefusedSend
    from devinotify.sandbox.requestlog import RequestRecord
    from devinotify.sandbox.webhook import Posted

UNPAID = "rejected-by-platform"
"""The fate of a resent SMS that the balance did not cover."""


class NotFound(LookupError):
    """Nothing has the number that was asked for."""


class Emulator:
    """The platform behind the gateway's API and the control API.

    Prices are per SMS segment and per Viber message, in the account's currency.
    """

    def __init__(
        self,
        *,
        login: str,
        password: str,
        balance: Decimal,
        sms_price: Decimal = Decimal("2.50"),
        viber_price: Decimal = Decimal("1.50"),
        keep: int = 5000,
        clock: Clock | None = None,
        id_prefix: str = "",
        settings: Settings | None = None,
    ) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.live: Live = Live(self.lock)
        self.clock: Clock = clock or Clock()
        self.account: Account = Account(login, password, balance)
        self.store: Store = Store(keep)
        self.prices: dict[str, Decimal] = {"sms": sms_price, "viber": viber_price}
        self.settings: Settings = settings or Settings()
        self.faults: Faults = Faults()
        self.archive_path: Path | None = None
        self._id_prefix = id_prefix
        self._resends: list[tuple[float, int, PlatformMessage]] = []
        self._answers: list[tuple[float, int, str, PlatformMessage]] = []
        self._planned = count()
        self.release: AllowList | None = None
        self.shown_password: str = ""
        self.on_arrival: Callable[[PlatformMessage], None] | None = None
        self.posted: Callable[[], Posted | None] = lambda: None

    # What the gateway's operations ask for.

    def _ids(self, channel: str, count: int, named: str) -> tuple[str, ...]:
        """Return ids that no message has; ``named`` are the digits that they hold, if any."""
        while True:
            if named:
                part_ids = ids.v2_ids(count, named, self._id_prefix)
            elif channel == "viber":
                part_ids = (ids.viber_id(self._id_prefix),)
            else:
                part_ids = ids.sms_ids(count, self._id_prefix)
            if not self.store.knows(part_ids):
                return part_ids

    def accept_sms(
        self,
        operation: str,
        *,
        sender: str,
        recipient: str,
        text: str,
        segments: int,
        now: float,
        due: float,
        validity: float,
        fate: NumberFate,
        request: RequestRecord | None,
        resent_from: PlatformMessage | None = None,
        v2: bool = False,
    ) -> PlatformMessage:
        """Keep an SMS, checked and paid for, and lay down what becomes of it; ``validity`` is in seconds."""
        message = PlatformMessage(
            serial=self.store.next_serial(),
            channel="sms",
            operation=operation,
            sender=sender,
            recipient=recipient,
            text=text,
            part_ids=self._ids("sms", segments, recipient if v2 else ""),
            created=now,
            due=due,
            price=self.prices["sms"],
            fate=fate.name,
            schedule=timeline(fate.sms, LIFECYCLES["sms"], created=now, due=due, expires=due + validity),
            resent_from=resent_from,
            request=request,
        )
        self._keep(message)
        return message

    def accept_viber(
        self,
        operation: str,
        *,
        sender: str,
        recipient: str,
        text: str,
        optional: str,
        now: float,
        validity: float,
        fate: NumberFate,
        request: RequestRecord | None,
        resends: bool,
        v2: bool = False,
    ) -> PlatformMessage:
        """Keep a Viber message, checked and paid for; where it is to be resent and will fail, note when."""
        message = PlatformMessage(
            serial=self.store.next_serial(),
            channel="viber",
            operation=operation,
            sender=sender,
            recipient=recipient,
            text=text,
            part_ids=self._ids("viber", 1, recipient if v2 else ""),
            created=now,
            due=now,
            price=self.prices["viber"],
            fate=fate.name,
            schedule=timeline(fate.viber, LIFECYCLES["viber"], created=now, due=now, expires=now + validity),
            optional=optional,
            resends=resends,
            request=request,
        )
        self._keep(message)
        return message

    def refuse(self, refused: RefusedSend) -> None:
        """Keep a send that the gateway refused."""
        self.store.add_refused(refused)

    def _keep(self, message: PlatformMessage) -> None:
        self.store.add(message)
        self._plan(message)
        if self.on_arrival is not None:
            self.on_arrival(message)

    def _plan(self, message: PlatformMessage) -> None:
        """Note what time will make of a message besides its states: an SMS in its place, an answer."""
        self._plan_resend(message)
        text = self.settings.answer_of(message.recipient, self.settings.fate_named(message.fate))
        if text and not message.answered:
            arrived = LIFECYCLES[message.channel].delivered
            for at, state in message.schedule:
                if state == arrived:
                    heapq.heappush(self._answers, (at, next(self._planned), text, message))

    def _plan_resend(self, message: PlatformMessage) -> None:
        end = message.schedule[-1]
        if message.resends and message.resent is None and end.state in RESENT_AFTER:
            heapq.heappush(self._resends, (end.at, message.serial, message))

    def settle(self, now: float) -> None:
        """Send the SMS of every Viber message that has failed by now, each at the instant of its failure."""
        while self._resends and self._resends[0][0] <= now:
            at, _, viber = heapq.heappop(self._resends)
            if viber.resent or (at, True) != (viber.schedule[-1].at, viber.schedule[-1].state in RESENT_AFTER):
                continue  # Its fate was changed in the meantime.
            segments = texts.count_segments(viber.text)
            cost = self.prices["sms"] * segments
            fate = self.settings.fate_named(viber.fate)
            if cost <= self.account.balance:
                self.account.balance -= cost
            else:
                fate = self.settings.fate_named(UNPAID)
            viber.resent = self.accept_sms(
                viber.operation,
                sender=viber.sender,
                recipient=viber.recipient,
                text=viber.text,
                segments=segments,
                now=at,
                due=at,
                validity=60.0 * checks.DEFAULT_VALIDITY,
                fate=fate,
                request=viber.request,
                resent_from=viber,
            )
            self.live.changed()
        while self._answers and self._answers[0][0] <= now:
            at, _, text, message = heapq.heappop(self._answers)
            there = self.store.get(message.serial) is message and not message.answered
            # Where its fate was changed in the meantime, it has not arrived.
            if there and message.at(at).state == LIFECYCLES[message.channel].delivered:
                to = message.sender if message.sender.isdecimal() else DEFAULT_RECIPIENT
                self.store.add_incoming(Incoming(ids.incoming_id(), f"+{message.recipient}", to, text, at))
                self.store.answered_by_phone(message)
                self.live.changed()

    def now(self) -> float:
        """Return the clock's time, with everything settled up to it."""
        now = self.clock.now()
        self.settle(now)
        return now

    def changed(self) -> None:
        """Write what is new to the archive, and tell all who wait for a change."""
        self.store.commit()
        self.live.changed()

    # The archive.

    def open_archive(self) -> None:
        """Load what the archive's file holds, in place of all that is kept; nothing where there is no file.

        Raises ArchiveError, a ValueError, where the file cannot be used, OSError where it cannot be made.
        """
        if self.archive_path is None:
            return
        from devinotify.sandbox.archive import Archive  # on demand: most sandboxes never need SQLite

        archive = Archive(self.archive_path)
        self._resends.clear()
        self._answers.clear()
        self.store.attach(archive)
        self.clock.advance(max(0.0, archive.advanced - self.clock.advanced))
        for message in self.store:
            self._plan(message)
        self.changed()

    # What the control API and the Sandbox's methods ask for. Wrong values raise ValueError.

    def advance(self, seconds: float) -> float:
        """Move the clock forward and return its time."""
        self.clock.advance(seconds)
        now = self.now()
        self.store.clock_advanced(self.clock.advanced)
        self.changed()
        return now

    def force(self, serial: int, fate: str) -> PlatformMessage:
        """Make an accepted message's fate come true now; raises NotFound where there is no such message."""
        now = self.now()
        message = self.store.get(serial)
        if message is None:
            raise NotFound("there is no such message")
        chosen = self.settings.known_fate(fate)
        if chosen.refusal is not None:
            raise ValueError("a message that was accepted can be refused no more")
        past = [transition for transition in message.schedule if transition.at <= now] or message.schedule[:1]
        self.store.reschedule(message, fate, forced(chosen, message.channel, past, now))
        self._plan(message)
        self.settle(now)
        self.changed()
        return message

    def forget(self, serial: int | None) -> int:
        """Forget a message, or all for ``None``, and return how many.

        Raises NotFound where there is no such message.
        """
        forgotten = 1
        if serial is None:
            forgotten = len(self.store)
            self.store.clear_messages()
            self._resends.clear()
        elif self.store.remove(serial):
            self._resends = [entry for entry in self._resends if entry[1] != serial]
            heapq.heapify(self._resends)
        else:
            raise NotFound("there is no such message")
        self.changed()
        return forgotten

    def add_fault(self, fault: Fault) -> ArmedFault:
        """Arm a fault as of now."""
        number = fault.number if fault.number == ANY else known_number(fault.number)
        armed = self.faults.add(replace(fault, operation=operation_name(fault.operation), number=number), self.now())
        self.changed()
        return armed

    def remove_faults(self, number: int | None) -> None:
        """Disarm a fault by its number, or all for ``None``; raises NotFound where there is no such fault."""
        if number is None:
            self.faults.clear()
        elif not self.faults.remove(number):
            raise NotFound("there is no such fault")
        self.changed()

    def set_fate(self, number: str, fate: str | None) -> None:
        """Give a number, or ``*`` for every other number, a fate from now on; ``None`` takes it back."""
        self.settings.set_fate(number, fate)
        self.changed()

    def set_answer(self, number: str, text: str | None) -> None:
        """Have a number's phone, or with ``*`` every other, answer what arrives; ``None`` takes it back."""
        self.settings.set_answer(number, text)
        self.changed()

    def set_time_zone(self, number: str, zone: str | None) -> None:
        """Give a number a time zone such as ``Asia/Vladivostok``; ``None`` takes it back."""
        self.settings.set_time_zone(number, zone)
        self.changed()

    def set_timeline(
        self, name: str, sms: tuple[TimelineStep, ...] | None, viber: tuple[TimelineStep, ...] | None
    ) -> None:
        """Give a fate, or a new one, timelines of one's own; ``None`` for both takes them back."""
        self.settings.set_timeline(name, sms, viber)
        self.changed()

    def add_incoming(self, text: str, sender: str, recipient: str) -> Incoming:
        """Keep a message from a subscriber, as of now."""
        check_incoming("text", text, MAX_INCOMING_TEXT)
        check_incoming("sender", sender, MAX_ADDRESS)
        check_incoming("recipient", recipient, MAX_ADDRESS)
        message = Incoming(ids.incoming_id(), sender, recipient, text, self.now())
        self.store.add_incoming(message)
        self.changed()
        return message

    def expire_sessions(self) -> int:
        """End every session and return how many were valid."""
        expired = self.account.expire_sessions(self.now())
        self.changed()
        return expired

    def set_balance(self, balance: Decimal) -> None:
        """Set the money left."""
        try:
            self.account.balance = money.amount(balance)
        except ValueError as wrong:
            raise ValueError(f"balance {wrong}") from None
        self.changed()

    def reset(self) -> None:
        """Forget everything that arrived or was set, take back every advance, and restore the balance."""
        self.clock.reset()
        self.account.reset()
        self.store.clear()
        self.settings.clear()
        self.faults.clear()
        self._resends.clear()
        self._answers.clear()
        self.store.clock_advanced(self.clock.advanced)
        self.changed()
