"""The pytest plugin: the fixture ``sms_outbox``."""

from __future__ import annotations

import pytest

# Type checkers know this name; a test session that uses none of this pays for no import but pytest's.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify_django.testing import SentSms


@pytest.fixture
def sms_outbox() -> Iterator[list[SentSms]]:
    """Give the list of what would have left; nothing leaves while the test runs."""
    from devinotify_django.testing import captured

    with captured() as outbox:
        yield outbox
