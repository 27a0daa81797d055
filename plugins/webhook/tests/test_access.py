"""Who may post: a token, a password, or a program of this machine."""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from devinotify_webhook import Webhook, load
from tests.support import NUMBER, TOKEN, Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

PASSWORD = "a-password-of-the-tests"
TEXT = {"text": "Hi"}


def basic(user: str, password: str) -> str:
    """Return the header of Basic."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def status(hooks: Hooks, header: str | None) -> int:
    """Return the answer to a post with this header."""
    headers = {} if header is None else {"Authorization": header}
    return hooks.post("/sms/oncall", TEXT, headers=headers).status_code


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (basic("anybody", TOKEN), 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer", 401),
        (f"Digest {TOKEN}", 401),
        (basic("anybody", "wrong"), 401),
        ("Basic !!!", 401),
        ("Basic " + b64encode(b"\xff:\xff").decode(), 401),
        (None, 401),
    ],
)
def test_token(header: str | None, expected: int, hooks: Callable[..., Hooks]) -> None:
    """A token comes as Bearer, or as Basic's password."""
    assert expected == status(hooks(token=TOKEN), header)


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"Bearer {TOKEN[:-1]}", "Bearer x", basic("anybody", "wrong")])
def test_how_long_it_takes_tells_nothing(
    header: str, hooks: Callable[..., Hooks], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is shown is compared by ``hmac.compare_digest``, as texts of one length that are not the secret."""
    real, compared = hmac.compare_digest, []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    guarded = hooks(token=TOKEN)
    with monkeypatch.context() as spied:
        spied.setattr(hmac, "compare_digest", compare)
        answer = status(guarded, header)
    assert (200 if header == f"Bearer {TOKEN}" else 401, 1) == (answer, len(compared))
    ((shown, own),) = compared
    assert len(shown) == len(own) != len(TOKEN)


@pytest.mark.parametrize(
    ("header", "expected"),
    [(basic("am", PASSWORD), 200), (basic("other", PASSWORD), 401), (f"Bearer {PASSWORD}", 401)],
)
def test_password(header: str, expected: int, hooks: Callable[..., Hooks]) -> None:
    """A user and a password are one pair."""
    assert expected == status(hooks(user="am", password=PASSWORD), header)


def test_a_refusal_says_how(hooks: Callable[..., Hooks], caplog: pytest.LogCaptureFixture) -> None:
    """The answer names both ways, and no token is in the log or the answer."""
    answer = hooks(token=TOKEN).post("/sms/oncall", TEXT, headers={"Authorization": "Bearer wrong-token-0123"})
    assert "Bearer" in answer.headers["www-authenticate"]
    assert [] == [secret for secret in (TOKEN, "wrong-token-0123") if secret in caplog.text + answer.text]


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("127.0.0.1", 200),
        ("127.9.9.9", 200),
        ("::1", 200),
        ("0:0:0:0:0:0:0:1", 200),
        ("::ffff:127.0.0.1", 200),
        ("192.0.2.1", 401),
        ("127.999.0.1", 401),
        ("2001:db8::1", 401),
        ("::ffff:192.0.2.1", 401),
        ("unix", 200),
    ],
)
def test_without_a_token_this_machine_alone(client: str, expected: int, hooks: Callable[..., Hooks]) -> None:
    """A receiver without a token serves nobody else."""
    assert expected == hooks().ask("POST", "/sms/oncall", client=client, json=TEXT).status_code


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}])
def test_without_a_token_no_web_page(header: dict[str, str], hooks: Callable[..., Hooks]) -> None:
    """A page that somebody has open cannot post here; with a token it is another matter."""
    assert 401 == hooks().post("/sms/oncall", TEXT, headers=header).status_code
    answer = hooks(token=TOKEN).post("/sms/oncall", TEXT, headers={**header, "Authorization": f"Bearer {TOKEN}"})
    assert 200 == answer.status_code


@pytest.fixture
def local(gateway: Sandbox, tmp_path: Path) -> Iterator[Hooks]:
    """Yield an app that is served on loopback."""
    document = {"url": gateway.url, "outbox": str(tmp_path / "a.db"), "receivers": {"oncall": {"to": NUMBER}}}
    made = Hooks(Webhook(load(document), worker=False, local=True))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:9876", 200),
        ("LOCALHOST", 200),
        ("localhost.:9876", 200),
        ("a.localhost", 200),
        ("127.0.0.1", 200),
        ("[::1]:9876", 200),
        ("[0:0:0:0:0:0:0:1]:9876", 200),
        ("127.999.0.1", 401),
        ("evil.example.com", 401),
        ("[", 401),
        ("", 401),
    ],
)
def test_a_name_that_was_made_to_mean_this_machine(host: str, expected: int, local: Hooks) -> None:
    """Served on loopback, it is asked by a loopback name."""
    assert expected == local.post("/sms/oncall", TEXT, headers={"Host": host}).status_code
