"""The text that is sent of a notification."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from devinotify import text
from hypothesis import given, settings
from hypothesis import strategies as st

from devinotify_webhook import ConfigError
from devinotify_webhook.alerts import notification
from devinotify_webhook.rendering import default_text, shortened
from devinotify_webhook.templates import Template
from tests.support import alert, payload


def rendered(*alerts: Any, most: int = 3, **more: Any) -> str:  # noqa: ANN401 - payloads
    """Return the text of these alerts."""
    return default_text(notification(payload(*alerts, **more)), most)


def test_a_line_each() -> None:
    """Firing first, the worst first: status, severity, name and summary."""
    assert (
        "FIRING critical DiskFull: / on web1 is 95% full\nFIRING warning HighLoad: web2\nRESOLVED critical Down"
        == rendered(
            alert("Down", status="resolved"),
            alert("HighLoad", severity="warning", instance="web2"),
            alert(summary="/ on web1 is\n  95% full"),
        )
    )


def test_how_many_more() -> None:
    """What does not fit is counted, in the text's own budget."""
    told = rendered(*(alert(f"A{number:03}", summary="x" * 40) for number in range(500)), most=1)
    assert 1 == text.count_segments(told)
    lines = told.split("\n")
    assert f"+{500 - len(lines) + 1} more" == lines[-1]
    assert 2 < len(lines)


def test_alerts_that_were_not_posted_count() -> None:
    """Alertmanager's ``max_alerts`` leaves some out: they are counted too."""
    assert rendered(alert(), truncatedAlerts=9).endswith("\n+9 more")


def test_a_long_summary_is_cut() -> None:
    """One alert that is too long ends in dots, and still tells how many more there are."""
    told = rendered(alert(summary="слово " * 300), alert("B"), most=2)
    assert (2, True) == (text.count_segments(told), told.endswith("...\n+1 more"))


@settings(max_examples=150, deadline=None)
@given(
    summaries=st.lists(st.text(max_size=300), min_size=1, max_size=6),
    most=st.integers(1, 3),
    truncated=st.integers(0, 10**6),
)
def test_it_always_fits_and_counts(summaries: list[str], most: int, truncated: int) -> None:
    """Whatever is posted, the text keeps to its segments, and shown and counted alerts are all of them."""
    told = rendered(
        *(alert(f"A{n}", summary=one) for n, one in enumerate(summaries)), most=most, truncatedAlerts=truncated
    )
    assert text.count_segments(told) <= most
    lines = told.split("\n")
    more = int(lines[-1].removeprefix("+").removesuffix(" more")) if lines[-1].startswith("+") else 0
    assert len(summaries) + truncated == more + len([line for line in lines if line.startswith("FIRING")])


def test_what_cannot_be_sent_is_cleaned_first() -> None:
    """Colour codes and control characters take no room."""
    assert "FIRING critical DiskFull: red" == rendered(alert(summary="\x1b[31mred\x1b[0m\x00"))


def test_shortened() -> None:
    """A text that fits is unchanged."""
    assert "short" == shortened("short", 1)
    assert 1 == text.count_segments(shortened("long " * 100, 1))


# --- templates


def template(source: str, *alerts: Any, **more: Any) -> str | None:  # noqa: ANN401 - payloads
    """Return what a template makes of these alerts."""
    return Template("oncall", source).render(notification(payload(*alerts, **more)), "the default")


def test_names_of_a_template() -> None:
    """The fields of the payload are there, the alerts in order, and the default text."""
    source = "{{ receiver }} {{ firing|length }}/{{ resolved|length }} {{ alerts[0].labels.alertname }} {{ default }}"
    assert "sms 1/1 B the default" == template(source, alert("A", status="resolved"), alert("B"))


def test_what_is_missing_is_empty() -> None:
    """A label or a field that is not there is no error, however deep it is asked for."""
    assert "()" == template("({{ alerts[0].annotations.runbook.url }}{{ nothing.at.all }})", alert())


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ alerts.append(1) }}",
        "{{ 1 / 0 }}",
        "{% for x in range(10000000) %}{% endfor %}",
    ],
)
def test_a_template_that_breaks_costs_no_alert(source: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the sandbox forbids, and any other error, gives no text of its own; the log shows nothing of the alert."""
    with caplog.at_level(logging.WARNING):
        found = template(source, alert(summary="secret words"))
    assert found is None or found == ""
    assert "secret" not in caplog.text


def test_what_is_posted_is_no_template() -> None:
    """An alert that looks like a template is a text."""
    assert "{{ 7 * 7 }}" == template("{{ alerts[0].annotations.summary }}", alert(summary="{{ 7 * 7 }}"))


def test_a_template_that_cannot_be_read() -> None:
    """It is told with its line."""
    with pytest.raises(ConfigError, match=r"^receivers.oncall.template: line 2: "):
        Template("oncall", "a\n{{ b")
