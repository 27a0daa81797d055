"""The emulated platform: one account, its messages, their fates, and the clock that moves them.

Nothing runs in the background: a message's states are laid down when it is accepted, and what the clock
has passed is read off them. Only resends (Viber that failed) make something new; ``settle`` makes them
before anything is looked at. Everything here is called with ``lock`` held.
"""

from __future__ import annotations

import heapq
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

from devinotify import phones
from devinotify import text as texts
from devinotify.sandbox import checks, ids
from devinotify.sandbox.account import Account
from devinotify.sandbox.clock import Clock
from devinotify.sandbox.fates import DELIVERED, FATES, LIFECYCLES, MAGIC_NUMBERS, RESENT_AFTER, Fate, timeline
from devinotify.sandbox.store import Incoming, Store, StoredMessage

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_NUMBER = "*"
"""In place of a number: the fate of every number that has none of its own."""

UNPAID = "rejected-by-platform"
"""The fate of a resent SMS that the balance did not cover."""

MAX_INCOMING_TEXT = 2000
MAX_ADDRESS = 32
MAX_SETTINGS = 10_000


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
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock or Clock()
        self.account = Account(login, password, balance)
        self.store = Store(keep)
        self.prices = {"sms": sms_price, "viber": viber_price}
        self.fates: dict[str, str] = {}
        self.zones: dict[str, str] = {}
        self._id_prefix = id_prefix
        self._resends: list[tuple[float, int, StoredMessage]] = []

    # What the gateway's operations ask for.

    def fate_of(self, digits: str) -> Fate:
        """Return what becomes of messages to a number: set for it, magic, set for every number, or delivered."""
        name = self.fates.get(digits)
        if name is None:
            magic = MAGIC_NUMBERS.get(digits)
            if magic is not None:
                return magic
            name = self.fates.get(EVERY_NUMBER, DELIVERED)
        return FATES[name]

    def zone_of(self, digits: str) -> str:
        """Return a number's time zone: the one set for it, else the numbering plan's."""
        return self.zones.get(digits) or checks.zone_of(digits)

    def _unused(self, draw: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        part_ids = draw()
        while self.store.knows(part_ids):
            part_ids = draw()
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
        fate: Fate,
        resent_from: StoredMessage | None = None,
    ) -> StoredMessage:
        """Keep an SMS, checked and paid for, and lay down what becomes of it; ``validity`` is in seconds."""
        message = StoredMessage(
            serial=self.store.next_serial(),
            channel="sms",
            operation=operation,
            sender=sender,
            recipient=recipient,
            text=text,
            part_ids=self._unused(lambda: ids.sms_ids(segments, self._id_prefix)),
            created=now,
            due=due,
            price=self.prices["sms"],
            fate=fate.name,
            schedule=timeline(fate.sms, LIFECYCLES["sms"], created=now, due=due, expires=due + validity),
            resent_from=resent_from,
        )
        self.store.add(message)
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
        fate: Fate,
        resends: bool,
    ) -> StoredMessage:
        """Keep a Viber message, checked and paid for; where it is to be resent and will fail, note when."""
        message = StoredMessage(
            serial=self.store.next_serial(),
            channel="viber",
            operation=operation,
            sender=sender,
            recipient=recipient,
            text=text,
            part_ids=self._unused(lambda: (ids.viber_id(self._id_prefix),)),
            created=now,
            due=now,
            price=self.prices["viber"],
            fate=fate.name,
            schedule=timeline(fate.viber, LIFECYCLES["viber"], created=now, due=now, expires=now + validity),
            optional=optional,
            resends=resends,
        )
        self.store.add(message)
        end = message.schedule[-1]
        if resends and end.state in RESENT_AFTER:
            heapq.heappush(self._resends, (end.at, message.serial, message))
        return message

    def settle(self, now: float) -> None:
        """Send the SMS of every Viber message that has failed by now, each at the instant of its failure."""
        while self._resends and self._resends[0][0] <= now:
            at, _, viber = heapq.heappop(self._resends)
            segments = texts.count_segments(viber.text)
            cost = self.prices["sms"] * segments
            fate = FATES[viber.fate]
            if cost <= self.account.balance:
                self.account.balance -= cost
            else:
                fate = FATES[UNPAID]
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
                resent_from=viber,
            )

    def now(self) -> float:
        """Return the clock's time, with everything settled up to it."""
        now = self.clock.now()
        self.settle(now)
        return now

    # What the control API and the Sandbox's methods ask for. Wrong values raise ValueError.

    def advance(self, seconds: float) -> float:
        """Move the clock forward and return its time."""
        self.clock.advance(seconds)
        return self.now()

    def _known_number(self, number: str) -> str:
        return phones.normalize(number, "RU").digits

    def set_fate(self, number: str, fate: str | None) -> None:
        """Give a number, or ``*`` for every other number, a fate from now on; ``None`` takes it back."""
        key = EVERY_NUMBER if number == EVERY_NUMBER else self._known_number(number)
        if fate is not None and fate not in FATES:
            raise ValueError(f"no such fate; there are: {', '.join(FATES)}")
        _set(self.fates, key, fate)

    def set_time_zone(self, number: str, zone: str | None) -> None:
        """Give a number a time zone such as ``Asia/Vladivostok``; ``None`` takes it back."""
        key = self._known_number(number)
        if zone is not None:
            checks.known_zone(zone)
        _set(self.zones, key, zone)

    def add_incoming(self, text: str, sender: str, recipient: str) -> Incoming:
        """Keep a message from a subscriber, as of now."""
        for name, value, limit in (
            ("text", text, MAX_INCOMING_TEXT),
            ("sender", sender, MAX_ADDRESS),
            ("recipient", recipient, MAX_ADDRESS),
        ):
            if not value or len(value) > limit:
                raise ValueError(f"{name} must have 1 to {limit} characters")
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError(f"{name} holds half a surrogate pair, which UTF-8 cannot carry")
        message = Incoming(ids.sms_ids(1)[0][:9], sender, recipient, text, self.now())
        self.store.incoming.append(message)
        return message

    def expire_sessions(self) -> int:
        """End every session and return how many were valid."""
        return self.account.expire_sessions(self.now())

    def set_balance(self, balance: Decimal) -> None:
        """Set the money left."""
        if not balance.is_finite() or abs(balance) > 10**15:
            raise ValueError("the balance must be a number of at most 15 digits")
        self.account.balance = balance

    def reset(self) -> None:
        """Forget messages, sessions, fates and zones, take back every advance, and restore the balance."""
        self.clock.reset()
        self.account.reset()
        self.store.clear()
        self.fates.clear()
        self.zones.clear()
        self._resends.clear()


def _set(table: dict[str, str], key: str, value: str | None) -> None:
    if value is None:
        table.pop(key, None)
    elif key in table or len(table) < MAX_SETTINGS:
        table[key] = value
    else:
        raise ValueError(f"more than {MAX_SETTINGS} numbers are set already; reset first")
