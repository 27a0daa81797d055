"""The README's pictures, made anew: ``python -m tests.browser.screenshots docs/screenshots``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify.sandbox import Sandbox
from tests.browser.chromium import launched
from tests.browser.conftest import show
from tests.browser.inhabited import inhabit

if TYPE_CHECKING:
    from typing import Literal

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
VIEWS = {"list": "messages", "detail": "messages/9"}


def take(folder: Path) -> None:
    """Write a picture of the list and of a message, in light and in dark."""
    with Sandbox() as sandbox, launched() as browser:
        inhabit(sandbox)
        for scheme in SCHEMES:
            with browser.new_context(
                viewport={"width": 1180, "height": 640}, color_scheme=scheme, reduced_motion="reduce"
            ) as context:
                page = context.new_page()
                for name, view in VIEWS.items():
                    show(page, sandbox, view)
                    page.screenshot(path=folder / f"{name}-{scheme}.png")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
