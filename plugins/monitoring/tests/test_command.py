"""``devinotify alert``: what it sends, what it says, and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from devinotify import Outbox, make_plugin_manager

from tests.support import NUMBER, OTHER, PATIENCE, Command, file_of, posts, run, until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.measured

ZABBIX = ("--", NUMBER, "Problem: disk of web1", "/ is 95% full\nkey: 17.PROBLEM")
CHECKMK = {
    # What Checkmk documents of a service notification; no Checkmk runs here.
    "NOTIFY_WHAT": "SERVICE",
    "NOTIFY_NOTIFICATIONTYPE": "PROBLEM",
    "NOTIFY_HOSTNAME": "web1",
    "NOTIFY_HOSTALIAS": "web1",
    "NOTIFY_HOSTADDRESS": "192.0.2.1",
    "NOTIFY_HOSTSTATE": "UP",
    "NOTIFY_HOSTOUTPUT": "Packet received via smart PING",
    "NOTIFY_HOSTNOTIFICATIONNUMBER": "1",
    "NOTIFY_LASTHOSTSTATECHANGE": "1764300000",
    "NOTIFY_SERVICEDESC": "Filesystem /",
    "NOTIFY_SERVICESTATE": "CRITICAL",
    "NOTIFY_SERVICEOUTPUT": "Used: 95% - 19 of 20 GiB (!!)",
    "NOTIFY_SERVICENOTIFICATIONNUMBER": "1",
    "NOTIFY_SERVICEPROBLEMID": "$SERVICEPROBLEMID$",
    "NOTIFY_LASTSERVICESTATECHANGE": "1764370000",
    "NOTIFY_NOTIFICATIONAUTHOR": "",
    "NOTIFY_NOTIFICATIONCOMMENT": "",
    "NOTIFY_CONTACTNAME": "oncall",
    "NOTIFY_CONTACTPAGER": NUMBER,
    "NOTIFY_MICROTIME": "1764370005000000",
    "NOTIFY_SHORTDATETIME": "2025-11-28 22:46:45",
    "NOTIFY_OMD_SITE": "prod",
}
NAGIOS = {name.replace("NOTIFY_", "NAGIOS_"): value for name, value in CHECKMK.items()}
ICINGA = {
    "NOTIFICATIONTYPE": "PROBLEM",
    "HOSTNAME": "web1",
    "SERVICENAME": "Filesystem /",
    "SERVICESTATE": "CRITICAL",
    "SERVICEOUTPUT": "95% used",
    "NOTIFICATIONNUMBER": "1",
    "LASTSTATECHANGE": "1764370000.1",
    "USERPAGER": NUMBER,
}
GIVEN: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "zabbix": (ZABBIX, {}),
    "checkmk": ((), CHECKMK),
    "nagios": ((), NAGIOS),
    "icinga": ((), ICINGA),
}
SECRETS = (NUMBER[2:], "95%", "web1", "demo:demo")


def texts(gateway: Sandbox) -> list[str]:
    """Return what has arrived."""
    return [each.text for each in gateway.messages()]


def states(folder: Path) -> list[str]:
    """Return the states of what is stored, in order."""
    with Outbox(folder / "alerts.db") as outbox:
        return [str(row.state) for row in outbox.rows()]


def test_it_is_a_plugin() -> None:
    """devinotify finds the command by its entry point."""
    (found,) = (one for one in make_plugin_manager().loaded() if one.name == "monitoring")
    assert ("devinotify_register_commands",) == found.hooks


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("zabbix", "Problem: disk of web1: / is 95% full"),
        ("checkmk", "CRITICAL web1/Filesystem /: Used: 95% - 19 of 20 GiB (!!)"),
    ],
)
def test_sends(profile: str, expected: str, command: Command, gateway: Sandbox) -> None:
    """Zabbix and Checkmk have it sent at once; run again, nothing is sent a second time."""
    arguments, environment = GIVEN[profile]
    for _ in range(2):
        done = command(profile, *arguments, **environment)
        assert (0, "the alert to +7916***4567 accepted\n", "") == (done.code, done.out, done.err)
    assert [(NUMBER, expected)] == [(each.recipient, each.text) for each in gateway.messages()]


@pytest.mark.parametrize("profile", ["nagios", "icinga"])
def test_stores(profile: str, command: Command, gateway: Sandbox, tmp_path: Path) -> None:
    """Nagios and Icinga have it stored, once, and a worker sends it."""
    _, environment = GIVEN[profile]
    first, second = (command(profile, **environment) for _ in range(2))
    assert (0, "the alert to +7916***4567 is stored for a worker\n", "") == (first.code, first.out, first.err)
    assert (0, "the alert to +7916***4567 was stored before\n", "") == (second.code, second.out, second.err)
    assert (["queued"], 0) == (states(tmp_path), posts(gateway))
    sent = command(profile, "--no-enqueue", **environment)
    assert (0, 1) == (sent.code, len(texts(gateway)))


def test_zabbix_may_store(command: Command, gateway: Sandbox, tmp_path: Path) -> None:
    """``--enqueue`` has any host's stored."""
    assert 0 == command("zabbix", "--enqueue", *ZABBIX).code
    assert (["queued"], 0) == (states(tmp_path), posts(gateway))


