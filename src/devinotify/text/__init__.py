"""What an SMS text costs before it is sent, and how to make it cost less. Pure.

Ground truth is 3GPP TS 23.038 (the GSM 7-bit alphabet) and TS 23.040 (concatenation). Names are loaded when
they are first used, so that what only counts segments never pays for transliteration tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devinotify.text.alphabet import decode, encode, is_gsm7
    from devinotify.text.checks import check, check_length, check_sendable
    from devinotify.text.cleaning import sendable
    from devinotify.text.conversion import Conversion, convert, to_gsm7
    from devinotify.text.cost import estimate_cost
    from devinotify.text.fitting import fit
    from devinotify.text.limits import STANDARD, Encoding, SegmentLimits
    from devinotify.text.parts import Segment
    from devinotify.text.segments import Segmentation, count_segments, segment
    from devinotify.text.steps import (
        STEPS,
        Blocker,
        Step,
        accents,
        compatibility,
        compose,
        cyrillic,
        greek,
        typography,
    )

_HOME = {
    "alphabet": ("decode", "encode", "is_gsm7"),
    "checks": ("check", "check_length", "check_sendable"),
    "cleaning": ("sendable",),
    "conversion": ("Conversion", "convert", "to_gsm7"),
    "cost": ("estimate_cost",),
    "fitting": ("fit",),
    "limits": ("STANDARD", "Encoding", "SegmentLimits"),
    "parts": ("Segment",),
    "segments": ("Segmentation", "count_segments", "segment"),
    "steps": (*("STEPS", "Blocker", "Step", "accents", "compatibility", "compose", "cyrillic", "greek", "typography"),),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "STANDARD",
    "STEPS",
    "Blocker",
    "Conversion",
    "Encoding",
    "Segment",
    "SegmentLimits",
    "Segmentation",
    "Step",
    "accents",
    "check",
    "check_length",
    "check_sendable",
    "compatibility",
    "compose",
    "convert",
    "count_segments",
    "cyrillic",
    "decode",
    "encode",
    "estimate_cost",
    "fit",
    "greek",
    "is_gsm7",
    "segment",
    "sendable",
    "to_gsm7",
    "typography",
]


if not TYPE_CHECKING:  # pragma: no branch  # a type checker that saw it would take every misspelt name for one of them

    def __getattr__(name: str) -> Any:  # noqa: ANN401  # a module's names are of every type
        """Return a public name, loading the module that defines it on first use."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
