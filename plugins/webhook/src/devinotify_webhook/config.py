"""The configuration as values: what ``hooks.toml`` holds, checked. Pure.

Every key is a row of a table: what it expects, and how its value is read. A key that is not in it, and a value that
does not fit, is a ConfigError that names the place; a secret is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from devinotify import DevinotifyError, DevinoURL, is_loopback
from devinotify.translation import _, ngettext

from devinotify_webhook.errors import ConfigError

ANY = "*"
"""The receiver that takes every name which no other has: the only one where there is no file."""
REQUEST = "request"
"""In place of recipients: each request names its own."""
OPTION_TO = "--to"
"""Where the recipients are written if there is no file."""
TARGETS = "the targets of the URL"
"""Where they are written if neither names any."""

PORT = 9876
DEDUPE = 600.0
"""Seconds for which the same alerts are one message: above the group interval of Alertmanager and Grafana, which is
5 minutes unless it was changed, and below any repeat interval that a person could bear."""
BODY_LIMIT = 5 * 1024 * 1024
"""Bytes that a body may have: some thousand alerts with long annotations."""
TIMEOUT = 30.0
"""Seconds that a request has to arrive."""
MAX_SEGMENTS = 3
"""Segments of an alert's SMS at most, unless the receiver or the URL says otherwise."""
MOST_SEGMENTS = 12
"""Segments that a message can have: the gateway takes 2000 characters. A longer text is cut."""
MIN_TOKEN = 16
"""Characters that a token or a password has at least: it is all that stands between a network and a bill."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ByLabel:
    """Recipients by the value of an alert's label; ``default`` are those of any other value, and of none."""

    label: str
    table: Mapping[str, tuple[str, ...]] = field(repr=False)
    default: tuple[str, ...] = field(repr=False)

    def of(self, value: str | None) -> tuple[str, ...]:
        """Return the recipients of an alert whose label has this value."""
        return self.default if value is None else self.table.get(value, self.default)


@dataclass(frozen=True, slots=True)
class Receiver:
    """One name that can be posted to, and what becomes of what is posted.

    ``to`` is a tuple of numbers and aliases, a ``ByLabel``, or ``REQUEST``. ``dedupe`` is for how many seconds the same
    alerts are one message, ``deadline`` after how many a message is not sent any more, ``limit`` how many SMS an hour
    it may cause. ``quiet`` lets a plugin hold its messages back at night. ``fields`` are the names of a posted form's
    fields, by what they hold. ``source`` is where ``to`` was written, for what is said of it.
    """

    name: str
    to: tuple[str, ...] | ByLabel | str = field(repr=False)
    channel: str | None = None
    template: str | None = field(default=None, repr=False)
    max_segments: int | None = None
    send_resolved: bool = True
    dedupe: float | None = None
    quiet: bool = False
    deadline: float | None = None
    limit: int | None = None
    token: str | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sid: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    source: str = "to"

    @property
    def is_guarded(self) -> bool:
        """Whether it asks for a token, or a user and a password."""
        return self.token is not None or self.password is not None

    def told(self, people: int) -> str:
        """Return what it is, in one line without a number or a secret; ``people`` is how many its aliases come to."""
        if self.to == REQUEST:
            who = _("whom each request names")
        elif isinstance(self.to, ByLabel):
            who = _("whom the label {label} names", label=self.to.label)
        else:
            who = ngettext("{count} recipient", "{count} recipients", people)
        guard = _("a token") if self.token else _("a password") if self.password else _("nothing but this machine")
        channel = self.channel or _("the channel of the URL")
        return _(
            "{name}: to {who} on {channel}, guarded by {guard}", name=self.name, who=who, channel=channel, guard=guard
        )

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody that it may send to, as they are written; nobody where each request names its own."""
        if isinstance(self.to, ByLabel):
            return tuple(dict.fromkeys([*(one for some in self.to.table.values() for one in some), *self.to.default]))
        return () if isinstance(self.to, str) else self.to


@dataclass(frozen=True, slots=True)
class Config:
    """All that is set: the account, where it listens, and the receivers by name."""

    url: DevinoURL
    receivers: Mapping[str, Receiver]
    host: str = "127.0.0.1"
    port: int = PORT
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    body_limit: int = BODY_LIMIT
    timeout: float = TIMEOUT

    def receiver(self, name: str) -> Receiver | None:
        """Return the receiver of this name, or the one that takes every name; ``None`` where there is neither."""
        return self.receivers.get(name) or self.receivers.get(ANY)

    def of_sid(self, sid: str) -> Receiver | None:
        """Return the receiver whose account is called ``sid`` by programs that speak Twilio's API."""
        return next((one for one in self.receivers.values() if one.sid == sid), None) or self.receiver(sid)

    @property
    def is_local(self) -> bool:
        """Whether it listens on this machine alone."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of a table: how its value is read (ValueError where it does not fit), and what it should have been."""

    expects: str
    read: Callable[[Any], Any]
    secret: bool = False


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _secret(value: object) -> str:
    text = _text(value)
    if len(text) < MIN_TOKEN or not text.isascii() or not text.isprintable():
        raise ValueError
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _number(low: float, high: float, *, whole: bool) -> Callable[[Any], Any]:
    def read(value: object) -> float:
        kind = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise ValueError
        return value

    return read


