"""The pool: what is shared, what is let go, and that using it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import DevinoURL

from devinotify_apprise.pool import Pool
from tests.support import ONE

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox


def settings_of(gateway: Sandbox, **changes: object) -> DevinoURL:
    """Return settings for the gateway."""
    return DevinoURL.parse(gateway.url).with_options(**changes)


def test_same_settings_share_a_notifier(gateway: Sandbox) -> None:
    """Settings that are equal have one notifier, others another, with the same client."""
    pool = Pool()
    one, again = pool.notifier(settings_of(gateway)), pool.notifier(settings_of(gateway))
    other = pool.notifier(settings_of(gateway, validity=5))
    assert one is again
    assert one is not other
    assert one.client is other.client
    pool.close()


def test_other_limits_need_another_client(gateway: Sandbox) -> None:
    """A client has one time limit, so another limit is another client."""
    pool = Pool()
    one, other = pool.notifier(settings_of(gateway)), pool.notifier(settings_of(gateway, timeout=1.0))
    assert one.client is not other.client
    pool.close()


def test_nothing_of_a_message_is_inherited(gateway: Sandbox) -> None:
    """The first URL's validity is not the next one's."""
    pool = Pool()
    pool.notifier(settings_of(gateway, validity=5))
    assert pool.notifier(settings_of(gateway)).client.url.validity is None
    pool.close()


def test_lets_go_of_the_oldest(gateway: Sandbox) -> None:
    """What was not used for longest is let go, and whoever has it may still send."""
    pool = Pool(capacity=1)
    first = pool.notifier(settings_of(gateway))
    assert "accepted" == first.notify("one", ONE)[0].verdict
    assert pool.notifier(settings_of(gateway, timeout=1.0)) is not first
    assert "accepted" == first.notify("two", ONE)[0].verdict
    assert pool.notifier(settings_of(gateway)) is not first
    first.client.close()
    pool.close()
