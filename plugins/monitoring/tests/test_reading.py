"""What each host gives, and the notice that it makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify_monitoring import PROFILES, Notice, read
from devinotify_monitoring.errors import SetupError
from devinotify_monitoring.reading import WORDS
from tests.support import NUMBER, OTHER

SERVICE = {
    "NOTIFICATIONTYPE": "PROBLEM",
    "HOSTNAME": "web1",
    "SERVICEDESC": "Disk",
    "HOSTSTATE": "UP",
    "SERVICESTATE": "CRITICAL",
    "HOSTOUTPUT": "rta 1 ms",
    "SERVICEOUTPUT": "/ is 95% full",
    "CONTACTPAGER": NUMBER,
    "HOSTNOTIFICATIONNUMBER": "0",
    "SERVICENOTIFICATIONNUMBER": "1",
    "LASTHOSTSTATECHANGE": "1764300000",
    "LASTSERVICESTATECHANGE": "1764370000",
    "TIMET": "1764370005",
}
HOST = {
    **{name: value for name, value in SERVICE.items() if not name.startswith("SERVICE")},
    "HOSTSTATE": "DOWN",
    "HOSTNOTIFICATIONNUMBER": "1",
}
ICINGA = {
    "NOTIFICATIONTYPE": "PROBLEM",
    "HOSTNAME": "web1.example.org",
    "HOSTDISPLAYNAME": "web1",
    "SERVICENAME": "disk",
    "SERVICEDISPLAYNAME": "Disk",
    "SERVICESTATE": "CRITICAL",
    "SERVICEOUTPUT": "/ is 95% full",
    "NOTIFICATIONNUMBER": "1",
    "LASTSTATECHANGE": "1764370000.5",
    "USERPAGER": NUMBER,
}


def notice_of(profile: str, values: dict[str, str], *arguments: str, **changed: str) -> Notice:
    """Return the notice of a host with these variables, some of them changed, and arguments."""
    prefix = PROFILES[profile].prefix
    return read(PROFILES[profile], arguments, {prefix + name: value for name, value in {**values, **changed}.items()})


@pytest.mark.parametrize(("profile", "values"), [("nagios", SERVICE), ("checkmk", SERVICE), ("icinga", ICINGA)])
def test_a_service(profile: str, values: dict[str, str]) -> None:
    """State, host and service make the headline, what the check said the detail."""
    found = notice_of(profile, values)
    assert ("CRITICAL web1/Disk", "/ is 95% full", (NUMBER,)) == (found.headline, found.detail, found.recipients)
    assert found.identity


@pytest.mark.parametrize("profile", ["nagios", "checkmk"])
@pytest.mark.parametrize("service", [None, "", "$SERVICEDESC$"])
def test_a_host(profile: str, service: str | None) -> None:
    """Where there is no service, by whatever way that is told, it is about the host."""
    found = notice_of(profile, HOST if service is None else {**HOST, "SERVICEDESC": service})
    assert ("DOWN web1", "rta 1 ms") == (found.headline, found.detail)


def test_arguments_of_nagios() -> None:
    """What is given as arguments comes before the environment, with the prefix or without."""
    arguments = ["NAGIOS_HOSTNAME=db1", "SERVICEDESC=", "HOSTSTATE=DOWN", "HOSTOUTPUT=a=b\nc"]
    found = notice_of("nagios", SERVICE, *arguments)
    assert ("DOWN db1", "a=b\nc") == (found.headline, found.detail)


def test_arguments_of_zabbix() -> None:
    """Its parameters are whom to send to, the subject and the message."""
    found = read(PROFILES["zabbix"], [f"{NUMBER}, {OTHER}", "Problem: high load", "Host: web1"], {})
    assert ("Problem: high load", "Host: web1", (NUMBER, OTHER)) == (found.headline, found.detail, found.recipients)
    assert () == found.identity


@pytest.mark.parametrize("subject", ["", "  "])
def test_zabbix_without_a_subject(subject: str) -> None:
    """The message is all there is then."""
    found = read(PROFILES["zabbix"], [NUMBER, subject, "high load"], {})
    assert ("high load", "") == (found.headline, found.detail)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_zabbix_with_a_key(ending: str) -> None:
    """The last line of the message tells the notification from others, and is not shown."""
    found = read(PROFILES["zabbix"], [NUMBER, "High load", f"on web1\r\nkey: 17.PROBLEM{ending}"], {})
    assert ("on web1", ("17.PROBLEM",)) == (found.detail, found.identity)


@pytest.mark.parametrize("message", ["key: 1\nbut not the last line", "the key: 1", "key:"])
def test_zabbix_without_a_key(message: str) -> None:
    """Only a last line of its own is one."""
    found = read(PROFILES["zabbix"], [NUMBER, "High load", message], {})
    assert (message, ()) == (found.detail, found.identity)


@pytest.mark.parametrize(("kind", "word"), list(WORDS.items()))
def test_each_type(kind: str, word: str) -> None:
    """What is no problem and no recovery says so before the state."""
    assert f"{word} CRITICAL web1/Disk".strip() == notice_of("nagios", SERVICE, NOTIFICATIONTYPE=kind).headline


def test_another_type() -> None:
    """A type that the table does not know is shown as it is."""
    found = notice_of("checkmk", SERVICE, NOTIFICATIONTYPE="ALERTHANDLER (OK)")
    assert "ALERTHANDLER (OK) CRITICAL web1/Disk" == found.headline


def test_a_comment() -> None:
    """Where somebody says something, that is told in place of what the check said; of a problem it is not."""
    said = {"NOTIFICATIONAUTHOR": "ann", "NOTIFICATIONCOMMENT": "on it"}
    assert "ann: on it" == notice_of("nagios", {**SERVICE, **said}, NOTIFICATIONTYPE="ACKNOWLEDGEMENT").detail
    assert "/ is 95% full" == notice_of("nagios", {**SERVICE, **said}).detail


@pytest.mark.parametrize(
    "name", ["NOTIFICATIONTYPE", "HOSTNAME", "SERVICEDESC", "SERVICENOTIFICATIONNUMBER", "LASTSERVICESTATECHANGE"]
)
def test_another_identity(name: str) -> None:
    """Each part of it makes another notification."""
    changed = {name: "RECOVERY" if name == "NOTIFICATIONTYPE" else "9"}
    assert notice_of("nagios", SERVICE).identity != notice_of("nagios", SERVICE, **changed).identity


def test_the_same_identity() -> None:
    """Another time of the call and another output are the same notification: the host repeats it."""
    again = notice_of("nagios", SERVICE, TIMET="1764370099", SERVICEOUTPUT="/ is 96% full")
    assert notice_of("nagios", SERVICE).identity == again.identity


def test_two_acknowledgements() -> None:
    """Hosts do not count them, so their time tells them apart."""
    first, second = (notice_of("nagios", SERVICE, NOTIFICATIONTYPE="CUSTOM", TIMET=time) for time in ("1", "2"))
    assert first.identity != second.identity
    assert () == notice_of("nagios", SERVICE, NOTIFICATIONTYPE="CUSTOM", TIMET="").identity


@pytest.mark.parametrize("missing", ["SERVICENOTIFICATIONNUMBER", "LASTSERVICESTATECHANGE"])
def test_no_identity(missing: str) -> None:
    """Where a part is missing, two notifications could be taken for one: there is none."""
    assert () == notice_of("nagios", SERVICE, **{missing: ""}).identity


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("nagios", "nagios: NAGIOS_HOSTNAME and NAGIOS_HOSTSTATE are not both set: set enable_environment_macros=1"),
        ("checkmk", "checkmk: NOTIFY_HOSTNAME and NOTIFY_HOSTSTATE are not both set: Checkmk gives them"),
        ("icinga", "icinga: HOSTDISPLAYNAME and HOSTSTATE are not both set: they are set by env of the"),
        ("zabbix", "zabbix: 0 arguments: the script takes three parameters"),
    ],
)
def test_nothing_given(profile: str, said: str) -> None:
    """It is said what is missing, and where each host has it."""
    with pytest.raises(SetupError) as error:
        read(PROFILES[profile], [], {})
    assert str(error.value).startswith(said)


@pytest.mark.parametrize("argument", ["hello", "hostname=web1", NUMBER])
def test_an_argument_that_is_none(argument: str) -> None:
    """It is told by its place: what stands there may be a number or a text."""
    with pytest.raises(SetupError) as error:
        notice_of("nagios", SERVICE, argument)
    assert "nagios: argument 1 is not NAME=VALUE" == str(error.value)


def test_too_many_arguments_of_zabbix() -> None:
    """A text without quotes is not cut down to its first word."""
    with pytest.raises(SetupError, match="4 arguments"):
        read(PROFILES["zabbix"], [NUMBER, "High", "load", "here"], {})


def test_repr_shows_nothing() -> None:
    """No number and no text stands in it."""
    assert "<Notice for 1>" == repr(notice_of("nagios", SERVICE))
    assert "<Notice for 1, told apart by its text>" == repr(read(PROFILES["zabbix"], [NUMBER, "a", "b"], {}))


@given(
    profile=st.sampled_from(["nagios", "checkmk", "icinga"]),
    data=st.data(),
    odd=st.sampled_from(["", " ", "\t\n"]) | st.text(st.characters(exclude_characters="$"), max_size=10),
)
def test_law_of_reading(profile: str, data: st.DataObject, odd: str) -> None:
    """Whatever some of the variables hold, a notice comes out, and without host or state what is missing is told."""
    fields = PROFILES[profile].fields
    names = sorted({name for names in fields.values() for name in names})
    needed = [name for field in ("host", "host_state", "service_state") for name in fields[field]]
    whole = ICINGA if profile == "icinga" else data.draw(st.sampled_from([HOST, SERVICE]))
    values = {**whole, **dict.fromkeys(data.draw(st.lists(st.sampled_from([*names, *needed]), max_size=3)), odd)}
    values |= dict.fromkeys(needed[: data.draw(st.integers(0, len(needed)))], odd)
    filled = {field for field in fields if any(values.get(name, "").strip() for name in fields[field])}
    if {"host", "service_state" if "service" in filled else "host_state"} <= filled:
        found = notice_of(profile, values)
        assert found.headline == found.headline.strip() != ""
        (recipient,) = fields["recipient"]
        assert bool(found.recipients) == any(not (each.isspace() or each in ",;") for each in values[recipient])
    else:
        with pytest.raises(SetupError, match="are not both set"):
            notice_of(profile, values)