def _recipients(value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, Sequence) or not found:
        raise ValueError
    return tuple(dict.fromkeys(part.strip() for one in found for part in _text(one).split(",") if part.strip()))


def _to(value: object) -> tuple[str, ...] | ByLabel | str:
    if value == REQUEST:
        return REQUEST
    if not isinstance(value, Mapping):
        return _recipients(value)
    if set(value) != {"label", "table", "default"} or not isinstance(value["table"], Mapping):
        raise ValueError
    table = {str(key): _recipients(some) for key, some in value["table"].items()}
    return ByLabel(_text(value["label"]), MappingProxyType(table), _recipients(value["default"]))


def _fields(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not set(value) <= {"text", "to", "title", "key"}:
        raise ValueError
    return MappingProxyType({key: _text(name) for key, name in value.items()})


def _listen(value: object) -> tuple[str, int]:
    host, colon, port = _text(value).rpartition(":")
    if not colon or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ValueError
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104 - it was asked for


_RECIPIENTS = "numbers or aliases: a text, or a list of them"
_TOKEN = _Key(f"{MIN_TOKEN} printable ASCII characters or more", _secret, secret=True)

RECEIVER: Mapping[str, _Key] = MappingProxyType(
    {
        "to": _Key(
            f'{_RECIPIENTS}; a table of label, table and default; or "{REQUEST}" where each request names its own', _to
        ),
        "channel": _Key("a channel's name such as sms or sms-viber", _text),
        "template": _Key("a Jinja template, not empty", _text),
        "max_segments": _Key(f"1 to {MOST_SEGMENTS} segments", _number(1, MOST_SEGMENTS, whole=True)),
        "send_resolved": _Key("true or false", _flag),
        "dedupe": _Key("seconds, 0 (never) to 86400", _number(0, 86400, whole=False)),
        "quiet": _Key("true or false", _flag),
        "deadline": _Key("seconds, 60 to 86400", _number(60, 86400, whole=False)),
        "limit": _Key("SMS an hour, 1 to 1000", _number(1, 1000, whole=True)),
        "token": _TOKEN,
        "user": _Key("a name without a colon", lambda value: _matching(value, r"[^:]+")),
        "password": _TOKEN,
        "sid": _Key("letters and digits", lambda value: _matching(value, r"[A-Za-z0-9]+")),
        "fields": _Key("a table with any of text, to, title and key", _fields),
    }
)
"""The keys of a receiver."""

TOP: Mapping[str, _Key] = MappingProxyType(
    {
        "url": _Key("the account: devino://LOGIN:PASSWORD@SENDER", _text, secret=True),
        "outbox": _Key("the path of a file, or a postgresql:// URL", _text, secret=True),
        "listen": _Key("HOST:PORT", _listen),
        "token": _TOKEN,
        "body_limit": _Key("bytes, 1024 to 100000000", _number(1024, 10**8, whole=True)),
        "timeout": _Key("seconds, 1 to 600", _number(1, 600, whole=False)),
        "aliases": _Key("a table: each name with its numbers or aliases", lambda value: _aliases(value)),
        "receivers": _Key("a table of receivers by name, at least one", lambda value: _tables(value)),
    }
)
"""The keys of the file itself."""


def _matching(value: object, pattern: str) -> str:
    text = _text(value)
    if re.fullmatch(pattern, text) is None:
        raise ValueError
    return text


def _aliases(value: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ValueError
    return MappingProxyType({str(name): _recipients(members) for name, members in value.items()})


def _tables(value: object) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping) or not value or not all(isinstance(one, Mapping) for one in value.values()):
        raise ValueError
    return value


def parse(document: Mapping[str, Any], url: str | None = None) -> Config:
    """Return the configuration in a TOML document; raise ConfigError that names what is wrong.

    ``url`` is the account where the document names none, as DEVINOTIFY_URL.
    """
    given = _read(document, TOP, "")
    if "receivers" not in given:
        raise ConfigError("receivers is missing: write a table [receivers.NAME] with its to")
    settings = _settings(given.get("url") or url, given.get("outbox"))
    receivers = {
        name: _receiver(name, table, default_to=settings.targets, default_token=given.get("token"))
        for name, table in given["receivers"].items()
    }
    sids = [one.sid for one in receivers.values() if one.sid is not None]
    if len(sids) > len(set(sids)):
        raise ConfigError("receivers: two of them have the same sid")
    host, port = given.get("listen", ("127.0.0.1", PORT))
    others = {key: given[key] for key in ("aliases", "body_limit", "timeout") if key in given}
    return checked(Config(settings, MappingProxyType(receivers), host, port, **others))


def parse_listen(value: str, place: str = "listen") -> tuple[str, int]:
    """Return the host and the port in ``HOST:PORT``; raise ConfigError, which names the place, for anything else."""
    host, port = _value(TOP["listen"], value, place)
    return host, port


def without_file(url: str | None, to: Sequence[str] = ()) -> Config:
    """Return the configuration where there is no file: whatever name is posted to, it goes to ``to``."""
    settings = _settings(url, None)
    recipients = _value(_Key(_RECIPIENTS, _recipients), list(to), OPTION_TO) if to else settings.targets
    if not recipients:
        raise ConfigError("there is nobody to send to: give --to, targets on the URL, or a file by --config")
    source = OPTION_TO if to else TARGETS
    return Config(settings, MappingProxyType({ANY: Receiver(ANY, recipients, source=source)}))


def checked(config: Config, place: str = "listen", *, file: bool = True) -> Config:
    """Return the configuration; raise ConfigError where it would let everybody in the network send.

    ``place`` is where the address was written, and ``file`` whether there is one that a token can go into.
    """
    open_ones = [one.name for one in config.receivers.values() if not one.is_guarded]
    if not config.is_local and open_ones:
        remedy = f"give one at the top, or to {', '.join(open_ones)}" if file else "give one in a file, by --config"
        raise ConfigError(f"{place}: an address that others reach needs a token: {remedy}")
    return config


def _settings(url: str | None, outbox: str | None) -> DevinoURL:
    if not url:
        raise ConfigError(
            "the account is missing: set DEVINOTIFY_URL, or url in the file, to devino://LOGIN:PASSWORD@SENDER"
        )
    try:
        settings = DevinoURL.parse(url)
        return settings if outbox is None else settings.with_options(outbox=outbox)
    except DevinotifyError as error:
        raise ConfigError(f"url: {error}") from None


def _receiver(
    name: str, table: Mapping[str, Any], *, default_to: tuple[str, ...], default_token: str | None
) -> Receiver:
    place = f"receivers.{name}"
    if name != ANY and _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{place}: a receiver's name is of letters, digits, . _ and -, at most 64, since it is part of a URL"
        )
    given = _read(table, RECEIVER, place)
    if ("user" in given) != ("password" in given):
        raise ConfigError(f"{place}: user and password go together")
    if "to" not in given:
        if not default_to:
            raise ConfigError(f'{place}.to is missing: give numbers, or "{REQUEST}" where each request names its own')
        given["to"], given["source"] = default_to, TARGETS
    if "token" not in given and "password" not in given and default_token is not None:
        given["token"] = default_token
    return Receiver(name, **{"source": f"{place}.to", **given})


def _read(table: Mapping[str, Any], keys: Mapping[str, _Key], place: str) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        where = f"{place}.{key}" if place else key
        if key not in keys:
            nearest = get_close_matches(key, keys, 1)
            meant = f"did you mean {nearest[0]}?" if nearest else f"the keys are {', '.join(keys)}"
            raise ConfigError(f"{where}: unknown key; {meant}")
        found[key] = _value(keys[key], value, where)
    return found


def _value(key: _Key, value: object, where: str) -> Any:  # noqa: ANN401 - each key has its own type
    try:
        return key.read(value)
    except ValueError:
        raise ConfigError(f"{where}: bad value; it should be {key.expects}") from None
