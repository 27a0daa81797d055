"""The table of metrics in docs/reference/metrics.md is made from the metrics: ``python -m tests.test_metrics_page``."""

from __future__ import annotations

from pathlib import Path

from devinotify_webhook.metrics import FAMILIES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def table() -> str:
    """Return a row for each metric."""
    rows = []
    for name, family in FAMILIES.items():
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(f"| `{name}` | {family.kind} | {labels} | {family.help.rstrip('.')} |")
    return "\n".join(["| name | kind | labels | what it says |", "|---|---|---|---|", *rows])


def test_every_metric_is_there_as_it_is() -> None:
    """Nobody types one twice."""
    assert table() in PAGE.read_text("utf-8")


if __name__ == "__main__":
    print(table())
