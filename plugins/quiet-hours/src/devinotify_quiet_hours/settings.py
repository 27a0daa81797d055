"""The settings of the installed plugin: three environment variables, read when a message comes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify import InvalidInput, Message, PluginError, hookimpl

from devinotify_quiet_hours.hours import NAME, URGENT, QuietHours
from devinotify_quiet_hours.night import Night

if TYPE_CHECKING:
    from devinotify.bulk import Window

HOURS = "DEVINOTIFY_QUIET_HOURS"
"""The night, ``22:00-08:00``; ``off`` holds nothing back."""
ZONE = "DEVINOTIFY_QUIET_ZONE"
"""Region=zone, separated by commas: ``RU=Asia/Vladivostok,US=any``; ``*=any`` for every region not listed."""
CHANNELS = "DEVINOTIFY_QUIET_CHANNELS"
"""Channel=channel for what is held, separated by commas: ``viber=sms,viber-sms=now``."""
OFF = "off"


def _table(written: str) -> dict[str, str]:
    """Return ``a=b,c=d`` as a dict; raises InvalidInput for another form, and where a key is given twice."""
    table: dict[str, str] = {}
    for entry in filter(None, (entry.strip() for entry in written.split(","))):
        key, equals, value = (part.strip() for part in entry.partition("="))
        if not (key and equals and value):
            raise InvalidInput(f"{entry!r} is not a pair: write it as name=value, and a comma between two of them")
        if key in table:
            raise InvalidInput(f"{key!r} is given twice")
        table[key] = value
    return table


def _with_night(hours: QuietHours, written: str) -> QuietHours:
    return replace(hours, night=Night.parse(written))


def _with_zones(hours: QuietHours, written: str) -> QuietHours:
    return replace(hours, zones=_table(written))


def _with_channels(hours: QuietHours, written: str) -> QuietHours:
    return replace(hours, channels=_table(written))


_VARIABLES: Mapping[str, Callable[[QuietHours, str], QuietHours]] = {
    HOURS: _with_night,
    ZONE: _with_zones,
    CHANNELS: _with_channels,
}


class FromEnvironment:
    """The installed plugin: QuietHours as the environment says.

    ``hours`` holds what the environment leaves open. A variable that cannot be understood sends no message but urgent
    ones: their outcome is ``not_sent``, with a PluginError that names the variable. To ignore it would wake people.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, hours: QuietHours | None = None) -> None:
        self._environ = environ
        self._hours = QuietHours() if hours is None else hours
        # What was written when it was last understood, and what it came to: it seldom changes.
        self._last: tuple[tuple[str, ...], QuietHours] = ((), self._hours)

    def __repr__(self) -> str:
        return "<quiet hours as the environment says>"

    @hookimpl(wrapper=True, tryfirst=True)
    def devinotify_prepare_message(self) -> Generator[None, list[Message], list[Message]]:
        """Hold back what would arrive at night."""
        prepared = yield
        if all(URGENT in message.tags for message in prepared):
            return prepared
        hours = self.quiet_hours()
        return prepared if hours is None else hours.apply(prepared)

    @hookimpl
    def devinotify_fit_window(self, message: Message, window: Window) -> list[Message]:
        """Hold back what would arrive outside the window, or at night where that is not off."""
        if URGENT in message.tags:
            return [message]
        hours = self.quiet_hours("devinotify_fit_window")
        if hours is not None:
            return hours.fit(message, window)
        return self._settings("devinotify_fit_window").fit(message, window, by_night=True)

    def quiet_hours(self, hook: str = "devinotify_prepare_message") -> QuietHours | None:
        """Return the settings as they stand now, ``None`` where they are off; raises PluginError for a wrong one."""
        off = self._environ.get(HOURS, "").strip().lower() == OFF
        return None if off else self._settings(hook)

    def _settings(self, hook: str) -> QuietHours:
        all_written = tuple([self._environ.get(name, "").strip() for name in _VARIABLES])
        known, hours = self._last
        if all_written == known:
            return hours
        hours = self._hours
        for (name, read), written in zip(_VARIABLES.items(), all_written, strict=True):
            if written and not (name == HOURS and written.lower() == OFF):
                try:
                    hours = read(hours, written)
                except InvalidInput as error:
                    raise PluginError(f"{name}: {error}", plugin=NAME, hook=hook) from error
        self._last = (all_written, hours)
        return hours
