"""The instruments: their names and units are as OpenTelemetry wants them."""

from __future__ import annotations

import re

import pytest

from devinotify_metrics import INSTRUMENTS, Instrument
from devinotify_metrics.instruments import Attribute, InstrumentKind

NAME = re.compile(r"devinotify(\.[a-z]+(_[a-z]+)*)+")
"""Namespaces by dots, words by underscores, all in lower case."""
UNIT = re.compile(r"s|\{[a-z]+\}")
"""UCUM: seconds, or an annotation for what is counted."""


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=list(INSTRUMENTS))
def test_follows_the_conventions(instrument: Instrument) -> None:
    """Name and unit are well formed, and the name does not repeat the unit or the kind."""
    assert NAME.fullmatch(instrument.name)
    assert UNIT.fullmatch(instrument.unit)
    assert not re.search("seconds|total|counter|histogram", instrument.name)


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=list(INSTRUMENTS))
def test_histograms_have_boundaries(instrument: Instrument) -> None:
    """A histogram has rising bucket limits of its own, a counter has none."""
    assert (instrument.kind is InstrumentKind.HISTOGRAM) == bool(instrument.boundaries)
    assert sorted(set(instrument.boundaries)) == list(instrument.boundaries)


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=list(INSTRUMENTS))
def test_has_no_attribute_of_spans_alone(instrument: Instrument) -> None:
    """Counts, which have endless values, are never attributes of a measurement."""
    assert not {Attribute.RECIPIENTS, Attribute.SEGMENTS} & set(instrument.attributes)
