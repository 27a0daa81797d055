"""What segmenting costs beside every peer on the package index, and beside the one C pass that it rests on.

Figures are printed, never asserted. The peers, none of which the library needs:
smsutil, python-gsmmodem-new, smpplib (these also cut), sms-counter, py-smsify (these count), and
smspdudecoder (with bitstring<5), gsm0338, gsmcodecs (these encode, which is where counting begins).
A peer that is not installed is left out.
"""

from __future__ import annotations

import codecs
import random
import warnings
from functools import partial
from importlib import import_module
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

import pytest

from devinotify.text import count_segments, segment
from devinotify.text.segments import _ASCII_MARKS, _PAGE
from tests.benchmarks.ratios import report, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Benchmark(Protocol):
    """What these tests ask of pytest-benchmark's fixture, which has no types of its own."""

    group: str

    def __call__(self, function: Callable[[str], object], text: str, /) -> object:
        """Measure calls of ``function`` with ``text``."""


CHANCE = random.Random(23038)


def _text(length: int, ordinary: str, rare: str, share: float) -> str:
    """Return ``length`` characters, of which ``share`` are of ``rare``, at random places."""
    places = set(CHANCE.sample(range(1, length - 1), round(length * share)))
    return "".join(CHANCE.choice(rare if place in places else ordinary) for place in range(length))


CYRILLIC = "Уважаемый клиент, ваш заказ готов к выдаче. Ждём вас с 9 до 21. "
ACCENTED = "abcdefghij klmnopqrst uvwxyz àèéìòùäöñüß"
EMOJI = "😀🎉🔥👍🚀"

TEXTS = {
    "ASCII, 80": "Your code is 4821. Tell it to nobody, not even to the staff of the bank: ever!!!",
    "Cyrillic, 300": (CYRILLIC * 5)[:300],
    "2000, UCS-2 with 1 % emoji": _text(2000, "абвгдежз иклмноп рстуфх abc", EMOJI, 0.01),
    "2000, GSM-7 with accents and 2 % extension": _text(2000, ACCENTED, "€[]{}~", 0.02),
    "500, half emoji": _text(500, "abc я", EMOJI, 0.5),
}

PASSES: dict[str, Callable[[str], object]] = {
    "ASCII, 80": lambda text: text.encode().translate(_ASCII_MARKS),
    "2000, GSM-7 with accents and 2 % extension": lambda text: codecs.charmap_encode(text, "strict", _PAGE),
}
"""The one C pass that counting rests on; for every other text it is ``encode("utf-16")``."""

TARGETS = {
    "ASCII, 80": (75, 40, 1.5),
    "Cyrillic, 300": (60, 20, 3.5),
    "2000, UCS-2 with 1 % emoji": (40, 8, 2.0),
    "2000, GSM-7 with accents and 2 % extension": (15, 8, 2.0),
}
"""Text -> how many times as fast as smsutil to count, and to cut; how many passes a count may take."""


def _smsutil(module: ModuleType) -> Callable[[str], int]:
    return lambda text: len(module.split(text).parts)


def _gsmmodem(module: ModuleType) -> Callable[[str], int]:
    def count(text: str) -> int:
        try:
            return len(module.divideTextGsm7(text))
        except ValueError:
            return len(module.divideTextUcs2(text))

    return count


def _smpplib(module: ModuleType) -> Callable[[str], int]:
    return lambda text: len(module.make_parts(text)[0])


def _sms_counter(module: ModuleType) -> Callable[[str], int]:
    counter = module.SMSCounter()
    return lambda text: int(counter.count(text).segment)


def _py_smsify(module: ModuleType) -> Callable[[str], int]:
    return lambda text: int(module.SmsMessage(text, twilio=True).segments)


def _smspdudecoder(module: ModuleType) -> Callable[[str], None]:
    def encode(text: str) -> None:
        try:
            module.GSM.encode(text)
        except ValueError:
            module.UCS2.encode(text)

    return encode


def _gsm0338(module: ModuleType) -> Callable[[str], None]:
    codec = module.Codec()

    def encode(text: str) -> None:
        try:
            codec.encode(text)
        except UnicodeError:
            text.encode("utf-16-be")

    return encode


def _gsmcodecs(_: ModuleType) -> Callable[[str], None]:
    def encode(text: str) -> None:
        try:
            text.encode("gsm23.038")
        except UnicodeError:
            text.encode("utf-16-be")

    return encode


