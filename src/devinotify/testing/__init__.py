"""The pytest plugin: a sandbox gateway as a fixture, assertions on what arrived there, and ``HostSuite``.

Installed with ``devinotify[sandbox]``, and loaded by pytest on its own:

>>> def test_reminder(devino_url, devino_inbox):
...     remind("+79161234567", url=devino_url)
...     devino_inbox.assert_sent(to="+79161234567", text="See you at 9")

========================  ==============================================================================
fixture                   gives
========================  ==============================================================================
``devino_sandbox``        a real gateway on a free loopback port, as if it had just been started
``devino_url``            its ``devino://`` URL, for Client, Notifier, logging, Django and the rest
``devino_client``         a ``Client`` of it
``devino_inbox``          what arrived there, with assertions
``devino_sandbox_options``  override it (scope ``session``) to return what ``Sandbox(…)`` is to be made with
========================  ==============================================================================

A test that uses one of them has the gateway as its account wherever a program looks for one: DEVINOTIFY_URL is the
gateway's, the other variables that name an account or a password are unset, and DEVINOTIFY_CONFIG names an empty file.
``devino_environment = false`` in pytest's configuration leaves the environment as it is.

One gateway runs for the whole session, one for each worker under xdist. Failure messages show numbers and
texts: that is what they are for. ``HostSuite`` is a base class of tests for whoever embeds devinotify in a framework.
"""

from __future__ import annotations

import pytest

from devinotify.words import counted

# Type checkers know this name; a test session that uses none of this pays for no import but pytest's.
TYPE_CHECKING = False

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from devinotify.gateway.client import Client
    from devinotify.sandbox import Sandbox
    from devinotify.sandbox.views import Arrived
    from devinotify.testing.hosts import HostSuite, Told

__all__ = ["HostSuite", "Inbox", "Told"]

WAIT = 5.0
"""Seconds that ``wait_for`` waits at most, unless told otherwise."""

_SHOWN = 20
"""Messages that a failure shows: the last ones."""


_ENVIRONMENT = "devino_environment"
"""The option that leaves the environment to the tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that leaves the environment as it is."""
    told = "set DEVINOTIFY_URL to the sandbox's for the tests that use its fixtures, and hide other accounts from them"
    parser.addini(_ENVIRONMENT, told, type="bool", default=True)


@pytest.fixture(scope="session")
def devino_sandbox_options() -> Mapping[str, Any]:
    """Give the arguments that the session's Sandbox is made with; override it to change them."""
    return {}


@pytest.fixture(scope="session")
def _devino_server(devino_sandbox_options: Mapping[str, Any]) -> Iterator[Sandbox]:
    from devinotify.sandbox import Sandbox

    with Sandbox(**devino_sandbox_options) as running:
        yield running


@pytest.fixture(scope="session")
def _devino_no_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a configuration file that has no profile."""
    path = tmp_path_factory.mktemp("devinotify") / "config.toml"
    path.touch()
    return path


@pytest.fixture
def _devino_environment(request: pytest.FixtureRequest, _devino_server: Sandbox) -> None:
    """Have a program that looks for its account find the gateway, and no account that costs money.

    By pytest's own ``monkeypatch``, whose one stack puts back what the test has set itself in the right order.
    """
    if not request.config.getini(_ENVIRONMENT):
        return
    from devinotify import credentials
    from devinotify.config import places, profiles

    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv(credentials.URL, _devino_server.url)
    for name in (credentials.URL_FILE, credentials.PASSWORD, credentials.PASSWORD_FILE, profiles.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(places.VARIABLE, str(request.getfixturevalue("_devino_no_config")))


@pytest.fixture
def devino_sandbox(_devino_server: Sandbox, _devino_environment: None) -> Iterator[Sandbox]:
    """Give a gateway that behaves like the real one, on a free loopback port, as if it had just been started."""
    _devino_server.reset()
    yield _devino_server
    _devino_server.reset()


@pytest.fixture
def devino_url(devino_sandbox: Sandbox) -> str:
    """Give the gateway's ``devino://`` URL."""
    return devino_sandbox.url


