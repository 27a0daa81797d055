"""Ids look as documented and do not repeat."""

from __future__ import annotations

import re

from devinotify.sandbox import ids


def test_session_ids() -> None:
    """A session id has 36 upper-case letters and digits, and no two are alike."""
    drawn = [ids.session_id() for _ in range(200)]
    assert all(re.fullmatch(r"[A-Z0-9]{36}", session) for session in drawn)
    assert 200 == len(set(drawn))


def test_sms_ids_count_up() -> None:
    """The ids of one message's segments are 18 digits each and follow one another."""
    numbers = [int(part) for part in ids.sms_ids(3)]
    assert [0, 1, 2] == [number - numbers[0] for number in numbers]
    assert {18} == {len(part) for part in ids.sms_ids(50)}


def test_messages_do_not_follow_one_another() -> None:
    """Knowing one message's id tells nothing of the next one's."""
    first, second = (int(ids.sms_ids(1)[0]) for _ in range(2))
    assert abs(first - second) > 1000


def test_viber_ids() -> None:
    """A Viber id is GW and hexadecimal digits."""
    assert re.fullmatch(r"GW[0-9A-F]{16}", ids.viber_id())


def test_a_prefix_stands_before_every_id() -> None:
    """A prefix is kept as it is."""
    assert ids.sms_ids(1, "SAR-W+")[0].startswith("SAR-W+")
    assert ids.viber_id("SAR-").startswith("SAR-GW")
