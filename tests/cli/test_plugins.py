"""``devinotify plugins``, and the commands that plugins bring."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from babel.messages import Catalog
from click.testing import CliRunner

from devinotify import hookspecs, translation
from devinotify.cli import plugins as module
from devinotify.cli.app import Commands
from tests.cli import catalogue
from tests.cli.conftest import Run, document
from tests.distributions import install, make_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = """
import click
from devinotify import hookimpl

@click.command()
def rota():
    "Show who is on call."
    click.echo("Jane")

@hookimpl
def devinotify_register_commands(group):
    group.add_command(rota)
"""
BROKEN_COMMAND = """
from devinotify import hookimpl

@hookimpl
def devinotify_register_commands(group):
    raise RuntimeError("a secret word")
"""
TAKEN_COMMAND = COMMAND.replace("def rota", "def send").replace("(rota)", "(send)")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder on the path to install distributions in."""
    monkeypatch.delenv("DEVINOTIFY_DISABLE_PLUGINS", raising=False)  # what is left out is told of, too
    yield from make_site(tmp_path, monkeypatch)


def outcome(*arguments: str) -> tuple[int, str]:
    """Return code and stdout of a run of a new group, which has not looked for plugins yet."""
    result = CliRunner().invoke(Commands("devinotify"), list(arguments), prog_name="devinotify")
    return result.exit_code, result.stdout


SPEAKING_COMMAND = """
import click
from devinotify import hookimpl
from devinotify.translation import _, ngettext

@click.command()
@click.option("--night", is_flag=True, help="At night.")
def rota(night):
    "Show who is on call."
    if night:
        raise click.UsageError("nobody is on call at night")
    click.echo(_("{name} is on call", name="Jane"))
    click.echo(ngettext("{count} hour is left", "{count} hours are left", 5))

@hookimpl
def devinotify_register_commands(group):
    group.add_command(rota)
"""


@pytest.fixture
def speaking_site(site: Path) -> Iterator[Path]:
    """A plugin with a catalogue of its own, as a package; what is known of catalogues is forgotten before and after."""
    package = site / "devinotify_rota"
    catalogues = package / "locale" / "ru" / "LC_MESSAGES"
    catalogues.mkdir(parents=True)
    package.joinpath("__init__.py").write_text(SPEAKING_COMMAND, "utf-8")
    install(site, "rota", "", entry_points={"rota": "devinotify_rota"})
    found = Catalog()
    found.add("Show who is on call.", "Показать, кто дежурит.")
    found.add("{name} is on call", "дежурит {name}")
    found.add(
        ("{count} hour is left", "{count} hours are left"), ("{count} час", "{count} часа", "осталось {count} часов")
    )
    found.add("nobody is on call at night", "ночью никто не дежурит", context=translation.ERROR)
    catalogues.joinpath("devinotify_rota.mo").write_bytes(catalogue.compiled(found))
    for cached in (translation._of_plugins, translation._patterns):
        cached.cache_clear()
    yield site
    for cached in (translation._of_plugins, translation._patterns):
        cached.cache_clear()


def test_a_plugin_brings_a_catalogue_of_its_own(speaking_site: Path) -> None:
    """Its help, what it says, and its errors; what its catalogue does not have stays as it is."""
    told = outcome("rota", "--lang", "ru", "--help")[1]
    assert (True, True) == ("Показать, кто дежурит." in told, "At night." in told)
    listed = (
        CliRunner().invoke(Commands("devinotify"), ["--help"], env={"LANGUAGE": "ru"}, prog_name="devinotify").stdout
    )
    assert "rota        Показать, кто дежурит." in listed
    assert (0, "дежурит Jane\nосталось 5 часов\n") == outcome("rota", "--lang", "ru")
    assert (0, "Jane is on call\n5 hours are left\n") == outcome("rota")
    result = CliRunner().invoke(Commands("devinotify"), ["rota", "--lang", "ru", "--night"], prog_name="devinotify")
    assert (2, True) == (result.exit_code, "ночью никто не дежурит" in result.stderr)


def test_a_damaged_catalogue_leaves_its_plugin_in_english(speaking_site: Path) -> None:
    """And everything else as it is."""
    (file,) = speaking_site.rglob("*.mo")
    file.write_bytes(b"not a catalogue")
    assert (0, "Jane is on call\n5 hours are left\n") == outcome("rota", "--lang", "ru")


def test_the_group_is_that_of_the_hooks() -> None:
    """The command line looks where the manager does."""
    assert hookspecs.PROJECT == module.GROUP


def test_lists_the_built_ins(run: Run) -> None:
    """What the core brings itself is listed like the rest."""
    listed = document(run("plugins", "--json"))
    assert {"name": "sms", "origin": "built in", "built_in": True, "hooks": ["register_channels"]} in listed["plugins"]
    assert (["sms", "viber", "sms-viber", "viber-sms", "null"], 0) == (listed["channels"][:5], listed["exit_code"])


def test_lists_what_is_installed(run: Run, site: Path) -> None:
    """An installed plugin is listed with its distribution and its hooks."""
    install(site, "devinotify_rota", COMMAND, entry_points={"rota": "devinotify_rota"})
    listed = document(run("plugins", "--json"))
    assert {
        "name": "rota",
        "origin": "devinotify_rota 1.2",
        "built_in": False,
        "hooks": ["register_commands"],
    } in listed["plugins"]


