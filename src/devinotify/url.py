"""The one URL that configures everything: ``devino://LOGIN:PASSWORD@SENDER/TO1/TO2?channel=sms``.

Login, password and sender are percent-encoded; targets are optional. A plus sign stands for itself
throughout, so that ``?to=+79161234567`` means what it says. Pure, but for a password that the URL leaves out, which is
looked for where credentials.py says, and for a URL that the environment or a profile gives.

More than 400 lines: each key is a row of one table, beside all that a URL may be refused for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from devinotify.credentials import find_password, find_url
from devinotify.durations import parse_duration
from devinotify.exceptions import InvalidInput, InvalidURL
from devinotify.gateway.codes import SMS_MAX_VALIDITY
from devinotify.hosts import ascii_form, is_base_url, is_loopback
from devinotify.limits import Limit, Prices, check_limits, parse_limits, write_limits
from devinotify.redact import Secret, hide
from devinotify.words import is_text, meant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCHEME = "devino"
DEFAULT_GATEWAY = "https://integrationapi.net/rest"
DEFAULT_REGION = "RU"
DEFAULT_TIMEOUT = 30.0
"""Seconds that one request may take from start to end."""
DEFAULT_PATIENCE = 300.0
"""Seconds that a fallback channel waits for the first one to deliver."""
DEFAULT_POLL = 5.0
"""Seconds between two looks at a message's state, to begin with."""
DEFAULT_LIMIT_ZONE = "UTC"
"""The time zone by whose clock the days and months of limits begin."""

ON_UNKNOWN = ("continue", "stop")

