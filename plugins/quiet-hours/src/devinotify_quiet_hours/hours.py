"""The rule itself: who would be woken, and when their morning is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from devinotify import Message, PluginError, hookimpl

from devinotify_quiet_hours.night import Night, Spans, is_open, opening
from devinotify_quiet_hours.zones import check_entry, check_zone, zones_of

if TYPE_CHECKING:
    from devinotify.bulk import Window

NAME = "quiet-hours"
"""The plugin's name: its entry point, and what DEVINOTIFY_DISABLE_PLUGINS lists."""
URGENT = "urgent"
"""The tag of a message that must not be held back."""
AS_IT_IS = "now"
"""In place of a channel: its messages go out at night too."""

_EVENING_TO_MORNING = Night(time(22), time(8))


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, eq=False)
class QuietHours:
    """A plugin that holds messages back until the recipient's morning; give it to ``make_plugin_manager``.

    ``night`` is the span of the recipient's own clock, 22:00 to 8:00 by default. ``zones`` says which zone stands
    for a region (``{"RU": "Asia/Vladivostok"}``) where a number could be in several, or ``any``; ``channels`` on which
    channel a held message goes out in place of one that cannot be scheduled (``{"viber": "sms"}``), or ``now``.
    ``zone_of`` answers the zone of a recipient (E.164) that you know better than the number tells, or ``None``;
    ``clock`` answers the current time, aware. Raises InvalidInput for a region or zone that does not exist.
    """

    night: Night = _EVENING_TO_MORNING
    zones: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict, repr=False)
    zone_of: Callable[[str], str | None] | None = field(default=None, repr=False)
    clock: Callable[[], datetime] = field(default=_utc_now, repr=False)

    def __post_init__(self) -> None:
        for region, zone in self.zones.items():
            check_entry(region, zone)

    # Outermost of the wrappers, so that it sees what the others have made of the message.
    @hookimpl(wrapper=True, tryfirst=True)
    def devinotify_prepare_message(self) -> Generator[None, list[Message], list[Message]]:
        """Hold back what would arrive at night."""
        return self.apply((yield))

    def apply(self, messages: Iterable[Message]) -> list[Message]:
        """Return the messages with those recipients split off who would be woken, and put off to their morning.

        Nobody is lost and nobody is in two messages. An urgent message stays as it is, and so does one that would
        wake nobody. What is put off has a naive ``send_at``: the gateway sends it by the recipient's own clock.
        """
        now = self.clock()
        parts: list[Message] = []
        for message in messages:
            channel = self.channels.get(message.channel, message.channel)
            as_it_is = channel == AS_IT_IS
            parts += [message] if as_it_is else self._parts(message, channel, now, (self.night,))
        return parts

    @hookimpl
    def devinotify_fit_window(self, message: Message, window: Window) -> list[Message]:
        """Hold back what would arrive outside the window, or at night."""
        return self.fit(message, window)

    def fit(self, message: Message, window: Window, *, by_night: bool = False) -> list[Message]:
        """Return the message split as ``apply`` does, for a daily window: what is held goes out in it, by day.

        ``by_night`` lets it go out at night too, as a channel does that goes out ``now``. Raises PluginError for a
        window that lies in the night.
        """
        now = self.clock()
        shut = Night.outside(window)
        channel = self.channels.get(message.channel, message.channel)
        if channel == AS_IT_IS:
            channel, by_night = message.channel, True
        if by_night:
            return self._parts(message, channel, now, (shut,))
        if not is_open(shut, self.night):
            raise PluginError(f"the window {window} lies in the night", plugin=NAME, hook="devinotify_fit_window")
        return self._parts(message, channel, now, (shut, self.night))

    def _parts(self, message: Message, channel: str, now: datetime, shut: Spans) -> list[Message]:
        if URGENT in message.tags:
            return [message]
        groups: dict[datetime | None, list[str]] = {}
        mornings: dict[tuple[str, ...], datetime | None] = {}
        for recipient in message.recipients:
            zones = self._zones_of(recipient)
            if zones not in mornings:
                mornings[zones] = self._put_off(message.send_at, zones, now, shut)
            groups.setdefault(mornings[zones], []).append(recipient)
        if set(groups) <= {None}:
            return [message]
        return [
            replace(message, recipients=tuple(recipients))
            if morning is None
            else replace(message, recipients=tuple(recipients), send_at=morning, channel=channel)
            for morning, recipients in groups.items()
        ]

    def _zones_of(self, recipient: str) -> tuple[str, ...]:
        known = None if self.zone_of is None else self.zone_of(recipient)
        return zones_of(recipient, self.zones) if known is None else (check_zone(known),)

    def _put_off(self, send_at: datetime | None, zones: tuple[str, ...], now: datetime, shut: Spans) -> datetime | None:
        """Return the wall-clock time to which a message is put off, or ``None`` where it may go out as it is."""
        if not zones:
            # Only a wall-clock time says what their clock will show.
            known = send_at is not None and send_at.utcoffset() is None and any(send_at in span for span in shut)
            return opening(send_at, shut) if known and send_at is not None else None
        arrivals = [_arrival(send_at, ZoneInfo(zone), now) for zone in zones]
        mornings = [opening(arrival, shut) for arrival in arrivals if any(arrival in span for span in shut)]
        if not mornings:
            return None
        # The latest, so that nobody's is over before it: a wall-clock time in the past goes out at once.
        morning = max(mornings)
        # On the day that the clocks are changed a time may be shown twice, or never, and the night come back.
        while any(_arrival(morning, ZoneInfo(zone), now) in span for zone in zones for span in shut):
            morning += timedelta(days=1)
        return morning


def _arrival(send_at: datetime | None, zone: ZoneInfo, now: datetime) -> datetime:
    """Return what the recipient's clock will show, naive, when the message goes out: at once where that is past."""
    if send_at is None:
        moment = now
    elif send_at.utcoffset() is None:
        moment = max(now, send_at.replace(tzinfo=zone).astimezone(UTC))
    else:
        moment = max(now, send_at.astimezone(UTC))
    return moment.astimezone(zone).replace(tzinfo=None)
