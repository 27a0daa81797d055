"""The provider by the real library: what it takes, what it tells, and what nobody is shown."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import notifiers
import pytest
from devinotify import DevinoURL, Notifier, OutcomeUnknown, Pool, Verdict
from notifiers.exceptions import BadArguments, NotificationError
from notifiers.logging import NotificationHandler

from devinotify_notifiers import Devino
from devinotify_notifiers.pool import shared

if TYPE_CHECKING:
    from typing import Any

    from devinotify import Outcome
    from devinotify.sandbox import Sandbox

NUMBER, OTHER = "+79161234567", "+79161234568"
LOCAL = "devino://login:password@SENDER?gateway=http://127.0.0.1:1/rest"


def send(**data: object) -> Any:  # noqa: ANN401 - notifiers brings no types
    """Notify by the provider's name."""
    return notifiers.notify("devino", **data)


def test_is_found_by_its_entry_point() -> None:
    """``notifiers`` lists it and makes it, and knows what it needs."""
    provider = notifiers.get_notifier("devino", strict=True)
    assert isinstance(provider, Devino)
    assert "devino" in notifiers.all_providers()
    assert {"required": ["message", "url"]} == provider.required
    assert {"message", "url", "to", "title", "channel", "tags"} == set(provider.arguments)
    assert ("devino", []) == (provider.metadata["name"], provider.resources)


@pytest.mark.parametrize(
    "to", [[NUMBER, OTHER], f"{NUMBER}, 8 (916) 123-45-68", ("79161234567", OTHER), [f"{NUMBER};{OTHER}"]]
)
def test_sends(gateway: Sandbox, to: object) -> None:
    """It arrives with the title as its first line, and the Response has an Outcome for each."""
    response = send(message="at 99 %", url=gateway.url, to=to, title="Disk")
    assert [(NUMBER, "Disk\nat 99 %"), (OTHER, "Disk\nat 99 %")] == [
        (each.recipient, each.text) for each in gateway.messages()
    ]
    assert ("Success", None, True) == (response.status, response.errors, response.ok)
    assert [Verdict.ACCEPTED] * 2 == [outcome.verdict for outcome in response.response]