CHANNEL = r"[a-z][a-z0-9_-]*"
"""What the name of a channel matches as a whole."""
_CHANNEL = re.compile(CHANNEL)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_REGION = re.compile(r"[A-Z]{2}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNITS = ("", "ms", "s", "m", "min", "h")  # nothing here lasts for days
_BOOLEANS = {
    **dict.fromkeys(("yes", "true", "on", "1"), True),
    **dict.fromkeys(("no", "false", "off", "0"), False),
}
_PORTS = {"http": 80, "https": 443}
_PLAIN_HTTP = (
    "bad value for gateway: plain http:// to a host that is not loopback also needs insecure=yes, since login,"
    " password and texts can then be read on the way (for a sandbox in a network of containers)"
)


@dataclass(frozen=True, slots=True, repr=False)
class DevinoURL:
    """The settings that a ``devino://`` URL holds; its repr and str hide the password and the targets.

    ``validity`` is in minutes; ``timeout``, ``patience`` and ``poll`` are in seconds. ``gateway`` is the
    API's base URL without a slash at its end. ``ca`` and ``outbox`` are paths. ``insecure`` allows plain http
    to a host that is not loopback. ``limit`` holds what may be sent at most, in days and months of ``limit_zone``, and
    ``price`` what a segment costs, for limits on money. ``aliases`` makes those of the configuration files recipients.
    """

    login: str
    password: str
    sender: str
    targets: tuple[str, ...] = ()
    channel: str = "sms"
    region: str = DEFAULT_REGION
    validity: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    gateway: str = DEFAULT_GATEWAY
    ca: str | None = None
    insecure: bool = False
    transliterate: bool = False
    max_segments: int | None = None
    patience: float = DEFAULT_PATIENCE
    poll: float = DEFAULT_POLL
    on_unknown: str = "continue"
    outbox: str | None = None
    limit: tuple[Limit, ...] = ()
    limit_zone: str = DEFAULT_LIMIT_ZONE
    price: Prices | None = None
    aliases: bool = False

    def __post_init__(self) -> None:
        for name in ("login", "password", "sender"):
            value = getattr(self, name)
            if not value:
                raise _miswritten(f"the {name} is missing: write {SCHEME}://LOGIN:PASSWORD@SENDER/TO")
            if not is_text(value):
                raise InvalidURL(f"the {name} must be text that UTF-8 can carry")
        if self.password is not _ELSEWHERE:
            object.__setattr__(self, "password", Secret(self.password))
        if isinstance(self.targets, str) or not all(map(is_text, self.targets)):
            raise InvalidURL("the targets must be a tuple of texts, none of them empty")
        if isinstance(self.gateway, str):
            object.__setattr__(self, "gateway", ascii_form(self.gateway.rstrip("/")))  # with the slash or without
        for option in _OPTIONS.values():
            value = getattr(self, option.key)
            if value is not None or _DEFAULTS[option.key] is not None:
                option.check(value)
        try:
            check_limits(self.limit, self.price)
        except InvalidInput as error:
            raise InvalidURL(f"bad value for limit: {error}") from None
        if not (self.insecure or self.is_loopback or urlsplit(self.gateway).scheme == "https"):
            raise InvalidURL(_PLAIN_HTTP)

    @classmethod
    def parse(cls, url: str) -> DevinoURL:
        """Return the settings that ``url`` holds; raise InvalidURL that names what is wrong, never showing a secret.

        A password that the URL leaves out, as in ``devino://LOGIN@SENDER``, is that of the file that its
        ``password_file`` names, else of DEVINOTIFY_PASSWORD, else of the file that DEVINOTIFY_PASSWORD_FILE names, else
        what ``devinotify login`` has put away for the account.
        """
        return parse(url)

    @staticmethod
    def in_environment() -> str | None:
        """Return the URL that the environment gives, or ``None``: who calls this asks for it, nothing else reads it.

        It is that of DEVINOTIFY_URL, else the one in the file that DEVINOTIFY_URL_FILE names, else that of the profile
        that DEVINOTIFY_PROFILE names, else that of the ``default_profile`` of the configuration files. Raises
        InvalidURL, which names variable, file or profile, where one cannot be read or is wrong.
        """
        return find_url() or profile_url()

    @classmethod
    def from_profile(cls, name: str | None = None) -> DevinoURL:
        """Return the settings of a profile of the configuration files, whose aliases are recipients.

        Without ``name`` it is that of DEVINOTIFY_PROFILE, else the ``default_profile``. Raises InvalidURL, which names
        the file, where there is no such profile, or one is wrong.
        """
        url = profile_url(name)
        if url is None:
            raise InvalidURL("there is no profile: `devinotify login` makes one, and DEVINOTIFY_PROFILE names it")
        return parse(url)

    # For hosts that read the parts of a URL in their own way, and keys of their own beside ours.
    @staticmethod
    def split(url: str) -> tuple[str, str, str]:
        """Return ``LOGIN:PASSWORD@SENDER``, the path and the query as they were written; raise InvalidURL."""
        return split(url)

    @staticmethod
    def unknown_key(key: str, known: Sequence[str]) -> InvalidURL:
        """Return the error for a key that is not among the ``known``: with the nearest of them, or with all."""
        return unknown_key(key, known)

    def __str__(self) -> str:
        return f"{SCHEME}://{quote(self.login, safe='')}:***@{quote(self.sender, safe='')}/…"

    def __repr__(self) -> str:
        return f"DevinoURL('{self}')"

    @property
    def is_loopback(self) -> bool:
        """Whether the gateway is on this machine, so that plain HTTP is allowed and proxies are passed by."""
        return is_loopback(urlsplit(self.gateway).hostname or "")

    @property
    def account(self) -> str:
        """Whose messages these are: ``LOGIN@host[:port]/path``, the same however the gateway's URL is spelt.

        The login is percent-encoded; the host is in lower case, and the scheme's own port is left out.
        """
        parts = urlsplit(self.gateway)
        host = (parts.hostname or "").rstrip(".")
        host = f"[{host}]" if ":" in host else host
        port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
        return f"{quote(self.login, safe='')}@{host}{port}{parts.path}"

    def with_options(self, **changes: Any) -> DevinoURL:  # noqa: ANN401 - the field types are checked on construction
        """Return a copy with some settings changed; raise InvalidURL for a bad one."""
        return replace(self, **changes)

    def to_url(self) -> str:
        """Return the URL in full, password and targets included: for handing on, never for showing."""
        parts = (quote(part, safe="") for part in (self.login, self.password, self.sender))
        base = "{}://{}:{}@{}".format(SCHEME, *parts)
        path = "".join("/" + quote(target, safe="+") for target in self.targets)
        query = "&".join(
            f"{option.key}={quote(option.write(value), safe='/:+,')}"
            for option in _OPTIONS.values()
            if (value := getattr(self, option.key)) != _DEFAULTS[option.key]
        )
        return base + path + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class _Option:
    """One key of the query, which its setting is called by too: how its text is read, its value checked and written.

    One that may be ``repeated`` has a tuple as its value.
    """

    key: str
    expects: str
    read: Callable[[str], Any]
    accepts: Callable[[Any], bool]
    write: Callable[[Any], str] = str
    repeated: bool = False

    def parse(self, text: str) -> Any:  # noqa: ANN401 - each option has its own type
        try:
            return self.read(text)
        except InvalidInput as error:
            raise InvalidURL(f"bad value for {self.key}: {error}") from None
        except (KeyError, ValueError, OverflowError):
            raise self.error() from None

    def check(self, value: object) -> None:
        if not self.accepts(value):
            raise self.error()

    def error(self) -> InvalidURL:
        return InvalidURL(f"bad value for {self.key}: {self.expects}")


def duration(text: str) -> float:
    """Return the seconds in ``"90"``, ``"90s"``, ``"5m"`` or ``"1h"``; raise ValueError for anything else."""
    return parse_duration(text, _UNITS)


def _boolean(text: str) -> bool:
    return _BOOLEANS[text.strip().lower()]


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_path(value: object) -> bool:
    return isinstance(value, str) and is_text(value) and "\0" not in value


def _seconds(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _switch(key: str) -> _Option:
    return _Option(key, "yes or no", _boolean, lambda value: isinstance(value, bool), _yes_no)


_DAY = 24 * 3600.0

_OPTIONS = {
    option.key: option
    for option in (
        _Option(
            "channel",
            "a channel's name such as sms, viber, sms-viber, viber-sms or null",
            str.lower,
            lambda value: isinstance(value, str) and _CHANNEL.fullmatch(value) is not None,
        ),
        _Option(
            "region",
            "a country of two letters such as RU",
            str.upper,
            lambda value: isinstance(value, str) and _REGION.fullmatch(value) is not None,
        ),
        _Option("validity", f"minutes, 0 to {SMS_MAX_VALIDITY}", int, _whole(0, SMS_MAX_VALIDITY)),
        _Option("timeout", "seconds, above 0 and at most 600", duration, _between(0.001, 600.0), _seconds),
        _Option(
            "gateway",
            "an https:// base URL without credentials or query (plain http:// is for loopback, or with insecure=yes)",
            str.strip,
            is_base_url,
        ),
        _Option("ca", "the path of a file or folder of CA certificates", str, _is_path),
        _switch("insecure"),
        _switch("transliterate"),
        _Option("max_segments", "a number of segments, 1 or more", int, _whole(1, 1000)),
        _Option("patience", "a duration such as 300, 90s or 5m", duration, _between(0.0, 2 * _DAY), _seconds),
        _Option("poll", "a duration such as 5 or 500ms", duration, _between(0.001, _DAY), _seconds),
        _Option("on_unknown", f"one of {', '.join(ON_UNKNOWN)}", str.lower, lambda value: value in ON_UNKNOWN),
        _Option("outbox", "the path of a file or a postgresql:// URL", str, _is_path),
        _Option(
            "limit",
            "limits such as 1000segments/day",
            parse_limits,
            lambda value: isinstance(value, tuple) and all(isinstance(each, Limit) for each in value),
            write_limits,
            repeated=True,
        ),
        _Option(
            "limit_zone",
            "a time zone such as Europe/Moscow",
            str.strip,
            lambda value: isinstance(value, str) and _ZONE.fullmatch(value) is not None,
        ),
        _Option("price", "a price such as 2.50", Prices.parse, lambda value: isinstance(value, Prices)),
        _switch("aliases"),
    )
}
_DEFAULTS = {item.name: item.default for item in fields(DevinoURL)}

_ELSEWHERE = Secret("***")
"""Stands for a password that the URL leaves out, until the rest is known: it may be the account's own."""
NO_PASSWORD = (
    f"the password is missing: write {SCHEME}://LOGIN:PASSWORD@SENDER/TO, set DEVINOTIFY_PASSWORD, name a file that"
    " holds it by password_file= or DEVINOTIFY_PASSWORD_FILE, or store it with `devinotify login`"
)
_WRITE = "`devinotify url` writes one from its parts."
_NO_CREDENTIALS = f"the login and password are missing: write {SCHEME}://LOGIN:PASSWORD@SENDER/TO"

OPTION_NAMES = (*_OPTIONS, "password_file", "to", "from")
"""The keys that the query may hold."""


class Reading(NamedTuple):
    """The settings that a URL holds, and where its password was, in words."""

    settings: DevinoURL
    password_place: str


def _miswritten(reason: str) -> InvalidURL:
    """Return the error for a URL that has a part missing, or one that is not written as it has to be."""
    error = InvalidURL(reason)
    error.hint = _WRITE
    return error


def parse(url: str) -> DevinoURL:
    """Return the settings that ``url`` holds; raise InvalidURL that names what is wrong, never showing a secret."""
    url = hide(url)
    return read(url).settings


def read(url: str) -> Reading:
    """Return what ``parse`` does, with the place of the password; raise InvalidURL as it does."""
    url = hide(url)
    try:
        return _read(url)
    except InvalidURL as error:
        refusal = error
    # Without its traceback: the frames of the reading hold the password.
    raise refusal.with_traceback(None)


def profile_url(name: str | None = None) -> str | None:
    """Return the URL of a profile, whose password may be elsewhere; ``None`` where none is named, and none the default.

    Raises InvalidURL, which names the profile, where the URL would not be read.
    """
    from devinotify.config.profiles import find_profile  # files: not what every start pays for

    profile = find_profile(OPTION_NAMES, name)
    if profile is None:
        return None
    url = profile.url()
    try:
        outline(url)
    except InvalidURL as error:
        refusal = str(error)
    else:
        return url
    raise InvalidURL(f"the profile {profile.name}: {refusal}")


def outline(url: str) -> DevinoURL:
    """Return what ``parse`` does, with ``***`` for a password that the URL leaves out, which is not looked for."""
    url = hide(url)
    try:
        return _settings(url)[0]
    except InvalidURL as error:
        refusal = error
    raise refusal.with_traceback(None)


def _read(url: str) -> Reading:
    settings, password_file = _settings(url)
    if settings.password is not _ELSEWHERE:
        return Reading(settings, "on the URL")
    found = find_password(password_file, settings.account)
    if found is None:
        raise InvalidURL(NO_PASSWORD)
    return Reading(settings.with_options(password=found.password), found.place)


def _settings(url: str) -> tuple[DevinoURL, str | None]:
    """Return what the URL holds, with ``_ELSEWHERE`` for a password that it leaves out, and the file that has it."""
    authority, path, query = split(url)
    if "@" not in authority:  # said first: what follows would be read from the middle of a password
        raise _miswritten(_NO_CREDENTIALS)
    values, targets, instead = _parse_query(query)
    login, password, sender = _parse_authority(authority, has_override="from" in instead)
    path_targets = [_decode(part, "a target") for part in path.split("/") if part]
    if password is not None and "password_file" in instead:
        raise InvalidURL("password_file is given beside a password: leave one of them out")
    settings = DevinoURL(
        login=login,
        password=_ELSEWHERE if password is None else password,
        sender=instead.get("from", sender),
        targets=(*path_targets, *targets),
        **values,
    )
    return settings, instead.get("password_file")


def written(settings: DevinoURL, key: str) -> str:
    """Return the value of a key of the query as a URL has it; nothing where there is none."""
    option = _OPTIONS[key]
    value = getattr(settings, option.key)
    return "" if value is None else option.write(value)


def split(url: str) -> tuple[str, str, str]:
    """Return ``LOGIN:PASSWORD@SENDER``, the path and the query as they were written.

    Raises InvalidURL for what is not a ``devino://`` URL, and where a login or password holds one of ``@ # / ?`` as it
    is: it names the character and how to write it. Without any ``@`` there are no credentials to judge.
    """
    if not isinstance(url, str):
        raise InvalidURL("the URL must be text")
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.lower() != SCHEME:
        raise _miswritten(f"the URL must begin with {SCHEME}://")
    rest, _, fragment = rest.partition("#")
    if fragment:
        raise _miswritten("the URL has a fragment: write # as %23")
    head, question, query = rest.partition("?")
    authority, slash, path = head.partition("/")
    if "@" in authority.rpartition("@")[0]:
        raise _miswritten("there is more than one @ before the sender: write @ in a login or password as %40")
    if "@" in authority and "@" in path:
        raise _miswritten(
            "there is an @ behind a /: write @ as %40 wherever it is not the one before the sender, and / as %2F"
        )
    if "@" not in authority and "@" in path + query:
        sign = slash or question
        raise _miswritten(
            f"{_NO_CREDENTIALS}; or there is a {sign} in them, which is written as {quote(sign, safe='')}"
        )
    return authority, path, query


def _parse_authority(authority: str, *, has_override: bool) -> tuple[str, str | None, str]:
    credentials, _, sender = authority.rpartition("@")
    login, colon, password = credentials.partition(":")
    if not sender and not has_override:
        raise _miswritten(f"the sender is missing: write {SCHEME}://LOGIN:PASSWORD@SENDER/TO")
    decoded = _decode(password, "the password") if colon else None
    return _decode(login, "the login"), decoded, _decode(sender, "the sender")


_INSTEAD = {
    "from": "give the name or number of a sender",
    "password_file": "give the path of a file that holds the password alone",
}
"""Keys that stand for what the URL leaves out before its path, and what they expect."""


def _parse_query(query: str) -> tuple[dict[str, Any], list[str], dict[str, str]]:
    values: dict[str, Any] = {}
    targets: list[str] = []
    instead: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        raw_key, _, raw_value = item.partition("=")
        key = _decode(raw_key, "a key of the query").lower()
        if key not in OPTION_NAMES:
            raise unknown_key(key, OPTION_NAMES) if "@" not in query else _strange_query()
        value = _decode(raw_value, key)
        if key == "to":
            targets += [part.strip() for part in value.split(",") if part.strip()]
        elif key in _OPTIONS and _OPTIONS[key].repeated:
            values[key] = (*values.get(key, ()), *_OPTIONS[key].parse(value))
        elif key in values or key in instead:
            raise InvalidURL(f"{key} is given twice")
        elif key in _INSTEAD:
            if not value:
                raise InvalidURL(f"bad value for {key}: {_INSTEAD[key]}")
            instead[key] = value
        else:
            values[key] = _OPTIONS[key].parse(value)
    return values, targets, instead


def _decode(text: str, what: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise _miswritten(f"{what} holds a bad percent escape: write % as %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _miswritten(f"{what} is not percent-encoded UTF-8") from None


def _strange_query() -> InvalidURL:
    """Return the error for a query with an unknown key and an @: it may begin with the rest of a password."""
    shown_keys = unknown_key("", OPTION_NAMES)
    return _miswritten(f"{shown_keys}; or there is a ? or an @ in the login or password: write @ as %40 and ? as %3F")


def is_word(key: str) -> bool:
    """Whether a key may be shown: it may be the rest of a password with a stray ? in it, so that only a word is."""
    return re.fullmatch(r"[a-z_]{1,20}", key) is not None


def unknown_key(key: str, known: Sequence[str]) -> InvalidURL:
    """Return the error for a key that is not among the ``known``: with the nearest of them, or with all."""
    if not is_word(key):
        return InvalidURL(f"unknown key (not shown): the keys are {', '.join(known)}")
    return InvalidURL(f"unknown key {key!r}: {meant(key, known) or 'the keys are ' + ', '.join(known)}")
