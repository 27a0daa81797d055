"""Masking: no secret is left, and nothing else is lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify_logging.masking import mask

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://app:hunter2@db1/shop failed", "postgres://app:***@db1/shop failed"),
        ("redis://:s3cret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("devino://LOGIN:p%40ss@SENDER/79161234567", "devino://LOGIN:***@SENDER/79161234567"),
        ("https://u:p@ss/word@host/x", "https://u:***@host/x"),
        ("see https://example.com:8080/a?b=c", "see https://example.com:8080/a?b=c"),
        ("password=hunter2 user=bob", "password=*** user=bob"),
        ('{"password": "hun\\"ter 2", "user": "bob"}', '{"password": ***, "user": "bob"}'),
        ("DB_PASSWORD: hunter2, next", "DB_PASSWORD: ***, next"),
        ("api_key=abc&id=7", "api_key=***&id=7"),
        ("Authorization: Bearer abcdef123456.xyz", "Authorization: Bearer ***"),
        ("Basic dXNlcjpwYXNz sent", "Basic *** sent"),
        (f"token {TOKEN} expired", "token eyJh*** expired"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key AKIA*** used"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_***"),
        ("session Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1 ended", "session Z5CY*** ended"),
        ("id 3f2a9c1e-7d44-4b8a-9f10-2c5d6e7f8a9b", "id 3f2a***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "***"),
    ],
)
def test_masks(text: str, expected: str) -> None:
    """A secret is known by its shape or its name, and the text around it stays."""
    assert expected == mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "disk full on /var/lib/postgresql/data",
        "connection to db1.internal.example.com:5432 refused",
        "order 123456789012345678901234567890 not found",
        "AbstractSingletonProxyFactoryBeanImplementation failed",
        "passenger count is 5, tokens left",
        "Не удалось записать файл: диск полон",
        "basic idea",
        "",
    ],
)
def test_leaves_alone(text: str) -> None:
    """Paths, hosts, numbers, long words and ordinary prose are no secrets."""
    assert text == mask(text)


@given(st.text(alphabet="abc0:/@= \"'\\.-", max_size=300))
def test_masking_twice_changes_nothing(text: str) -> None:
    """What is masked stays as it is."""
    assert mask(mask(text)) == mask(mask(mask(text)))


@given(st.from_regex(r"[A-Za-z0-9]{8,20}", fullmatch=True), st.sampled_from(["password", "secret", "api_key", "token"]))
def test_named_secret_never_stays(secret: str, name: str) -> None:
    """Whatever stands behind such a name is gone."""
    assert secret not in mask(f"login with {name}={secret} failed")


def test_takes_linear_time() -> None:
    """A hostile text of the longest length is done at once, not in minutes."""
    for piece in ("://a:", 'password="\\', "eyJ", "a1-", "-----BEGIN PRIVATE KEY-----", "a@"):
        assert mask(piece * 1000)


@pytest.mark.parametrize("part", ["://:", "://a:", "bearer ", "token=", 'token="', "-----BEGIN ", "a1", "-", "eyJ"])
def test_masking_takes_time_by_the_length(part: str) -> None:
    """Eight times the text takes some eight times as long: by the square of its length it would be 64 times."""

    def seconds(text: str) -> float:
        took = []
        for _ in range(3):
            start = time.process_time()
            mask(text)
            took.append(time.process_time() - start)
        return min(took)

    count = 2_000 // len(part)
    assert seconds(part * (8 * count)) < 24 * seconds(part * count) + 0.002
