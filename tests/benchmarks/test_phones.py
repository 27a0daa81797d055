"""What normalising costs beside phonenumbers itself. Figures are printed, never asserted."""

from __future__ import annotations

import gc
import random
from typing import TYPE_CHECKING

import phonenumbers
import pytest

from devinotify import phones
from tests.benchmarks.ratios import report, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNT = 100_000
TARGET = 12


def _mobiles(write: Callable[[str], str]) -> list[str]:
    """Return distinct valid Russian mobiles in random order, each written by ``write`` from its ten digits."""
    chance = random.Random(20)
    return [write(f"91{tail:08d}") for tail in chance.sample(range(10**8), COUNT)]


def _by_phonenumbers(raws: list[str]) -> list[str]:
    found = []
    for raw in raws:
        number = phonenumbers.parse(raw, "RU")
        if phonenumbers.is_valid_number(number):
            found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return found


WRITTEN: dict[str, Callable[[str], str]] = {
    "as the protocol has them": lambda national: ("+7", "7", "8")[int(national[-1]) % 3] + national,
    "8 (916) 123-45-67": lambda n: f"8 ({n[:3]}) {n[3:6]}-{n[6:8]}-{n[8:]}",
}


@pytest.fixture
def _quiet_heap() -> Iterator[None]:
    """Keep the test session's own objects out of the collections that keeping 100,000 results sets off."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_quiet_heap")
@pytest.mark.parametrize("way", WRITTEN)
def test_normalising_russian_mobiles(way: str) -> None:
    """100,000 distinct Russian mobiles, one by one and as a list, against parse + is_valid + format."""
    raws = _mobiles(WRITTEN[way])
    expected = _by_phonenumbers(raws)
    assert [number.e164 for number in phones.normalize_many(raws).numbers] == expected
    taken = side_by_side(
        {
            "phonenumbers": lambda: _by_phonenumbers(raws),
            "normalize": lambda: [phones.normalize(raw) for raw in raws],
            "normalize_many": lambda: phones.normalize_many(raws),
        },
        rounds=5,
    )
    for name in ("normalize", "normalize_many"):
        ratio = taken["phonenumbers"] / taken[name]
        report(f"phones.{name}, {way}: phonenumbers' CPU by ours", ratio, f"at least {TARGET}", ratio >= TARGET)