def test_lists_what_failed(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed to load is listed with the reason, and so is what was left out on purpose; the code is 0."""
    install(site, "devinotify_broken", "import there_is_no_such_module")
    install(site, "devinotify_unwanted", COMMAND)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", "devinotify_unwanted")
    result = run("plugins", "--json")
    assert [
        {
            "name": "devinotify_broken",
            "origin": "devinotify_broken 1.2",
            "reason": "ModuleNotFoundError: No module named 'there_is_no_such_module'",
            "disabled": False,
        },
        {
            "name": "devinotify_unwanted",
            "origin": "devinotify_unwanted 1.2",
            "reason": "left out by DEVINOTIFY_DISABLE_PLUGINS",
            "disabled": True,
        },
    ] == document(result)["failed"]
    assert 0 == result.exit_code


def test_lists_a_plugin_whose_channel_is_taken(run: Run, site: Path) -> None:
    """What is left out for the channels that it brings is among those that failed."""
    source = "from devinotify import hookimpl\nfrom devinotify.channels import direct\n"
    source += "@hookimpl\ndef devinotify_register_channels():\n    return [direct.SMS]\n"
    install(site, "devinotify_rude", source)
    (failed,) = document(run("plugins", "--json"))["failed"]
    assert ("devinotify_rude", "ValueError: there is a channel named sms already") == (failed["name"], failed["reason"])


def test_as_tables(run: Run, site: Path) -> None:
    """Without --json there are two tables: what is in use, and what is not."""
    install(site, "devinotify_rota", COMMAND)
    install(site, "devinotify_broken", "raise RuntimeError('out of order')")
    result = run("plugins")
    loaded, _, left_out = result.stdout.partition("left out")
    assert ("devinotify_rota 1.2" in loaded, "register_commands" in loaded) == (True, True)
    assert ("devinotify_broken 1.2" in left_out, "RuntimeError: out of order" in left_out) == (True, True)


@pytest.mark.usefixtures("site")
def test_one_table_where_nothing_failed(run: Run) -> None:
    """Where all are loaded nothing is said of those that are not."""
    assert "left out" not in run("plugins").stdout


def test_register_commands(site: Path) -> None:
    """A plugin's command is there, in the list and to be run."""
    install(site, "devinotify_rota", COMMAND)
    assert (0, "Jane\n") == outcome("rota")
    code, text = outcome("--help")
    assert (0, True) == (code, "rota        Show who is on call." in text)


def test_register_commands_is_called_once(site: Path) -> None:
    """The plugins are asked once in a process, however often the list is."""
    install(site, "devinotify_rota", COMMAND)
    group = Commands("devinotify")
    context = click.Context(group)
    assert group.list_commands(context) == group.list_commands(context)
    assert 1 == group.list_commands(context).count("rota")


def test_register_commands_not_for_our_own(site: Path) -> None:
    """A command of our own runs without loading a plugin."""
    install(site, "devinotify_loud", "print('loaded')")
    code, text = outcome("phone", "+79161234567")
    assert (0, False) == (code, "loaded" in text)


@pytest.mark.parametrize("source", [BROKEN_COMMAND, "raise RuntimeError", TAKEN_COMMAND])
def test_register_commands_that_breaks(source: str, site: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A broken plugin is told of, and takes neither the list nor the other plugins' commands away."""
    install(site, "devinotify_broken", source)
    install(site, "devinotify_rota", COMMAND)
    code, text = outcome("--help")
    assert (0, True) == (code, "rota " in text)
    assert "devinotify_broken" in caplog.text
    assert "a secret word" not in caplog.text


def test_register_commands_twice(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second of two plugins with one command is told of; the first one's stays."""
    install(site, "devinotify_rota", COMMAND)
    install(site, "devinotify_rota_too", COMMAND.replace("Jane", "Joe"))
    with caplog.at_level(logging.ERROR):
        code, text = outcome("rota")
    assert (0, 1) == (code, len(caplog.records))
    assert text.strip() in {"Jane", "Joe"}


def test_register_commands_of_a_broken_distribution(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the metadata of some distribution cannot be read, the list of our own commands is still shown."""
    install(site, "devinotify_rota", COMMAND)
    (site / "devinotify_rota-1.2.dist-info" / "entry_points.txt").write_text("[devinotify]\nno equals sign\n", "utf-8")
    code, text = outcome("--help")
    assert (0, True) == (code, "plugins " in text)


def test_an_unknown_command(site: Path) -> None:
    """What is no command of anybody's is a usage error."""
    install(site, "devinotify_rota", COMMAND)
    assert 2 == outcome("rotaa")[0]


@pytest.mark.once
def test_the_process_tells_of_a_broken_plugin_on_stderr(site: Path) -> None:
    """In a process of its own a broken plugin is one line on stderr, without a traceback, and the code is 0."""
    install(site, "devinotify_broken", BROKEN_COMMAND)
    code = f"import sys; sys.path.insert(0, {str(site)!r}); sys.argv = ['devinotify', '--help']"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; from devinotify.cli import main; main()"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "the plugin devinotify_broken raised RuntimeError in devinotify_register_commands\n" == done.stderr
    assert "demo" in done.stdout


@pytest.mark.once
def test_help_without_plugins_loads_no_manager() -> None:
    """Where no plugin is installed, the list of commands costs no more than looking for one."""
    code = "import sys; sys.argv = ['devinotify', '--help']; from devinotify.cli.app import cli\n"
    code += "import importlib.metadata as metadata; metadata.entry_points = lambda **_: []\n"
    code += "cli.main(standalone_mode=False); print('devinotify.plugins' in sys.modules, 'requests' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "False False" == done.stdout.splitlines()[-1]