@pytest.fixture
def devino_client(devino_url: str) -> Iterator[Client]:
    """Give a Client of the gateway, closed after the test."""
    from devinotify.gateway.client import Client

    with Client(devino_url) as client:
        yield client


@pytest.fixture
def devino_inbox(devino_sandbox: Sandbox) -> Inbox:
    """Give what arrived at the gateway, with assertions."""
    return Inbox(devino_sandbox)


@pytest.fixture(scope="session")
def _devino_host_gateway() -> Iterator[Sandbox]:
    """Give the gateway of ``HostSuite``: with a password that nothing else is called by."""
    from devinotify.sandbox import Sandbox
    from devinotify.testing.hosts import PASSWORD

    with Sandbox(login="host", password=PASSWORD) as running:
        yield running


def __getattr__(name: str) -> Any:  # noqa: ANN401 - given above to type checkers
    # On first use: a test session that uses none of it pays nothing.
    if name in __all__:
        from devinotify.testing import hosts

        return getattr(hosts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Inbox:
    """What arrived at a sandbox, with assertions whose failures show what did.

    Where a message is looked for: ``to`` is a number in any form, ``text`` the whole text or a compiled
    pattern that is searched in it, ``sender``, ``channel`` (``"sms"``, ``"viber"``) and ``status`` (a
    ``DeliveryStatus``) are equal. What is not given fits every message.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __repr__(self) -> str:
        return f"<Inbox of {self._sandbox!r}, {len(self)} messages>"

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[Arrived]:
        return iter(self.messages)

    @property
    def messages(self) -> list[Arrived]:
        """What arrived, in order of arrival."""
        return self._sandbox.messages()

    def matching(
        self,
        *,
        to: str | None = None,
        text: str | re.Pattern[str] | None = None,
        sender: str | None = None,
        channel: str | None = None,
        status: str | None = None,
    ) -> list[Arrived]:
        """Return the messages that fit, in order of arrival."""
        wanted = _tests(to=to, text=text, sender=sender, channel=channel, status=status)
        return [message for message in self.messages if not _misfits(message, wanted)]

    def assert_sent(
        self,
        *,
        to: str | None = None,
        text: str | re.Pattern[str] | None = None,
        sender: str | None = None,
        channel: str | None = None,
        status: str | None = None,
        count: int | None = None,
    ) -> Arrived:
        """Pass where a message that fits arrived (``count``: exactly so many did), and return the first of them."""
        __tracebackhide__ = True
        wanted = _tests(to=to, text=text, sender=sender, channel=channel, status=status)
        messages = self.messages
        found = [message for message in messages if not _misfits(message, wanted)]
        if found and count in (None, len(found)):
            return found[0]
        expected = "a message" if count is None else counted(count, "message")
        but = f"{len(found)} did" if found else "none did"
        raise AssertionError(f"expected {expected}{_described(wanted)}, but {but}.\n{_listed(messages, wanted)}")

    def assert_nothing_sent(
        self,
        *,
        to: str | None = None,
        text: str | re.Pattern[str] | None = None,
        sender: str | None = None,
        channel: str | None = None,
    ) -> None:
        """Pass where no message arrived, or none that fits."""
        __tracebackhide__ = True
        wanted = _tests(to=to, text=text, sender=sender, channel=channel)
        found = [message for message in self.messages if not _misfits(message, wanted)]
        if found:
            raise AssertionError(f"expected no message{_described(wanted)}.\n{_listed(found, {})}")

    def assert_segments(
        self,
        segments: int,
        *,
        to: str | None = None,
        text: str | re.Pattern[str] | None = None,
        sender: str | None = None,
    ) -> None:
        """Pass where an SMS that fits arrived, and each that did took so many segments."""
        __tracebackhide__ = True
        self.assert_sent(to=to, text=text, sender=sender, channel="sms")
        found = self.matching(to=to, text=text, sender=sender, channel="sms")
        wrong = [message for message in found if message.segments != segments]
        if wrong:
            reasons = "\n".join(_measured(message) for message in wrong[-_SHOWN:])
            raise AssertionError(f"expected {counted(segments, 'segment')}.\n{reasons}")

    def wait_for(
        self,
        *,
        to: str | None = None,
        text: str | re.Pattern[str] | None = None,
        sender: str | None = None,
        channel: str | None = None,
        status: str | None = None,
        count: int = 1,
        timeout: float = WAIT,
    ) -> Arrived:
        """Wait until at least ``count`` messages that fit have arrived, and return the first of them.

        ``timeout`` is in seconds of real time; a status that the sandbox's clock brings is waited for as well.
        """
        __tracebackhide__ = True
        wanted = _tests(to=to, text=text, sender=sender, channel=channel, status=status)

        def fitting() -> list[Arrived]:
            return [message for message in self.messages if not _misfits(message, wanted)]

        if self._sandbox.wait(lambda: len(fitting()) >= count, timeout):
            return fitting()[0]
        expected = "a message" if count == 1 else f"{count} messages"
        raise AssertionError(
            f"waited {timeout:g} s for {expected}{_described(wanted)}, but {len(fitting()) or 'none'} arrived.\n"
            f"{_listed(self.messages, wanted)}"
        )


class _Wanted:
    """One thing that is asked of a message: what was given, and whether a message's own fits."""

    def __init__(self, given: object, fits: Callable[[Any], bool]) -> None:
        self.given = given
        self.fits = fits


def _tests(**given: object) -> dict[str, _Wanted]:
    """Return what is asked of a message, by the name of its attribute."""
    names = {"to": "recipient"}
    return {
        names.get(name, name): _Wanted(value, _fits(name, value)) for name, value in given.items() if value is not None
    }


def _fits(name: str, value: Any) -> Callable[[Any], bool]:  # noqa: ANN401 - a number, a text or a pattern
    if name == "to":
        from devinotify import phones

        # Raises for what is not a number: such an assertion could never hold.
        wanted = phones.normalize(value, "RU").e164
        return lambda own: bool(own == wanted)
    if hasattr(value, "search"):
        return lambda own: value.search(own) is not None
    return lambda own: bool(own == value)


def _misfits(message: Arrived, wanted: Mapping[str, _Wanted]) -> list[str]:
    return [name for name, test in wanted.items() if not test.fits(getattr(message, name))]


_WORDS = {"recipient": "to", "text": "with text", "sender": "from", "channel": "by", "status": "that is"}


def _described(wanted: Mapping[str, _Wanted]) -> str:
    if not wanted:
        return ""
    words = []
    for name, test in wanted.items():
        pattern = getattr(test.given, "pattern", None)
        shown = f"matching {pattern!r}" if pattern is not None else repr(test.given)
        words.append(f"{_WORDS[name]} {shown}")
    return " " + " ".join(words)


def _listed(messages: list[Arrived], wanted: Mapping[str, _Wanted]) -> str:
    """Return the messages, a line each, with what keeps each from fitting."""
    if not messages:
        return "Nothing has arrived at all."
    lines = [f"{counted(len(messages), 'message')} arrived:"]
    if len(messages) > _SHOWN:
        lines.append(f"  … {len(messages) - _SHOWN} earlier ones")
    for message in messages[-_SHOWN:]:
        misfits = [_WORDS[name].removeprefix("with ") for name in _misfits(message, wanted)]
        differs = f"   <- differs in: {', '.join(misfits)}" if misfits else ""
        lines.append(
            f"  {message.number}. {message.channel:5} {message.sender} -> {message.recipient}  {message.status},"
            f" {counted(message.segments, 'segment')}  {message.text!r}{differs}"
        )
    return "\n".join(lines)


def _measured(message: Arrived) -> str:
    """Return how a message's text goes out, and what forces it into UCS-2."""
    from devinotify import text

    measured = text.segment(message.text)
    blockers = ", ".join(
        f"{blocker.character!r} ({blocker.name}) at {blocker.position}" for blocker in measured.blockers[:5]
    )
    more = f" and {len(measured.blockers) - 5} more" if len(measured.blockers) > 5 else ""
    forced = f"; forced by {blockers}{more}" if blockers else ""
    return (
        f"  {message.number}. to {message.recipient} took {message.segments}: {measured.encoding},"
        f" {measured.units} units, {measured.remaining} left{forced}\n     {message.text!r}"
    )
