"""What differs between the versions of Apprise is what the table says of the one that is installed."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from devinotify_apprise import versions

pytestmark = pytest.mark.versions


@pytest.mark.parametrize("name", versions.SINCE)
def test_is_there_since(name: str) -> None:
    """It is there from the version on that the table names, and before that it is not."""
    since, is_there = versions.SINCE[name]
    major, minor = version("apprise").split(".")[:2]
    assert ((int(major), int(minor)) >= since) == is_there


def test_refusal_is_a_type_error() -> None:
    """Whoever makes a plugin by hand catches one error with every version."""
    assert issubclass(versions.Refusal, TypeError)
