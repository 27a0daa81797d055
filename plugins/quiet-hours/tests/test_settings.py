"""The installed plugin's settings, and what a wrong one does."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from devinotify import Message, Notifier, Outcome, PluginError, Verdict, make_plugin_manager

from devinotify_quiet_hours import FromEnvironment, Night, QuietHours, plugin

EVENING = datetime(2026, 1, 15, 20, tzinfo=UTC)  # 23:00 in Moscow
URL = "devino://demo:demo@DEVINO/79161234567?channel=null"


def notify(environ: dict[str, str], **arguments: object) -> Outcome:
    """Return the outcome of a message at 23:00 in Moscow, on the channel that sends nothing."""
    plugins = make_plugin_manager(FromEnvironment(environ, QuietHours(clock=lambda: EVENING)), discover=False)
    with Notifier(URL, plugins=plugins) as notifier:
        (outcome,) = notifier.notify("Sale", **arguments)  # type: ignore[arg-type]  # the tests' own arguments
    return outcome


def settings(**environ: str) -> QuietHours | None:
    """Return the quiet hours of an environment with these DEVINOTIFY_QUIET_ variables."""
    return FromEnvironment({f"DEVINOTIFY_QUIET_{name}": value for name, value in environ.items()}).quiet_hours()


def test_defaults() -> None:
    """Without variables the night is 22:00 to 8:00."""
    hours = settings()
    assert hours is not None
    assert (Night(time(22), time(8)), {}, {}) == (hours.night, dict(hours.zones), dict(hours.channels))


def test_all_of_them() -> None:
    """Each variable sets its own, blanks do not count."""
    hours = settings(HOURS=" 23:30-07:15 ", ZONE="RU=Asia/Omsk, *=any,", CHANNELS=" viber = sms ")
    assert hours is not None
    assert (Night(time(23, 30), time(7, 15)), {"RU": "Asia/Omsk", "*": "any"}) == (hours.night, hours.zones)
    assert {"viber": "sms"} == hours.channels


def test_empty_is_absent() -> None:
    """An empty variable, as a compose file may leave it, is none."""
    hours = settings(HOURS="", ZONE=" ", CHANNELS="")
    assert hours is not None
    assert Night(time(22), time(8)) == hours.night


def test_off() -> None:
    """``off`` holds nothing back, in any case."""
    assert settings(HOURS="Off") is None


def test_what_is_written_later_counts() -> None:
    """A variable that changes while the process runs counts from then on: a wrong one is an error each time."""
    environ: dict[str, str] = {}
    installed = FromEnvironment(environ)
    found = []
    for written in ("23:00-07:00", "23:00-07:00", "at night", "off", "", "21:00-09:00"):
        environ["DEVINOTIFY_QUIET_HOURS"] = written
        try:
            hours = installed.quiet_hours()
        except PluginError:
            found.append("wrong")
        else:
            found.append("off" if hours is None else f"{hours.night.start:%H}-{hours.night.end:%H}")
    assert ["23-07", "23-07", "wrong", "off", "22-08", "21-09"] == found


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("HOURS", "22-8", "DEVINOTIFY_QUIET_HOURS: '22-8' is not a night: write it as 22:00-08:00"),
        ("ZONE", "Moscow", "DEVINOTIFY_QUIET_ZONE: 'Moscow' is not a pair: write it as name=value"),
        ("ZONE", "RU=", "DEVINOTIFY_QUIET_ZONE: 'RU=' is not a pair"),
        ("ZONE", "RU=Moscow", "DEVINOTIFY_QUIET_ZONE: 'Moscow' is not a time zone"),
        ("ZONE", "RU=any,RU=any", "DEVINOTIFY_QUIET_ZONE: 'RU' is given twice"),
        ("CHANNELS", "viber", "DEVINOTIFY_QUIET_CHANNELS: 'viber' is not a pair"),
    ],
)
def test_malformed(name: str, value: str, error: str) -> None:
    """An error names the variable and what is wrong with it."""
    with pytest.raises(PluginError, match=error) as caught:
        settings(**{name: value})
    assert ("quiet-hours", "devinotify_prepare_message") == (caught.value.plugin, caught.value.hook)


def test_malformed_sends_nothing() -> None:
    """A setting that cannot be understood sends no message, and the outcome says why."""
    outcome = notify({"DEVINOTIFY_QUIET_HOURS": "ten to eight"})
    assert Verdict.NOT_SENT is outcome.verdict
    assert "DEVINOTIFY_QUIET_HOURS: 'ten to eight' is not a night" in str(outcome.error)


def test_malformed_lets_urgent_pass() -> None:
    """What must not be held back is not held back by a typing error either."""
    assert Verdict.ACCEPTED is notify({"DEVINOTIFY_QUIET_HOURS": "ten to eight"}, tags=["urgent"]).verdict


def test_off_changes_nothing() -> None:
    """The messages of other plugins pass as they are."""
    switched_off = FromEnvironment({"DEVINOTIFY_QUIET_HOURS": "off"}).devinotify_prepare_message()
    next(switched_off)
    message = Message("Sale", ("+79161234567",))
    with pytest.raises(StopIteration) as stopped:
        switched_off.send([message])
    assert [message] == stopped.value.value


def test_installed() -> None:
    """The entry point brings the plugin into every manager, by the name that DEVINOTIFY_DISABLE_PLUGINS takes."""
    manager = make_plugin_manager()
    assert plugin is manager.get_plugin("quiet-hours")


def test_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """devinotify's own variable leaves it out."""
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", "quiet-hours")
    assert not make_plugin_manager().has_plugin("quiet-hours")


def test_reads_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed plugin's settings are those that the process has when the message comes."""
    monkeypatch.setenv("DEVINOTIFY_QUIET_HOURS", "01:00-02:00")
    hours = plugin.quiet_hours()
    assert hours is not None
    assert (Night(time(1), time(2)), "<quiet hours as the environment says>") == (hours.night, repr(plugin))
