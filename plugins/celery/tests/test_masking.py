"""What is shown of arguments: never a text, a number, a code or a URL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify_celery.masking import mask, mask_arguments


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Your parcel is here", "***"),
        ("+79161234567", "+7916***4567"),
        ("8 (916) 123-45-67", "8916***4567"),
        (79161234567, "7916***4567"),
        ("482913", "***"),
        (482913, "***"),
        ("devino://login:password@SENDER", "***"),
        (["+79161234567", "oncall"], ["+7916***4567", "***"]),
        ({"name": "Anna"}, {"***": "***"}),
        (None, None),
        (True, True),
        (1001, 1001),
        (1.5, 1.5),
        (datetime(2030, 1, 1, tzinfo=UTC), "<datetime>"),
        (b"text", "<bytes>"),
    ],
)
def test_masks(value: Any, shown: Any) -> None:
    """Each kind of value is shown so."""
    assert shown == mask(value)


def test_names_of_keywords_stay() -> None:
    """They are the task's own, and tell nothing of anybody."""
    assert (["***"], {"to": "+7916***4567", "title": None}) == mask_arguments(
        ("text",), {"to": "+79161234567", "title": None}
    )


def test_a_message_without_arguments_has_none() -> None:
    """What came broken is shown as nothing."""
    assert ([], {}) == mask_arguments(None, None)


_TEXTS = st.text(st.characters(codec="utf-8"), min_size=4)


@given(st.recursive(_TEXTS | st.none() | st.booleans() | st.integers(), st.lists, max_leaves=5), _TEXTS)
def test_what_is_shown_is_json_and_no_text(value: Any, text: str) -> None:
    """Whatever is given, it can be stored, and no text of it is there."""
    shown = json.dumps(mask([value, f"<{text}>"]), ensure_ascii=False)
    assert f"<{text}>" not in shown
