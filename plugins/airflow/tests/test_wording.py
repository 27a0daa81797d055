"""The default text: one segment, whatever happened."""

from __future__ import annotations

import pytest
from devinotify import text
from hypothesis import given
from hypothesis import strategies as st

from devinotify_airflow.event import Event
from devinotify_airflow.wording import default_text, links

RUN = "https://airflow.example.com/dags/etl/runs/r1"
LINK = f"{RUN}/tasks/load?try_number=2"


def event(**parts: object) -> Event:
    """Return a failure with some parts changed."""
    given = {"state": "failed", "kind": "failed", "dag": "etl", "run": "r1", "task": "load", "attempt": 2}
    return Event(**{**given, "error": "ValueError: no such table", "link": LINK, **parts})  # type: ignore[arg-type]


def test_all_of_it() -> None:
    """State, dag.task, run, try, the error and the log's link."""
    assert f"failed etl.load r1 try 2: ValueError: no such table {LINK}" == default_text(event())


def test_a_mapped_task() -> None:
    """A mapped task has its index."""
    assert default_text(event(map_index=3)).startswith("failed etl.load[3] r1 try 2: ")


def test_a_run() -> None:
    """A run has no try, and where nothing was raised nothing is said of it."""
    assert "success etl r1" == default_text(Event(state="success", kind="run success", dag="etl", run="r1"))


WITHOUT_QUERY, DAG = LINK.partition("?")[0], RUN.partition("/runs")[0]


@pytest.mark.parametrize(
    ("length", "link"),
    [(28, LINK), (29, WITHOUT_QUERY), (41, WITHOUT_QUERY), (42, RUN), (52, RUN), (53, DAG), (60, DAG), (61, "")],
)
def test_the_link_is_shortened_to_what_fits(length: int, link: str) -> None:
    """A long name leaves the link less and less of the segment, and the error 40 characters of it."""
    told = default_text(event(dag="d" * length, error="E" * 200))
    assert (link, True) == (" ".join(told.split()[6:]), told.count("E") >= 37)


def test_the_error_is_cut_where_the_link_is() -> None:
    """An error that is too long shows that there is more of it."""
    told = default_text(event(error="x" * 200))
    assert (1, True) == (text.count_segments(told), "x... https://" in told)


def test_a_name_that_is_too_long_itself() -> None:
    """Where the names alone are more than a segment, they are cut, and the rest is not told."""
    told = default_text(event(dag="d" * 300))
    assert (1, True) == (text.count_segments(told), told.startswith("failed ddd"))


def test_russian() -> None:
    """Russian is written in the GSM alphabet, of which a segment holds more than twice as much."""
    assert "failed etl.load r1 try 2: ValueError: net tablitsy" == default_text(
        event(error="ValueError: нет таблицы", link="")
    )


def test_links_of_airflow_2() -> None:
    """Its pages have all in their query: without it there is the DAG's."""
    page = "http://localhost:8080/dags/etl/grid?dag_run_id=r1&task_id=load&tab=logs"
    assert [page, "http://localhost:8080/dags/etl", ""] == list(links(page))


def test_an_address_of_another_kind() -> None:
    """What is no page of a DAG is left out."""
    assert [""] == list(links("about:blank"))


@given(st.builds(Event, *[st.text(max_size=300)] * 5, st.integers(-1, 9), st.integers(0, 9), st.text(), st.text()))
def test_one_segment_always(happened: Event) -> None:
    """Whatever is told, it fits in one segment."""
    assert text.count_segments(default_text(happened)) <= 1