@pytest.mark.parametrize(("profile", "code"), [("zabbix", 0), ("checkmk", 2), ("nagios", 1), ("icinga", 1)])
def test_answer_lost(profile: str, code: int, command: Command, gateway: Sandbox) -> None:
    """What may have gone out is sent once, however often the command is run; the host is told not to."""
    gateway.add_fault("drop", number=NUMBER, accepts=True)
    arguments, environment = GIVEN[profile]
    for _ in range(3):
        done = command(profile, "--no-enqueue", *arguments, **environment)
        assert code == done.code
        assert "may or may not have been sent, and is not sent again" in done.out + done.err
    assert (1, 1) == (posts(gateway), len(texts(gateway)))


@pytest.mark.parametrize(("profile", "code"), [("zabbix", 1), ("checkmk", 2), ("nagios", 1), ("icinga", 1)])
def test_refused(profile: str, code: int, command: Command, gateway: Sandbox) -> None:
    """A refusal is told with its reason; where the host repeats it, the gateway is not asked again."""
    gateway.add_fault("error", number=NUMBER, code=2)
    arguments, environment = GIVEN[profile]
    for _ in range(2):
        done = command(profile, "--no-enqueue", *arguments, **environment)
        assert (code, "") == (done.code, done.out)
        assert "devinotify: the alert to +7916***4567 was refused: " in done.err
        assert [] == [secret for secret in SECRETS if secret in done.err]
    assert 1 == posts(gateway)


@pytest.mark.parametrize("profile", ["zabbix", "checkmk", "nagios", "icinga"])
def test_not_sent(profile: str, gateway: Sandbox, tmp_path: Path) -> None:
    """Where nothing listens it stays in the outbox, and a host that can try again is told to."""
    url = gateway.url.replace(str(gateway.port), "1")
    command = Command(file_of(f"{url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url"))
    arguments, environment = GIVEN[profile]
    done = command(profile, "--no-enqueue", *arguments, **environment)
    assert (1, "", ["queued"]) == (done.code, done.out, states(tmp_path))
    assert "was not sent yet, and stays in the outbox: " in done.err
    assert [] == [secret for secret in SECRETS if secret in done.err]


def test_wrong_password(gateway: Sandbox, tmp_path: Path) -> None:
    """It is told, and the alert is not lost: it goes out once the file is right."""
    wrong = gateway.url.replace("demo:demo", "demo:not-it", 1)
    command = Command(file_of(f"{wrong}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url"))
    done = command("zabbix", *ZABBIX)
    assert (1, ["queued"]) == (done.code, states(tmp_path))
    assert ("login" in done.err, "not-it" in done.err) == (True, False)
    file_of(f"{gateway.url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url")
    assert (0, 1) == (command("zabbix", *ZABBIX).code, len(texts(gateway)))


@pytest.mark.once
def test_killed_and_repeated(command: Command, gateway: Sandbox) -> None:
    """A command that the host kills while it waits for the answer, and runs again, has sent once."""
    gateway.add_fault("latency", number=NUMBER, seconds=60.0, times=1)
    arguments = ["alert", "--profile", "checkmk", "--url-file", str(command.url_file)]
    process = subprocess.Popen([sys.executable, "-m", "devinotify", *arguments], env={**os.environ, **CHECKMK})
    try:
        until(lambda: any(fault.hits for fault in gateway.faults()))
    finally:
        process.kill()
        process.wait(PATIENCE)
    done = command("checkmk", **CHECKMK)
    assert (2, True) == (done.code, "may or may not have been sent" in done.err)
    gateway.remove_fault()
    assert gateway.wait(lambda: len(texts(gateway)) == 1, PATIENCE)
    assert 1 == posts(gateway)


