"""The client's own checks and settings: what is refused before anything is sent, and what its repr shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devinotify import Client, exceptions
from devinotify.gateway.client import BULK_LIMIT
from tests.tables import table

URL = "devino://demo:s3cret-pass@TEST?gateway=http://127.0.0.1:9/rest&region=KZ&validity=7"


@pytest.fixture
def client() -> Client:
    """Give a client of a port where nothing answers: a test that sends would fail."""
    return Client(URL)


@table(
    "given, missing",
    [
        ({}, "login and password and sender"),
        ({"login": "a", "sender": "b"}, "password"),
        ({"login": "a"}, "password and sender"),
    ],
)
def test_missing_credentials_are_named(given: dict[str, str], missing: str) -> None:
    """Without a URL, each missing credential is named."""
    with pytest.raises(exceptions.InvalidURL, match=rf"{missing}.*; DEVINOTIFY_URL is not read here"):
        Client(**given)  # type: ignore[arg-type]  # only texts are given


def test_keywords_come_before_the_url() -> None:
    """A setting given by keyword wins over the URL's, and the rest of the URL stays."""
    client = Client(URL, sender="OTHER", gateway="http://localhost:9/api/")
    assert ("OTHER", "http://localhost:9/api", "KZ", 7) == (
        client.url.sender,
        client.url.gateway,
        client.url.region,
        client.url.validity,
    )


def test_reprs_hide_the_password(client: Client) -> None:
    """Neither the client nor its resources show the password."""
    shown = [
        repr(client),
        repr(client.user),
        repr(client.sms),
        repr(client.viber),
        repr(client._transport),
        repr(client._session),
    ]
    assert [] == [one for one in shown if "s3cret" in one]
    assert "<Sms of <Client devino://demo:***@TEST/…>>" == shown[2]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (["+79161234567"], "list"),
        (("+79161234567",), "tuple"),
        ({"+79161234567": 1}, "dict"),
        (b"+79161234567", "bytes"),
        (7.5, "float"),
    ],
)
def test_what_is_no_number_is_told_by_the_type_that_was_given(client: Client, given: object, kind: str) -> None:
    """A list in place of a number is called a list, though it is kept hidden by then."""
    with pytest.raises(exceptions.InvalidPhoneNumber, match=f"a phone number is given as text, not as {kind}$"):
        client.sms.send(given, "x")  # type: ignore[arg-type]


def test_recipients_are_a_list(client: Client) -> None:
    """One text where a list of numbers belongs is refused, and not read letter by letter."""
    with pytest.raises(exceptions.InvalidInput, match="not one text"):
        client.sms.send_bulk("79161234567", "hello")


def test_nobody_to_send_to(client: Client) -> None:
    """An empty list of recipients is refused."""
    with pytest.raises(exceptions.InvalidInput, match="empty"):
        client.viber.send_bulk([], "hello")


def test_a_bulk_whose_reply_would_be_too_large(client: Client) -> None:
    """A bulk with more ids than a reply may hold is refused, and the limit is named."""
    numbers = [f"+7916{number:07d}" for number in range(BULK_LIMIT // 2 + 1)]
    with pytest.raises(exceptions.InvalidInput, match=f"{BULK_LIMIT}"):
        client.sms.send_bulk(numbers, "я" * 71)


@pytest.mark.parametrize("minutes", [-1, 1.5, True])
def test_bad_validity(client: Client, minutes: object) -> None:
    """A validity that is no whole number of minutes is refused."""
    with pytest.raises(exceptions.InvalidSchedule):
        client.sms.send("79161234567", "hello", validity=minutes)  # type: ignore[arg-type]  # what is refused


def test_naive_and_aware_times(client: Client) -> None:
    """The UTC operations refuse a naive time, the time-zone operations an aware one."""
    with pytest.raises(exceptions.InvalidSchedule, match="aware"):
        client.sms.send("87011234567", "hello", send_at=datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose
    with pytest.raises(exceptions.InvalidSchedule, match="naive"):
        client.sms.send_by_time_zone("87011234567", "hello", datetime.now(UTC))


def test_a_send_in_the_past_is_refused(client: Client) -> None:
    """A message that nobody meant for now does not go out now, by any of the methods."""
    then = datetime(2020, 1, 1, tzinfo=UTC)
    for send in (client.sms.send, client.sms.send_bulk):
        with pytest.raises(exceptions.InvalidSchedule, match="has passed"):
            send(["87011234567"] if send == client.sms.send_bulk else "87011234567", "hello", send_at=then)  # type: ignore[arg-type]  # each its own
    local = then.replace(tzinfo=None)
    with pytest.raises(exceptions.InvalidSchedule, match="has passed"):
        client.sms.send_by_time_zone("87011234567", "hello", local)
    with pytest.raises(exceptions.InvalidSchedule, match="has passed"):
        client.sms.send_by_time_zone_to_addresses(["87011234567"], "hello", local)


def test_periods(client: Client) -> None:
    """Reversed or overlong periods are refused before the gateway is asked."""
    now = datetime.now(UTC)
    with pytest.raises(exceptions.InvalidSchedule, match="later"):
        client.sms.incoming(now, now)
    with pytest.raises(exceptions.InvalidSchedule, match="90 days"):
        client.sms.statistics(now - timedelta(days=91), now)


def test_an_unreachable_gateway_is_not_sent(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is tried again three times, each pause longer, and ends as not sent."""
    pauses: list[float] = []
    monkeypatch.setattr(client, "_sleep", pauses.append)
    with pytest.raises(exceptions.NotSent) as caught:
        client.sms.send("87011234567", "hello")
    assert ("not_sent", True, "Sms/Send") == (caught.value.verdict, caught.value.retryable, caught.value.operation)
    assert 3 == len(pauses)
    assert sorted(pauses) == pauses
