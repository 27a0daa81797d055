"""Ids look as documented and do not repeat."""

from __future__ import annotations

import re
from itertools import pairwise

from devinotify import redact
from devinotify.sandbox import ids


def test_session_ids() -> None:
    """A session id has 36 upper-case letters and digits, and no two are alike."""
    drawn = [ids.session_id() for _ in range(200)]
    assert all(re.fullmatch(r"[A-Z0-9]{36}", session) for session in drawn)
    assert 200 == len(set(drawn))


SHORT = re.compile(r"W[0-9A-F]{8}")
LONG = re.compile(r"[1-9][0-9]{17}")


def value(part: str) -> int:
    """Return what an id counts."""
    return int(part[1:], 16) if SHORT.fullmatch(part) else int(part)


def test_sms_ids_count_up() -> None:
    """The ids of one message's segments have one form and follow one another."""
    for _ in range(50):
        parts = ids.sms_ids(3)
        assert any(all(map(form.fullmatch, parts)) for form in (SHORT, LONG))
        assert [0, 1, 2] == [value(part) - value(parts[0]) for part in parts]


def test_both_forms_are_given() -> None:
    """A client that takes ids for numbers, or for hexadecimal digits, is found out by the next message."""
    drawn = [ids.sms_ids(1)[0] for _ in range(100)]
    assert [True, True] == [any(map(form.fullmatch, drawn)) for form in (SHORT, LONG)]


def test_v2_ids_hold_the_number() -> None:
    """An id of /rest/v2 names the recipient, how many segments there are, and which of them it is."""
    first, second = ids.v2_ids(2, "79161234567")
    assert re.fullmatch(r"SAR-GW01\+79161234567-[0-9a-f]{8}-2-1", first)
    assert first[:-1] + "2" == second


def test_v2_ids_are_masked_like_numbers() -> None:
    """What masks ids and numbers in logs leaves nothing of the number in either form."""
    (part,) = ids.v2_ids(1, "79161234567")
    shown = [redact.mask_id(part), redact.scrub(f"state of {part}: 255")]
    assert [False, False] == ["1234" in text for text in shown]


def test_incoming_ids() -> None:
    """An incoming message's id has nine digits."""
    assert re.fullmatch(r"[1-9][0-9]{8}", ids.incoming_id())


def test_messages_do_not_follow_one_another() -> None:
    """Knowing one message's id tells nothing of the next one's."""
    drawn = sorted(value(ids.sms_ids(1)[0]) for _ in range(20))
    assert 20 == len(set(drawn))
    assert any(after - before > 1000 for before, after in pairwise(drawn))


def test_viber_ids() -> None:
    """A Viber id is GW and hexadecimal digits."""
    assert re.fullmatch(r"GW[0-9A-F]{10}", ids.viber_id())


def test_a_prefix_stands_before_every_id() -> None:
    """A prefix is kept as it is."""
    assert ids.sms_ids(1, "SAR-W+")[0].startswith("SAR-W+")
    assert ids.viber_id("SAR-").startswith("SAR-GW")
