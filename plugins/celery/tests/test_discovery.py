"""How an app finds the tasks as its worker starts: each in a fresh process, where nobody has imported them before."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHOP = """
from celery import Celery
app = Celery("shop", broker="memory://", set_as_current=True)
{discover}
for _ in range(2):
    print(*sorted(name for name in app.tasks if name.startswith("devinotify.")))
    app.loader.init_worker()  # as a worker does
"""
SETTINGS = """
SECRET_KEY = "shop"
INSTALLED_APPS = ["devinotify_celery"]
"""
BY_NAME = 'app.autodiscover_tasks(["devinotify_celery"])'
BY_DJANGO = "app.autodiscover_tasks()"


def found(folder: Path, discover: str, **variables: str) -> list[str]:
    """Return the tasks that the app has before its worker starts, and those after it."""
    (folder / "shop_settings.py").write_text(SETTINGS)
    done = subprocess.run(
        [sys.executable, "-c", SHOP.format(discover=discover)],
        env={**os.environ, "PYTHONPATH": str(folder), **variables},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("discover", "variables"),
    [(BY_NAME, {}), (BY_DJANGO, {"DJANGO_SETTINGS_MODULE": "shop_settings"})],
    ids=["by name", "in INSTALLED_APPS"],
)
def test_a_worker_finds_the_tasks(tmp_path: Path, discover: str, variables: dict[str, str]) -> None:
    """By the package's name, and in Django because it is one of the installed apps."""
    all_of_them = "devinotify.drain devinotify.notify devinotify.send_sms devinotify.watch"
    assert ["", all_of_them] == found(tmp_path, discover, **variables)
