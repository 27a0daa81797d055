"""A limit on what may be sent, as people write it: ``1000 segments/day``, ``3 messages/day recipient``. Pure.

It reads ``AMOUNT UNIT/PERIOD SCOPE``. The unit is ``segments``, ``messages`` or a currency of three letters; without
one it is segments, or messages for each recipient. The scope is ``account``, which it is without one, ``recipient``,
``sender:NAME`` or ``tag:NAME``. In a URL a comma may stand before the scope, and nothing before the unit:
``limit=1000segments/day,tag:marketing``. Several stand in one value with a semicolon between two of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from devinotify.exceptions import InvalidInput
from devinotify.words import is_text, meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Word = TypeVar("Word", bound=StrEnum)

SEGMENTS, MESSAGES = "segments", "messages"
"""The units that are counted; any other is a currency."""

BETWEEN = ";"
"""What stands between limits that are written in one value."""

_WRITTEN = re.compile(r"([0-9.]*)\s*([^\W\d_]*)\s*(/?)\s*([^\s,]*)(?:[\s,]+(.+))?", re.DOTALL)
_CURRENCY = re.compile(r"[A-Z]{3}")
_SHOWABLE = re.compile(r"[A-Za-z:_-]{1,20}")
_UNITS: Mapping[str, str] = MappingProxyType({"segment": SEGMENTS, "message": MESSAGES})
_MOST = Decimal(10**15)


class Period(StrEnum):
    """What a limit is for: a calendar day, or a calendar month."""

    DAY = "day"
    MONTH = "month"

    def begun(self, moment: datetime) -> datetime:
        """Return when the period began that ``moment`` lies in, by the clock of its own time zone."""
        day = moment.date() if self is Period.DAY else moment.date().replace(day=1)
        return datetime.combine(day, time(), tzinfo=moment.tzinfo)

    def over(self, moment: datetime) -> datetime:
        """Return when the period ends that ``moment`` lies in, by the clock of its own time zone."""
        # 31 days from the first of a month are in the next one, whatever month it is.
        later = self.begun(moment).date() + timedelta(days=1 if self is Period.DAY else 31)
        return self.begun(datetime.combine(later, time(), tzinfo=moment.tzinfo))


class Scope(StrEnum):
    """What a limit is on."""

    ACCOUNT = "account"
    """All that the account sends."""
    RECIPIENT = "recipient"
    """Each recipient, apart from the others."""
    SENDER = "sender"
    """All that is sent from one sender."""
    TAG = "tag"
    """All messages that have one tag."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much in a period: ``amount`` of a ``unit``, for a ``scope``, whose ``name`` is a sender's or tag's.

    ``unit`` is ``segments`` (on a channel that is not billed by them a message is one), ``messages``, or a currency
    such as ``RUB``. Raises InvalidInput for what makes no sense.
    """

    amount: Decimal
    unit: str
    period: Period
    scope: Scope = Scope.ACCOUNT
    name: str = ""

    def __post_init__(self) -> None:
        if not _is_amount(self.amount) or not self.amount:
            raise InvalidInput("the amount of a limit is more than 0, and less than 10 to the 15th")
        if not self.is_money and self.unit not in (SEGMENTS, MESSAGES):
            raise InvalidInput(f"the unit of a limit is {SEGMENTS}, {MESSAGES} or a currency such as RUB")
        if not self.is_money and self.amount != int(self.amount):
            raise InvalidInput(f"a limit of {self.unit} is a whole number")
        if (self.scope in _NAMED) is not bool(self.name) or self.name != self.name.strip():
            raise InvalidInput("a limit on a sender or a tag names it, and no other limit has a name")
        if self.name and not is_text(self.name):
            raise InvalidInput("the name in a limit must be text that UTF-8 can carry")
        if BETWEEN in self.name:
            raise InvalidInput(f"the name in a limit holds no {BETWEEN!r}, which stands between two limits")

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Return the limit that is written; raise InvalidInput, which names the part that is wrong."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None or not match[1] or not match[3]:
            raise InvalidInput("write an amount, a unit and a period, such as 1000 segments/day or 50000 RUB/month")
        amount, unit, _, period, scope = match.groups()
        found, name = _scope(scope)
        try:
            number = Decimal(amount)
        except ArithmeticError:
            raise InvalidInput("the amount is not a number: write 1000, or 99.50") from None
        return cls(number, _unit(unit, found), _word(period, Period, "a period"), found, name)

    @property
    def is_money(self) -> bool:
        """Whether it is a limit on money, so that it takes a price to keep it."""
        return _CURRENCY.fullmatch(self.unit) is not None

    @property
    def rule(self) -> tuple[str, str, str, str]:
        """What it is a limit on: two with the same would contradict each other."""
        return self.unit, self.period, self.scope, self.name

    def __str__(self) -> str:
        number = format(self.amount.normalize(), "f")
        scope = "" if self.scope is Scope.ACCOUNT else f" {self.scope}"
        return f"{number} {self.unit}/{self.period}{scope}{':' if self.name else ''}{self.name}"

    def compact(self) -> str:
        """Return it as it is written in a URL, with no space in it but for those of a name."""
        number, _, rest = str(self).partition(" ")
        return number + rest.replace(" ", ",", 1) if self.scope is not Scope.ACCOUNT else number + rest


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """How much of a limit is ``used`` in its period, which ends at ``resets_at`` (aware)."""

    limit: Limit
    used: Decimal
    resets_at: datetime

    @property
    def left(self) -> Decimal:
        """What may still be used: never less than nothing, though the gateway may have billed more than expected."""
        return max(self.limit.amount - self.used, Decimal(0))

    def __str__(self) -> str:
        return f"{_plain(self.used)} of {self.limit} used, until {moment(self.resets_at)}"


class Count(NamedTuple):
    """What is used of a limit, and the amount of the limit that somebody was told to be near."""

    used: Decimal = Decimal(0)
    told: Decimal = Decimal(0)

    @classmethod
    def read(cls, text: str | None) -> Count:
        """Return the count that stands in a text, nothing where there is none."""
        return cls(*map(Decimal, (text or "0").split(" ")))

    def beside(self, other: Count) -> Count:
        """Return what both count: of the same limit of two accounts that are one from now on."""
        return Count(self.used + other.used, max(self.told, other.told))

    def written(self) -> str | None:
        """Return the text for it, ``None`` where there is nothing to keep."""
        used = format(self.used, "f")
        return f"{used} {self.told:f}" if self.told else used if self.used else None


def moment(at: datetime) -> str:
    """Return when a period ends, as people read it, with the zone by whose clock it does."""
    # In this order, or a date and a time would be masked for a number wherever errors are scrubbed.
    return f"{at:%H:%M} on {at:%Y-%m-%d} ({at.tzinfo})"


_NAMED = frozenset({Scope.SENDER, Scope.TAG})


def _unit(word: str, scope: Scope) -> str:
    if not word:
        return MESSAGES if scope is Scope.RECIPIENT else SEGMENTS
    known = _UNITS.get(word.lower().removesuffix("s"))
    if known is not None:
        return known
    if _CURRENCY.fullmatch(word.upper()):
        return word.upper()
    question = meant(word.lower(), (SEGMENTS, MESSAGES))
    raise InvalidInput(
        f"{_shown(word)} is not a unit: {question or f'give {SEGMENTS}, {MESSAGES} or a currency such as RUB'}"
    )


def _scope(text: str | None) -> tuple[Scope, str]:
    word, _, name = (text or Scope.ACCOUNT).partition(":")
    scope, name = _word(word.strip(), Scope, "what a limit is on"), name.strip()
    if (scope in _NAMED) is not bool(name):
        raise InvalidInput(f"write {scope}:NAME" if scope in _NAMED else f"{scope} stands without a name")
    return scope, name


def _word(word: str, words: type[Word], what: str) -> Word:
    try:
        return words(word.lower())
    except ValueError:
        question = meant(word.lower(), words)
        raise InvalidInput(f"{_shown(word)} is not {what}: {question or 'give ' + ' or '.join(words)}") from None


def _shown(word: str) -> str:
    """Return a word as it may be shown: what is none may be anything, the rest of a password for one."""
    return repr(word) if _SHOWABLE.fullmatch(word) else "what is written"


@dataclass(frozen=True, slots=True)
class Price:
    """What a message costs on one channel: so much a ``segment``, and ``besides`` once.

    The latter is of what the gateway sends first, where it sends the segments in the place of what fails: both count.
    """

    segment: Decimal
    besides: Decimal = Decimal(0)

    def of(self, segments: int) -> Decimal:
        """Return what a message of so many segments costs; one of none was not sent."""
        return self.segment * segments + self.besides if segments else Decimal(0)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a segment costs, or a message where segments are not billed: by channel, and ``other`` for all else.

    Written ``2.50``, ``2.50,viber:1.20`` or ``sms:2.50,viber:1.20``. Raises InvalidInput for what is not a price.
    """

    other: Decimal | None = None
    channels: tuple[tuple[str, Decimal], ...] = ()

    def __post_init__(self) -> None:
        names = [name for name, _ in self.channels]
        if len(names) != len(set(names)) or not all(map(is_text, names)):
            raise InvalidInput("a channel has one price")
        prices = [price for _, price in self.channels] + ([] if self.other is None else [self.other])
        if not prices or not all(map(_is_amount, prices)):
            raise InvalidInput("a price is zero or more, such as 2.50, or sms:2.50,viber:1.20")
        object.__setattr__(self, "channels", tuple(sorted(self.channels)))

    @classmethod
    def parse(cls, text: str) -> Prices:
        """Return the prices that are written; raise InvalidInput for anything else."""
        other: list[Decimal] = []
        channels: list[tuple[str, Decimal]] = []
        for entry in text.split(","):
            name, colon, amount = entry.rpartition(":")
            if re.fullmatch(r"[0-9]+(\.[0-9]+)?", amount.strip()) is None:
                raise InvalidInput("a price is zero or more, such as 2.50, or sms:2.50,viber:1.20")
            price = Decimal(amount.strip())
            if colon:
                channels.append((name.strip().lower(), price))
            else:
                other.append(price)
        if len(other) > 1:
            raise InvalidInput("one price stands without a channel, and its decimal sign is a point: 2.5")
        return cls(other[0] if other else None, tuple(channels))

    def of(self, channel: str, billed_as: tuple[str, str] | None = None) -> Decimal | None:
        """Return the price on a channel, ``None`` where it is not known.

        ``billed_as`` is what the channel says of itself where the gateway resends (``channels.protocol``): then it is
        the price of what is resent, unless the channel itself has one, which holds both.
        """
        steps = self.steps(channel, billed_as)
        return dict(self.channels).get(channel, self.other) if steps is None else self.of(steps[1])

    def whole(self, channel: str, billed_as: tuple[str, str] | None = None) -> Price | None:
        """Return what a message costs on a channel, ``None`` where that is not known.

        Where the gateway resends, it is what both messages do.
        """
        segment, steps = self.of(channel, billed_as), self.steps(channel, billed_as)
        besides = None if steps is None else self.of(steps[0])
        return None if segment is None else Price(segment, besides or Decimal(0))

    def steps(self, channel: str, billed_as: tuple[str, str] | None) -> tuple[str, str] | None:
        """Return ``billed_as``, or ``None`` where the channel has a price of its own: that is of both messages."""
        return None if channel in dict(self.channels) else billed_as

    def __str__(self) -> str:
        others = [] if self.other is None else [_plain(self.other)]
        return ",".join([*others, *(f"{name}:{_plain(price)}" for name, price in self.channels)])


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Return the limits that stand in one value; raise InvalidInput as ``Limit.parse`` does."""
    return tuple(map(Limit.parse, text.split(BETWEEN)))


def write_limits(limits: Iterable[Limit]) -> str:
    """Return limits as they stand in one value of a URL."""
    return BETWEEN.join(limit.compact() for limit in limits)


def tightened(limits: Sequence[Limit], more: Sequence[Limit]) -> tuple[Limit, ...]:
    """Return limits and more of them; of two on the same, the lower one."""
    stay = [each for each in limits if not any(one.rule == each.rule and one.amount < each.amount for one in more)]
    return (*stay, *(one for one in more if not any(each.rule == one.rule for each in stay)))


def _is_amount(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and 0 <= value < _MOST


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


def check_limits(limits: Iterable[Limit], prices: Prices | None) -> None:
    """Raise InvalidInput where limits contradict each other, or are on money and there is no price."""
    known: dict[tuple[str, str, str, str], Limit] = {}
    for limit in limits:
        if (other := known.setdefault(limit.rule, limit)) is not limit:
            raise InvalidInput(f"{other} and {limit} are limits on the same")
    currencies = {limit.unit for limit in known.values() if limit.is_money}
    if len(currencies) > 1:
        raise InvalidInput(f"the limits are in {' and '.join(sorted(currencies))}: an account has one currency")
    for currency in currencies:
        if prices is None:
            raise InvalidInput(f"a limit in {currency} takes a price: give price=, what a segment costs")
        if prices.other is None:
            raise InvalidInput(f"a limit in {currency} takes a price on every channel, such as price=2.50,viber:1.20")
