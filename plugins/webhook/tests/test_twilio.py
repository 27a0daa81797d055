"""Programs that speak Twilio's API, with another base URL and nothing else: twilio-python as it is published."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import RowState
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from devinotify_webhook import Webhook, load, twilio
from tests.support import NUMBER, OTHER, PATIENCE, TOKEN, serving, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

    from devinotify_webhook.orders import Order
    from tests.support import Hooks

SID = "AC0123456789abcdef0123456789abcdef"
PATH = f"/twilio/2010-04-01/Accounts/{SID}/Messages.json"
ANY = {"codes": {"to": "request", "token": TOKEN, "sid": SID}}


class OtherBase(TwilioHttpClient):  # type: ignore[misc]  # it has no types
    """Twilio's own HTTP client, to another base URL: what its documentation has people write for a proxy."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=PATIENCE, pool_connections=False)
        self._base = base

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Twilio's own signature
        """Send a request to the other base."""
        return super().request(method, url.replace("https://api.twilio.com", f"{self._base}/twilio"), *args, **options)


@pytest.fixture
def base(gateway: Sandbox, tmp_path: Path) -> Iterator[str]:
    """Yield the base URL of a real server with one account, whose worker sends."""
    document = {"url": gateway.url, "outbox": str(tmp_path / "sms.db"), "receivers": ANY}
    with serving(Webhook(load(document))) as url:
        yield url


def test_twilio_python_sends(base: str, gateway: Sandbox) -> None:
    """Its message arrives, and it reads what became of it."""
    client = Client(SID, TOKEN, http_client=OtherBase(base))
    sent = client.messages.create(to=NUMBER, from_="+15005550006", body="Your code is 1234")
    assert ("queued", NUMBER, "+15005550006", None) == (sent.status, sent.to, sent.from_, sent.error_code)
    assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
    assert ["Your code is 1234"] == [message.text for message in gateway.messages()]
    assert sent.sid is not None
    state = until(lambda: (found := client.messages(sent.sid).fetch()).status in ("sent", "delivered") and found)
    assert state.sid == sent.sid


@pytest.mark.parametrize(
    ("token", "fields", "status", "code"),
    [
        ("wrong-token-of-the-tests", {"to": NUMBER, "body": "Hi"}, 401, 20003),
        (TOKEN, {"to": NUMBER, "body": ""}, 400, 21602),
        (TOKEN, {"to": "", "body": "Hi"}, 400, 21604),
        (TOKEN, {"to": "12345", "body": "Hi"}, 400, 21211),
    ],
)
def test_twilio_python_is_told(token: str, fields: dict[str, str], status: int, code: int, base: str) -> None:
    """An error has Twilio's own number, which its client shows."""
    with pytest.raises(TwilioRestException) as refused:
        Client(SID, token, http_client=OtherBase(base)).messages.create(from_="DEVINO", **fields)
    assert (status, code) == (refused.value.status, refused.value.code)


def test_its_receiver_by_name(hooks: Callable[..., Hooks]) -> None:
    """Where a receiver has no ``sid``, the account is its name; its own recipients come first."""
    one = hooks(to=OTHER)
    answer = one.post(PATH.replace(SID, "oncall"), data={"To": NUMBER, "Body": "Hi"})
    assert (201, [OTHER]) == (answer.status_code, one.recipients())


def test_what_is_not_there(hooks: Callable[..., Hooks]) -> None:
    """An unknown account or message is 404, a wrong token 401."""
    one = hooks(receivers=ANY)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert 404 == one.post(PATH.replace(SID, "AC1"), data={"Body": "Hi"}).status_code
    told = [
        one.get(PATH.replace("Messages.json", f"Messages/{name}.json"), headers=headers).status_code
        for name, headers in (("SM1", bearer), (f"SM{1:032x}", bearer), (f"SM{2**64:032x}", bearer), ("SM1", {}))
    ]
    assert [404, 404, 404, 401] == told
    assert 404 == one.get("/twilio/2010-04-01/Accounts/AC1/Messages/SM1.json").status_code


def test_nothing_stored(hooks: Callable[..., Hooks]) -> None:
    """503 where nothing could be stored, in Twilio's words."""
    one = hooks(receivers=ANY)
    one.app.house.outbox.close()
    answer = one.post(PATH, data={"To": NUMBER, "Body": "Hi"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (503, 503) == (answer.status_code, answer.json()["status"])


def test_the_receiver_is_treated_as_on_any_route(
    hooks: Callable[..., Hooks], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong is logged once until a message was understood, and the event loop waits for no body to be read."""
    one = hooks()
    read = one.app._reader.of_text
    threads = []

    def of_text(*arguments: Any) -> Order:  # noqa: ANN401 - what it takes
        threads.append(threading.current_thread() is threading.main_thread())
        return read(*arguments)

    monkeypatch.setattr(one.app._reader, "of_text", of_text)
    path = PATH.replace(SID, "oncall")
    with caplog.at_level(logging.WARNING):
        statuses = [one.post(path, data={"To": NUMBER, "Body": text}).status_code for text in ("", "", "Hi", "")]
    assert [400, 400, 201, 400] == statuses
    assert ["receiver oncall: a body that cannot be understood: Body is missing"] * 2 == caplog.messages
    assert [False] == threads


def test_every_state_has_a_word() -> None:
    """Twilio has a word for each state of a row."""
    assert set(RowState) == set(twilio.STATES)
