"""The stop list of the plugin opt-out in a database, which a fleet shares."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once(traced=True)

SOURCES = Path(__file__).parents[3] / "plugins" / "opt-out" / "src"
NUMBER, OTHER = "+79161234567", "+79161234568"


@pytest.fixture
def stop_list(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outbox], Any]:
    """Give what opens an outbox's stop list, from the plugin's sources: it need not be installed."""
    monkeypatch.syspath_prepend(SOURCES)
    found: Callable[[Outbox], Any] = importlib.import_module("devinotify_opt_out.stop_list").StopList
    return found


def test_all_who_share_a_database_see_it(url: str, stop_list: Callable[[Outbox], Any]) -> None:
    """Whoever has put a number on it, and whoever takes it off; so do campaigns beside the outbox."""
    campaign = f"{url}{'&' if '?' in url else '?'}campaign=spring"
    with Outbox(url) as first, Outbox(url) as second, Outbox(campaign) as beside:
        assert 1 == stop_list(first).set([NUMBER, NUMBER], out=True, by="hand")
        seen = [stop_list(each).among([NUMBER, OTHER]) for each in (first, second, beside)]
        assert [{NUMBER}] * 3 == [set(each) for each in seen]
        assert (1, 0, set()) == (
            stop_list(second).set([NUMBER, OTHER], out=False, by="hand"),
            stop_list(second).set([NUMBER], out=False, by="hand"),
            set(stop_list(first).among([NUMBER])),
        )
        assert ([], 1) == (list(stop_list(first)), len(list(first.bucket("opt-out").items())))
