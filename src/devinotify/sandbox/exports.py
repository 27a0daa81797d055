"""The inbox as a file: JSON for programs, CSV for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from devinotify.sandbox.views import Entry
from devinotify.spreadsheet import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be kept: its content, its media type and its name."""

    content: str
    media: str
    name: str


def as_json(entries: Sequence[Entry]) -> Download:
    """Return the entries as a JSON document, as the inbox lists them."""
    document = {"entries": [asdict(entry) for entry in entries]}
    return Download(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "application/json", "inbox.json")


def as_csv(entries: Sequence[Entry]) -> Download:
    """Return the entries as CSV with a heading; no cell is one that a spreadsheet takes for a formula."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    for entry in entries:
        rows.writerow([harmless(_cell(getattr(entry, column))) for column in COLUMNS])
    # With the mark by which Excel knows UTF-8.
    return Download("\ufeff" + file.getvalue(), "text/csv; charset=utf-8", "inbox.csv")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
