"""The text of a message that nobody has written: what happened, in one segment. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify_airflow.event import Event

LEAST = 40
"""Characters of the error that stay before the link may have its place."""
MOST = 160
"""Characters of the error that are looked at: no segment takes more."""
_DAG_PAGE = re.compile(r"(?P<dag>.*?/dags/[^/?#]+)(?P<run>/runs/[^/?#]+)?")


def default_text(event: Event) -> str:
    """Return a text of one segment: state, dag.task, run, try, the error's first line, the log's link as it fits.

    It is in the GSM alphabet, of which a segment holds 160 characters, wherever that has letters for it.
    """
    head = text.to_gsm7(_head(event))
    error = text.to_gsm7(event.error)[:MOST]
    for link in links(event.link):
        if _fits(_joined(head, error[:LEAST], link)):
            size = next(size for size in range(len(error), -1, -1) if _fits(_joined(head, _cut(error, size), link)))
            return _joined(head, _cut(error, size), link)
    return text.fit(_joined(head, error, ""), 1)


def links(link: str) -> Iterator[str]:
    """Yield a log's address, and then shorter ones that lead near it: without query, to the run, to the DAG, none."""
    if found := _DAG_PAGE.match(link):
        shorter = [link, link.partition("?")[0] if found["run"] else "", found[0], found["dag"]]
        yield from dict.fromkeys(filter(None, shorter))
    yield ""


def _head(event: Event) -> str:
    name = ".".join(filter(None, (event.dag, event.task)))
    index = f"[{event.map_index}]" if event.map_index >= 0 else ""
    attempt = f"try {event.attempt}" if event.task and event.attempt else ""
    return " ".join(filter(None, (event.state, name + index, event.run, attempt)))


def _joined(head: str, error: str, link: str) -> str:
    return " ".join(filter(None, (f"{head}: {error}" if error else head, link)))


def _cut(error: str, size: int) -> str:
    return error if size >= len(error) else error[: max(size - 3, 0)].rstrip() + "..." if size > 3 else ""


def _fits(shown: str) -> bool:
    return text.count_segments(shown) <= 1
