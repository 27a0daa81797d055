"""The options that commands share: the URL, ``--json``, and amounts and dates as people write them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from devinotify.cli import exposure
from devinotify.cli.named import F, given_url, named_profile, profile_option
from devinotify.durations import UNITS, parse_duration
from devinotify.exceptions import InvalidInput, InvalidSender, InvalidURL, unadvised
from devinotify.translation import _

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from devinotify.url import DevinoURL

    DateParameter = click.ParamType[datetime]
    DateOrSpanParameter = click.ParamType[datetime | timedelta]
    AmountParameter = click.ParamType[Decimal]
else:
    DateParameter = DateOrSpanParameter = AmountParameter = click.ParamType  # no generic before click 8.2

NOBODY = "devino://nobody:nothing@NOBODY"
"""Whose settings are taken for a dry run without an account: nobody is asked for anything."""

_COMMA = re.compile(r"0,[0-9]+|[0-9]+,[0-9]{1,2}")
"""An amount with a decimal comma; 1,000 may be a thousand, and is refused."""
_UNITS = UNITS.keys() - {""}  # a number alone may be a date: 20260131


def json_option(command: F) -> F:
    """Add ``--json``, which arrives as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, errors included.")(
        command
    )


def _find_url(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if ctx.resilient_parsing:  # the shell asks what could follow
        return value
    is_typed = ctx.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    if is_typed:
        exposure.tell(ctx, value)
    if named_profile() is None:
        return value if is_typed or value else given_url()
    if is_typed:
        raise click.UsageError(_("--url and --profile both name an account: give one of them"))
    return given_url()


def url_option(command: F) -> F:
    """Add ``--url`` and ``--profile``, of which ``url`` arrives: that which was typed, else that of ``given_url``."""
    from devinotify.credentials import URL as ENVIRONMENT

    return click.option(
        "--url",
        envvar=ENVIRONMENT,
        show_envvar=True,
        callback=_find_url,
        metavar="URL",
        help="The account: devino://LOGIN:PASSWORD@SENDER/TO. The variable keeps it out of the process list.",
    )(profile_option(command))


def since_option(name: str, default: str) -> Callable[[F], F]:
    """Add the option ``name`` of the beginning of a period that has passed."""
    return click.option(
        name,
        type=Moment(past=True),
        default=default,
        show_default=True,
        metavar="WHEN",
        help="From this time on: ISO, this machine's time where it has no offset, or a duration back (24h, 7d).",
    )


def settings_of(url: str | None, *, needs_password: bool = True) -> DevinoURL:
    """Return the settings of the URL, with the aliases of the configuration files as recipients.

    One that is not to be used for a login needs no password: it is looked for nowhere then. Raises a usage error where
    there is no URL, InvalidURL where it is wrong.
    """
    from devinotify.credentials import URL as ENVIRONMENT
    from devinotify.url import outline, parse

    if not url:
        raise click.UsageError(
            _(
                "no account: `devinotify login` stores one; or put its URL into {variable}, or give it with --url:"
                " `devinotify url` writes it; `devinotify sandbox` starts a gateway to try it on without one",
                variable=ENVIRONMENT,
            )
        )
    return checked(parse(url) if needs_password else outline(url)).with_options(aliases=True)


def checked(settings: DevinoURL) -> DevinoURL:
    """Return the settings; raise InvalidURL for a value that only shows to be wrong when it is used, or never."""
    from devinotify.url import DEFAULT_LIMIT_ZONE, DEFAULT_REGION

    if settings.region != DEFAULT_REGION:  # which countries there are takes a library to tell
        from devinotify.phones.plan import known_region

        try:
            known_region(settings.region)
        except InvalidInput as error:
            raise InvalidURL(f"bad value for region: {error}") from None
    if settings.limit_zone != DEFAULT_LIMIT_ZONE:  # and the system, which zones
        from devinotify.delivery.limiting import zone_of

        zone_of(settings)
    if settings.ca is not None and not Path(settings.ca).exists():
        raise unadvised(
            InvalidURL(f"bad value for ca: {settings.ca} is not a readable file or folder of CA certificates")
        )
    return settings


@contextmanager
def sender_of_url() -> Iterator[None]:
    """Raise InvalidURL in place of InvalidSender where the sender can be none but the URL's."""
    try:
        yield
    except InvalidSender as error:
        raise InvalidURL(f"bad sender on the URL: {error}") from None


def span_of(text: str) -> timedelta | None:
    """Return the duration that a text names, or ``None``; raise OverflowError for one that no calendar holds."""
    try:
        seconds = parse_duration(text, _UNITS)
    except ValueError:
        return None
    return timedelta(seconds=seconds)


def _expected(number: str, unit: str) -> str:
    if not unit:
        return _("give {number}", number=number)
    return _("give {unit}, {number}", unit=_(unit), number=number)


class Whole(click.IntRange):
    """A whole number of some unit; what is none is told what belongs there."""

    def __init__(self, least: int, most: int | None = None, unit: str = "") -> None:
        super().__init__(least, most)
        self.unit = unit

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; fail where it is none, or outside of the range."""
        try:
            given = int(str(value))
        except ValueError:
            self.fail(_expected(self._range(), self.unit), param, ctx)
        return int(super().convert(given, param, ctx))

    def _range(self) -> str:
        if self.max is None:
            return _("a whole number from {least}", least=self.min)
        return _("a whole number from {least} to {most}", least=self.min, most=self.max)


class Number(click.FloatRange):
    """A number of some unit, whole or not; what is none is told what belongs there."""

    def __init__(self, unit: str, *, above_zero: bool = False) -> None:
        super().__init__(min=0, min_open=above_zero)
        self.unit = unit

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fail where it is none, or outside of the range."""
        try:
            given = float(str(value))
        except ValueError:
            number = _("a number above 0") if self.min_open else _("a number from 0")
            self.fail(_expected(number, self.unit), param, ctx)
        return float(super().convert(given, param, ctx))


class Money(AmountParameter):
    """An amount of money, zero or more, with a point or, as money is written in Russian, a comma."""

    name = "money"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount."""
        try:
            given = str(value).strip()
            found = Decimal(given.replace(",", ".") if _COMMA.fullmatch(given) else given)
        except InvalidOperation:
            self.fail(_("give a price, such as {example}", example="2.50"), param, ctx)
        if not found.is_finite() or found < 0:
            self.fail(_("a price is zero or more"), param, ctx)
        return found


class Moment(DateParameter):
    """An aware instant: an ISO date or time, or a duration from now, back (``past``) or ahead.

    With ``past`` ``None`` no duration is taken: the same words have to mean the same instant the next time.
    """

    name = "when"

    def __init__(self, *, past: bool | None) -> None:
        self.past = past

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant; without an offset it is this machine's time, a date alone is its midnight."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            span = None if self.past is None else span_of(text)
            if span is None:
                return datetime.fromisoformat(text).astimezone(UTC)
            return datetime.now(UTC) - span if self.past else datetime.now(UTC) + span
        except (ValueError, OverflowError, OSError):
            dates = "2026-01-31, 2026-01-31T09:00+03:00"
            if self.past is None:
                self.fail(_("give an ISO date or time ({dates})", dates=dates), param, ctx)
            self.fail(_("give an ISO date or time ({dates}) or a duration (24h, 7d)", dates=dates), param, ctx)


class Later(DateOrSpanParameter):
    """An aware instant as an ISO date or time, or how long from now as a ``timedelta``."""

    name = "when"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        """Return the instant or the span; what is too far away is refused."""
        if isinstance(value, timedelta):
            return value
        instant = Moment(past=False).convert(value, param, ctx)
        span = span_of(str(value))
        return instant if span is None else span


class WallClock(DateParameter):
    """A naive time: what the clock on the recipient's wall shows."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time, which may have no offset."""
        try:
            found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(_("give an ISO time such as {time}", time="2026-01-31T09:00"), param, ctx)
        if found.utcoffset() is not None:
            self.fail(
                _("it is the recipient's own clock, so it has no offset; an instant has an option of its own"),
                param,
                ctx,
            )
        return found


class Journals(click.Path):
    """A campaign's journal: a file's path, or the URL of a database as it is written."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | Path:
        """Return the URL, or the path."""
        from devinotify.outbox.location import is_database

        exposure.tell(ctx, str(value))
        return str(value) if is_database(value) else Path(str(super().convert(value, param, ctx)))


JOURNAL = Journals(dir_okay=False)


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete the names of files, where other things are taken as well."""
    return [CompletionItem(incomplete, type="file")]


def complete_channels(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the channels whose names begin so, a plugin's too."""
    from devinotify.plugins import make_plugin_manager

    return [CompletionItem(name) for name in make_plugin_manager().channels() if name.startswith(incomplete)]