@pytest.mark.once
def test_at_the_same_time(command: Command, gateway: Sandbox) -> None:
    """Alerts of one host that come at once, two of them for the same notification, lose nothing and repeat nothing."""
    arguments = ["alert", "--profile", "checkmk", "--url-file", str(command.url_file)]
    services = ["CPU", "Disk", "Load", "Load"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "devinotify", *arguments], env={**os.environ, **CHECKMK, "NOTIFY_SERVICEDESC": name}
        )
        for name in services
    ]
    try:
        codes = [process.wait(PATIENCE) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait(PATIENCE)
    assert ["CPU", "Disk", "Load"] == sorted(text.split("/")[1].split(":")[0] for text in texts(gateway))
    # One may find its row being sent by another: that is unknown to it, and not tried again.
    assert {0, 2} >= set(codes)


def test_recipients(command: Command, gateway: Sandbox) -> None:
    """``--to`` comes before the host's own field, and a bad one costs the others nothing."""
    assert 0 == command("checkmk", "--to", OTHER, **CHECKMK).code
    assert [OTHER] == [each.recipient for each in gateway.messages()]
    done = command("checkmk", "--to", "12345", "--to", "8 903 123-45-69", **CHECKMK)
    assert (2, True, False) == (done.code, "was not sent: " in done.err, "12345" in done.err)
    assert {OTHER, "+79031234569"} == {each.recipient for each in gateway.messages()}


def test_targets_of_the_url(gateway: Sandbox, tmp_path: Path) -> None:
    """Where the host names nobody, the URL does."""
    url = gateway.url.replace("?", f"/{OTHER}?", 1) + f"&outbox={tmp_path / 'alerts.db'}"
    done = run("--profile", "checkmk", DEVINOTIFY_URL=url, **{**CHECKMK, "NOTIFY_CONTACTPAGER": ""})
    assert (0, [OTHER]) == (done.code, [each.recipient for each in gateway.messages()])


def test_key(command: Command, gateway: Sandbox) -> None:
    """A key of one's own makes two notifications one, for each recipient."""
    for subject in ("first", "second"):
        for number in (NUMBER, OTHER):
            assert 0 == command("zabbix", "--key", "incident-17", "--", number, subject, "").code
    assert [(NUMBER, "first"), (OTHER, "first")] == [(each.recipient, each.text) for each in gateway.messages()]


def test_a_text_alone(command: Command, gateway: Sandbox) -> None:
    """Where nothing tells notifications apart, the same text soon after is a repetition, and another one is not."""
    for message in ("on web1", "on web1", "on web2"):
        assert 0 == command("zabbix", "--", NUMBER, "High load", message).code
    assert ["High load: on web1", "High load: on web2"] == texts(gateway)


def test_length(command: Command, gateway: Sandbox) -> None:
    """One segment, unless somebody says otherwise."""
    for number, more in ((NUMBER, ()), (OTHER, ("--max-segments", "2"))):
        assert 0 == command("zabbix", *more, "--", number, "High load", "word " * 100).code
    assert [1, 2] == [each.segments for each in gateway.messages()]


def test_it_is_urgent(command: Command, tmp_path: Path) -> None:
    """Plugins are told not to hold it back at night."""
    assert 0 == command("nagios", **NAGIOS).code
    with Outbox(tmp_path / "alerts.db") as outbox:
        (row,) = outbox.rows()
        stored = outbox.message(row.message_id)
    assert stored is not None
    assert frozenset({"urgent"}) == stored.message.tags


@pytest.mark.parametrize(("given", "seconds"), [((), 86400), (("--deadline", "60"), 60)])
def test_it_is_sent_for_a_day_at_most(given: tuple[str, ...], seconds: int, command: Command, tmp_path: Path) -> None:
    """Counted from when it was stored, and shorter where somebody says so."""
    before = time.time()
    assert 0 == command("nagios", *given, **NAGIOS).code
    after = time.time()
    with Outbox(tmp_path / "alerts.db") as outbox:
        (row,) = outbox.rows()
    assert row.deadline is not None
    assert before <= row.deadline - seconds <= after


def test_what_is_too_old_is_told(command: Command, gateway: Sandbox, tmp_path: Path) -> None:
    """An alert whose deadline has passed is not sent, and whoever runs it again is told so."""
    assert 0 == command("nagios", "--deadline", "60", **NAGIOS).code
    with Outbox(tmp_path / "alerts.db", clock=lambda: time.time() + 3600) as outbox:
        assert outbox.claim() is None
    done = command("nagios", "--no-enqueue", **NAGIOS)
    assert (1, "", ["not_sent"], 0) == (done.code, done.out, states(tmp_path), posts(gateway))
    said = "devinotify: the alert to +7916***4567 was not sent: its deadline passed before it could be sent\n"
    assert said == done.err


def test_outbox(gateway: Sandbox, tmp_path: Path) -> None:
    """``--outbox`` comes before the URL's."""
    url, other = f"{gateway.url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "other.db"
    assert 0 == run("--profile", "nagios", "--outbox", str(other), DEVINOTIFY_URL=url, **NAGIOS).code
    assert (True, False) == (other.exists(), (tmp_path / "alerts.db").exists())


@pytest.mark.parametrize(
    ("profile", "arguments", "url", "said"),
    [
        (
            "zabbix",
            (),
            None,
            "there is no account: give --url-file, or set DEVINOTIFY_URL to devino://LOGIN:PASSWORD@SENDER",
        ),
        ("checkmk", ("--url-file", "nothing"), None, "--url-file: nothing: No such file or directory"),
        ("nagios", (), "devino://demo:s3cret@DEVINO?chanel=sms", "channel"),
        ("icinga", (), "http://demo:s3cret@example.org", "devino://"),
        (
            "zabbix",
            ("--channel", "smms"),
            "devino://demo:s3cret@DEVINO?gateway=http://127.0.0.1:1/rest",
            "did you mean sms?",
        ),
        (
            "checkmk",
            ("--outbox", "/dev/null/x"),
            "devino://demo:s3cret@DEVINO?gateway=http://127.0.0.1:1/rest",
            "/dev/null/x",
        ),
    ],
)
def test_mistakes(profile: str, arguments: tuple[str, ...], url: str | None, said: str, tmp_path: Path) -> None:
    """What is set up wrongly is one line on stderr and the exit code 2, and shows no secret."""
    fields, environment = GIVEN[profile]
    given = {"DEVINOTIFY_OUTBOX": str(tmp_path / "alerts.db"), **({} if url is None else {"DEVINOTIFY_URL": url})}
    done = run("--profile", profile, *arguments, *fields, **environment, **given)
    assert (2, "", True, 1) == (done.code, done.out, said in done.err, done.err.count("\n"))
    assert [] == [secret for secret in (*SECRETS, "s3cret") if secret in done.err]


def test_the_urls_file_of_the_environment(gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without DEVINOTIFY_URL it is the file that DEVINOTIFY_URL_FILE names; one that is not there is a mistake."""
    monkeypatch.delenv("DEVINOTIFY_URL")  # the gateway's, which its fixture has set
    file = file_of(f"{gateway.url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url")
    assert 0 == run("--profile", "zabbix", *ZABBIX, DEVINOTIFY_URL_FILE=str(file)).code
    assert 1 == len(gateway.messages())
    done = run("--profile", "zabbix", *ZABBIX, DEVINOTIFY_URL_FILE=str(tmp_path / "none"))
    assert (2, f"devinotify: DEVINOTIFY_URL_FILE: {tmp_path / 'none'}: No such file or directory\n") == (
        done.code,
        done.err,
    )


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("zabbix", "fill in Send to, in the media of the user"),
        ("checkmk", "fill in Pager address, of the user"),
        ("nagios", "fill in pager, of the contact"),
        ("icinga", "fill in pager, of the User"),
    ],
)
def test_nobody(profile: str, said: str, command: Command) -> None:
    """It is said which field of the host is empty."""
    fields, environment = GIVEN[profile]
    fields = ("--", " ", *fields[2:]) if fields else ()
    without = {name: value for name, value in environment.items() if "PAGER" not in name}
    done = command(profile, *fields, **without)
    assert (2, f"devinotify: there is nobody to send to: give --to, or {said}\n") == (done.code, done.err)


def test_an_outbox_that_is_away(gateway: Sandbox) -> None:
    """A database that may come back is worth another try, unlike a mistake."""
    url = f"{gateway.url}&outbox=postgresql://u:pw-secret@127.0.0.1:1/x"
    done = run("--profile", "checkmk", DEVINOTIFY_URL=url, **CHECKMK)
    assert (1, 0, False) == (done.code, posts(gateway), "pw-secret" in done.err)


def test_samples(tmp_path: Path) -> None:
    """They are written into a folder, programs as such, and nothing is overwritten."""
    first, second = (run("--samples", str(tmp_path / "samples")) for _ in range(2))
    written = [path for path in (tmp_path / "samples").rglob("*") if path.is_file()]
    assert (0, sorted(map(str, written))) == (first.code, sorted(first.out.splitlines()))
    assert {"devinotify", "devinotify.sh"} == {path.name for path in written if os.access(path, os.X_OK)}
    assert (2, True) == (second.code, "File exists" in second.err)


def test_loads_nothing_else() -> None:
    """Every devinotify process loads the plugin, and its help the command; none of them needs what sends."""
    code = (
        "import sys, click\nfrom devinotify_monitoring import hooks\n"
        "hooks.devinotify_register_commands(click.Group())\n"
        "print([name for name in ('requests', 'devinotify.notifier') if name in sys.modules])"
    )
    assert (
        "[]\n"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    )