def test_settings_from_the_environment(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """NOTIFIERS_DEVINO_… fill in what is not given, and so do variables with a prefix of one's own."""
    monkeypatch.setenv("NOTIFIERS_DEVINO_URL", gateway.url)
    monkeypatch.setenv("NOTIFIERS_DEVINO_TO", f"{NUMBER},{OTHER}")
    monkeypatch.setenv("SHOP_DEVINO_URL", gateway.url)
    monkeypatch.setenv("SHOP_DEVINO_CHANNEL", "viber")
    assert send(message="one").ok
    assert send(message="two", to=OTHER, env_prefix="SHOP_").ok
    assert [(NUMBER, "Sms/SendBulk"), (OTHER, "Sms/SendBulk"), (OTHER, "Viber/Send")] == [
        (each.recipient, each.operation) for each in gateway.messages()
    ]


def test_targets_of_the_url(gateway: Sandbox) -> None:
    """Without ``to`` the URL says who."""
    base, _, query = gateway.url.partition("?")
    assert send(message="text", url=f"{base}/{NUMBER}?{query}").ok
    assert [NUMBER] == [each.recipient for each in gateway.messages()]


@pytest.mark.parametrize("taken", [True, False])
def test_lost_answer(gateway: Sandbox, caplog: pytest.LogCaptureFixture, *, taken: bool) -> None:
    """A lost answer is a status of its own, warned about and raised nowhere; nothing is sent again."""
    gateway.add_fault("drop", number=NUMBER, accepts=taken)
    response = send(message="text", url=gateway.url, to=NUMBER, raise_on_errors=True)
    assert ("Unknown", None, True) == (response.status, response.errors, response.ok)
    assert int(taken) == len(gateway.messages())
    (line,) = [record.message for record in caplog.records if record.name.startswith("devinotify_notifiers")]
    assert line.startswith("the message to +7916***4567 may or may not have been sent: ")


def test_refused(gateway: Sandbox) -> None:
    """Where nobody got it there are errors, with masked numbers, and they are raised where that is asked for."""
    gateway.add_fault("error", number=NUMBER, code=2)
    response = send(message="text", url=gateway.url, to=NUMBER)
    assert ("Failure", False, [Verdict.REJECTED]) == (
        response.status,
        response.ok,
        [outcome.verdict for outcome in response.response],
    )
    assert response.errors[0].startswith("the message to +7916***4567 was refused: ")
    with pytest.raises(NotificationError, match="was refused"):
        send(message="text", url=gateway.url, to=NUMBER, raise_on_errors=True)


def test_some_refused(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Where some got it nothing is raised, or they would get it twice: a status of its own, and a warning."""
    response = send(message="text", url=gateway.url, to=[NUMBER, "12345"], raise_on_errors=True)
    assert ("Partial", True) == (response.status, response.ok)
    assert [Verdict.ACCEPTED, Verdict.NOT_SENT] == [outcome.verdict for outcome in response.response]
    assert "was not sent" in caplog.text


def test_out_of_reach() -> None:
    """What never left is a failure."""
    response = send(message="text", url=LOCAL, to=NUMBER)
    assert ("Failure", [Verdict.NOT_SENT]) == (response.status, [each.verdict for each in response.response])


class Breaking(Notifier):
    """A Notifier that breaks after it may have sent."""

    def notify(self, *arguments: object, **options: object) -> list[Outcome]:
        """Break."""
        raise OutcomeUnknown("the connection was lost")


def test_what_breaks_late_is_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    """An error that says that it may have been sent is a status and a warning as well."""
    url = DevinoURL.parse(LOCAL)
    shared._kept[url] = Breaking(url)
    assert "Unknown" == send(message="text", url=LOCAL, to=NUMBER, raise_on_errors=True).status
    assert "the message may or may not have been sent: the connection was lost" in caplog.messages


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "'message' is a required property"),
        ({"message": "text"}, "'url' is a required property"),
        ({"message": "text", "url": LOCAL}, "there is nobody to send to"),
        ({"message": "text", "url": LOCAL, "to": NUMBER, "chanel": "sms"}, "'chanel' was unexpected"),
        ({"message": "text", "url": LOCAL, "to": NUMBER, "channel": "pigeon"}, "there is no channel 'pigeon'"),
        ({"message": "text", "url": f"{LOCAL}&chanel=sms", "to": NUMBER}, "did you mean channel"),
        ({"message": "text", "url": "devino://:password@SENDER", "to": NUMBER}, "the login is missing"),
    ],
)
def test_bad_arguments(data: dict[str, Any], reason: str) -> None:
    """What is missing or wrong is the library's own error, and shows no password and no number."""
    with pytest.raises(BadArguments, match=reason) as caught:
        send(**data)
    assert [] == [secret for secret in ("password", NUMBER[2:]) if secret in str(caught.value)]


def test_hides_secrets(gateway: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library logs its data at DEBUG: nothing of ours is shown there, and the Response has no password."""
    caplog.set_level(logging.DEBUG)
    password = DevinoURL.parse(gateway.url).password
    monkeypatch.setenv("NOTIFIERS_DEVINO_URL", gateway.url)
    response = send(message="secret text", to=[NUMBER])
    assert "merging" in caplog.text
    shown = [record.getMessage() for record in caplog.records if record.threadName != "devinotify-sandbox"]
    for secret in ("secret text", NUMBER[2:], f":{password}@"):
        assert [] == [line for line in shown if secret in line]
    assert f":{password}@" not in response.data["url"]
    assert ("secret text", [NUMBER], str) == (
        response.data["message"],
        response.data["to"],
        type(response.data["message"]),
    )


def test_handler(gateway: Sandbox) -> None:
    """The library's own logging handler sends by it."""
    logger = logging.getLogger("shop")
    handler = NotificationHandler("devino", defaults={"url": gateway.url, "to": NUMBER})
    logger.addHandler(handler)
    logger.error("Disk full")
    logger.removeHandler(handler)
    handler.close()
    assert ["Disk full"] == [each.text for each in gateway.messages()]


def test_one_login_for_many_messages(gateway: Sandbox) -> None:
    """The connection and the login outlive a provider."""
    for _ in range(3):
        send(message="text", url=gateway.url, to=NUMBER)
    operations = [request.operation for request in gateway.requests()]
    assert (3, 4) == (operations.count("Sms/Send"), len(operations))


def test_pool_keeps_a_few() -> None:
    """What was not used for longest is closed when there are too many, and made again."""
    pool = Pool(Notifier, Notifier.close, capacity=2)
    urls = [DevinoURL.parse(f"{LOCAL}&validity={minutes}") for minutes in (1, 2, 3)]
    first, second = pool.get(urls[0]), pool.get(urls[1])
    assert first is pool.get(urls[0])
    pool.get(urls[2])
    assert first is pool.get(urls[0])
    assert second is not pool.get(urls[1])
    pool.close()


def test_fork_does_not_wait_for_a_lock() -> None:
    """A child that was forked off while a thread was at work makes its Notifiers anew."""
    pool = Pool(Notifier, Notifier.close)
    url = DevinoURL.parse(LOCAL)
    with pool.get(url) as before:
        pool._lock.acquire()
        pool.start_anew()
        assert before is not pool.get(url)
    pool.close()


def test_loads_little() -> None:
    """Whoever asks for another provider does not have a client loaded."""
    code = "import sys, notifiers; notifiers.get_notifier('slack'); print('devinotify.notifier' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "False\n" == done.stdout


def test_shared_pool_starts_empty() -> None:
    """Importing makes nothing."""
    assert not shared._kept