PEERS: dict[str, tuple[str, str, Callable[[ModuleType], Callable[[str], int | None]]]] = {
    "smsutil": ("smsutil", "cuts", _smsutil),
    "python-gsmmodem-new": ("gsmmodem.pdu", "cuts", _gsmmodem),
    "smpplib": ("smpplib.gsm", "cuts", _smpplib),
    "sms-counter": ("sms.counter", "counts", _sms_counter),
    "py-smsify": ("py_smsify", "counts", _py_smsify),
    "smspdudecoder": ("smspdudecoder.codecs", "encodes", _smspdudecoder),
    "gsm0338": ("gsm0338", "encodes", _gsm0338),
    "gsmcodecs": ("gsmcodecs", "encodes", _gsmcodecs),
}
"""Distribution -> its module, what it does, and how to have it do that."""


def _load_peers() -> dict[str, Callable[[str], int | None]]:
    found: dict[str, Callable[[str], int | None]] = {}
    for name, (module, _, adapt) in PEERS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a peer deprecates is its own affair
            try:
                found[name] = adapt(import_module(module))
            except ImportError:
                print(f"\n{name} is not installed, or not importable: left out")
    return found


@pytest.fixture(scope="module")
def peers() -> dict[str, Callable[[str], int | None]]:
    """The peers that are installed."""
    return _load_peers()


def _cut(text: str) -> object:
    return segment(text).segments


def _seconds(candidates: dict[str, Callable[[str], object]], text: str) -> dict[str, float]:
    """Return each candidate's median seconds per call; every turn of each takes about as long as the others'."""
    once = side_by_side({name: partial(run, text) for name, run in candidates.items()}, rounds=5)
    calls = {name: max(1, min(2000, round(0.002 / max(seconds, 1e-7)))) for name, seconds in once.items()}

    def repeated(run: Callable[[str], object], number: int) -> Callable[[], None]:
        def turn() -> None:
            for _ in repeat(None, number):
                run(text)

        return turn

    taken = side_by_side({name: repeated(run, calls[name]) for name, run in candidates.items()}, rounds=75)
    return {name: seconds / calls[name] for name, seconds in taken.items()}


@pytest.mark.parametrize("name", TEXTS)
def test_segmenting_beside_its_peers(name: str, peers: dict[str, Callable[[str], int | None]]) -> None:
    """Ratios of medians, all candidates taking turns in one run, and which peers come to another count."""
    text = TEXTS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic warns at each call of sms-counter
        one_pass = PASSES.get(name, lambda text: text.encode("utf-16"))
        ours: dict[str, Callable[[str], object]] = {
            "count_segments": count_segments,
            "segment(): measured": segment,
            "segment().segments: cut": _cut,
            "one C pass": one_pass,
        }
        taken = _seconds({**ours, **peers}, text)
        counts = {peer: run(text) for peer, run in peers.items()}
    print(f"\n\n{name}: {count_segments(text)} segments")
    print(f"{'':24}{'median, us':>12}{'/ count_segments':>18}{'/ segments':>12}")
    for candidate, seconds in taken.items():
        count = counts.get(candidate)
        note = PEERS[candidate][1] if candidate in PEERS else ""
        if count is not None and count != count_segments(text):
            note += f", to {count} segments"
        print(
            f"{candidate:24}{seconds * 1e6:12.3f}{seconds / taken['count_segments']:18.1f}"
            f"{seconds / taken['segment().segments: cut']:12.1f}  {note}"
        )
    if name in TARGETS and "smsutil" in taken:
        count, cut, passes = TARGETS[name]
        smsutil = taken["smsutil"]
        ratio = smsutil / taken["count_segments"]
        report("count_segments by smsutil's split", ratio, f"at least {count}", ratio >= count)
        ratio = smsutil / taken["segment().segments: cut"]
        report("segment().segments by smsutil's split", ratio, f"at least {cut}", ratio >= cut)
        ratio = taken["count_segments"] / taken["one C pass"]
        report("count_segments in C passes", ratio, f"at most {passes}", ratio <= passes)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("function", [count_segments, _cut], ids=["count", "cut"])
def test_absolute_times(benchmark: Benchmark, name: str, function: Callable[[str], object]) -> None:
    """What one call takes on this machine, as pytest-benchmark measures it."""
    benchmark.group = name
    benchmark(function, TEXTS[name])
