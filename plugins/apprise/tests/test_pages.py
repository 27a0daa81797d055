"""The pages of the site: what they show of this plugin is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ONE, arrived
from tests.test_readme import README, needs_bash, run

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

DOCS = Path(__file__).parents[3] / "docs"

pytestmark = [
    pytest.mark.skipif(not DOCS.is_dir(), reason="a source distribution of the plugin has no pages"),
    needs_bash,
]


def shown(page: str, language: str, start: str) -> str:
    """Return the one block of a page in a language that has a line which begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (DOCS.parent / page).read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if re.search(f"^{re.escape(start)}", block, re.MULTILINE))
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("page", ["README.md", "README.ru.md", "docs/ru/how-to/hosts.md"])
def test_the_first_commands_send(gateway: Sandbox, tmp_path: Path, page: str) -> None:
    """They make the plugin known to Apprise, and send by its command; what installs this plugin is done."""
    code = shown(page, "sh", "pip install '.[cli]' ./plugins/apprise")
    done = run("pip() { :; }\n" + code, gateway, tmp_path)
    assert (0, [ONE]) == (done.returncode, [recipient for recipient, _ in arrived(gateway)]), done.stderr


def test_the_configuration_sends(gateway: Sandbox, tmp_path: Path) -> None:
    """The file is understood by Apprise's command, which sends to whom the tag names."""
    page = "docs/ru/how-to/hosts.md"
    base, _, query = gateway.url.partition("?")
    file = shown(page, "yaml", "# apprise.yml").replace("devino://LOGIN:PASSWORD@SENDER:", f"{base}/?{query}:")
    (tmp_path / "apprise.yml").write_text(file, "utf-8")
    done = run("devinotify apprise install\n" + shown(page, "sh", "apprise -vv -c apprise.yml"), gateway, tmp_path)
    assert (0, [ONE]) == (done.returncode, [recipient for recipient, _ in arrived(gateway)]), done.stderr


def test_an_image_is_made_as_by_the_readme() -> None:
    """The Dockerfile is the README's, whose line is proved to install."""
    assert f"```dockerfile\n{shown('docs/ru/how-to/hosts.md', 'dockerfile', 'FROM')}```" in README


@pytest.mark.parametrize("page", ["docs/troubleshooting.md", "docs/ru/troubleshooting.md"])
def test_a_mistyped_key_is_told(gateway: Sandbox, tmp_path: Path, page: str) -> None:
    """With ``-v`` it is said in the lines that are shown, but for the time."""
    url = "devino://demo:demo@DEVINO/+79161234567?chanel=viber"
    done = run(f"devinotify apprise install\nurl={url}\napprise -v -b text $url || true", gateway, tmp_path)
    printed = [line.split(" - ", 1)[-1] for line in (done.stdout + done.stderr).splitlines()]
    lines = shown(page, "text", "WARNING - Devino: unknown key").splitlines()
    assert [] == [line for line in lines if line not in printed], printed
