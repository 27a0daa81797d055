"""The group: lazy loading, help, errors that nobody expected."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from devinotify.cli.app import BROUGHT, COMMANDS, Commands, cli
from devinotify.cli.exits import MEANINGS
from devinotify.words import installing_plugin
from tests.cli.conftest import Run, document
from tests.cli.reference import exit_codes, markdown
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


class Bare(Commands):
    """The group where no plugin is installed, whatever is here."""

    def _take_in_plugins(self) -> None:
        pass


@pytest.fixture
def group() -> Commands:
    """A group of the same class without plugins, to add commands to."""
    return Bare("devinotify")


def outcome(group: Commands, *arguments: str) -> tuple[int, str, str]:
    """Return code, stdout and stderr of a run of another group."""
    result = CliRunner().invoke(group, list(arguments), prog_name="devinotify")
    return result.exit_code, result.stdout, result.stderr


@table("name", COMMANDS)
def test_the_table_has_the_commands_own_help(name: str) -> None:
    """What --help shows without loading a command is the first line of its help."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert COMMANDS[name][1] == (command.help or "").splitlines()[0]


@table("name", COMMANDS)
def test_every_command_has_json(name: str) -> None:
    """No command is without its machine output; of a group that holds for each of its own."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    leaves = command.commands.values() if isinstance(command, click.Group) else [command]
    assert [] == [leaf.name for leaf in leaves if "as_json" not in {parameter.name for parameter in leaf.params}]


@table("name", COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    """Each explains itself and exits with 0."""
    result = run(name, "--help")
    assert (0, f"Usage: devinotify {name} ") == (result.exit_code, result.stdout[: 19 + len(name)])


def test_help_does_not_show_the_url_of_the_environment(run: Run) -> None:
    """The variable's name is shown, its value is not."""
    result = run("send", "--help", url="devino://me:Zq7-correct-horse-battery@S")
    assert (True, False) == ("DEVINOTIFY_URL" in result.stdout, "me:" in result.stdout)


def test_no_command_shows_the_help(run: Run) -> None:
    """The bare command lists all commands and exit codes."""
    result = run()
    assert (0, True, True) == (
        result.exit_code,
        all(name in result.stdout for name in COMMANDS),
        all(meaning in result.stdout for meaning in MEANINGS.values()),
    )


@pytest.mark.once
def test_help_loads_no_command_and_no_gateway() -> None:
    """``--help`` is quick because it imports neither the commands nor what they need."""
    program = (
        "import sys; sys.argv = ['devinotify', '--help']\n"
        "from devinotify.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('devinotify.cli.send', 'devinotify.gateway.client', 'requests', 'phonenumbers',"
        " 'rich.table', 'starlette') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "[]" == shown.splitlines()[-1]


def test_the_version(run: Run) -> None:
    """--version names the program and its version."""
    result = run("--version")
    assert (0, "devinotify") == (result.exit_code, result.stdout.split()[0])


@table(
    "arguments",
    [
        ("devino://me:Zq7-correct-horse-battery@S",),
        ("balance", "devino://me:Zq7-correct-horse-battery@S"),
        ("balance", "me:Zq7-correct-horse-battery@S"),
        ("stats", "--start", "devino://me:Zq7-correct-horse-battery@S"),
        ("send", "Hello", "+79161234567", "--validity", "devino://me:Zq7-correct-horse-battery@S"),
        ("balance", "--ulr=devino://me:Zq7-correct-horse-battery@S"),
    ],
)
def test_a_url_in_the_wrong_place_is_not_shown(run: Run, arguments: tuple[str, ...]) -> None:
    """A usage error is one line that hides what it would quote."""
    result = run(*arguments)
    assert (2, "", 1) == (result.exit_code, result.stdout, len(result.stderr.splitlines()))


def test_a_usage_error_names_the_help(run: Run) -> None:
    """The line says where to read on."""
    assert "See: devinotify balance --help" in run("balance", "--nonsense").stderr


def test_a_usage_error_in_json(run: Run) -> None:
    """Even an option that does not exist is answered in JSON where that is asked for."""
    found = document(run("balance", "--nonsense", "--json"))
    assert ("UsageError", 2) == (found["error"]["type"], found["exit_code"])


def test_a_command_can_be_added(group: Commands) -> None:
    """A plugin's command is listed behind ours and runs."""

    @group.command("mine", short_help="A command of mine.")
    def mine() -> int:
        return 3

    assert ("mine", True, 3) == (
        group.list_commands(click.Context(group))[-1],
        "A command of mine." in outcome(group, "--help")[1],
        outcome(group, "mine")[0],
    )


def test_an_added_command_can_be_hidden(group: Commands) -> None:
    """A hidden command is not listed."""
    group.add_command(click.Command("secret", hidden=True))
    assert "secret" not in outcome(group, "--help")[1]


def test_our_commands_cannot_be_replaced(group: Commands) -> None:
    """A command of the same name is refused."""
    with pytest.raises(ValueError, match="a command send of its own"):
        group.add_command(click.Command("send"))


def raising(error: BaseException) -> click.Command:
    """Return a command that raises."""

    def callback() -> None:
        raise error

    return click.Command("fails", callback=callback)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RuntimeError("+79161234567"), 1, "a fault in devinotify: RuntimeError at tests.cli.test_app:"),
        (ImportError("gone", name="elsewhere"), 1, "a fault in devinotify: ImportError at tests.cli.test_app:"),
        (ImportError("gone"), 1, "a fault in devinotify: ImportError at tests.cli.test_app:"),
        (ImportError("gone", name="starlette"), 2, "this command needs an extra: pip install 'devinotify[sandbox]'"),
        (KeyboardInterrupt(), 130, "interrupted; what was being sent may have gone out"),
        (click.Abort(), 130, "interrupted; what was being sent may have gone out"),
        (click.ClickException("wrong"), 2, "wrong"),
        (click.exceptions.Exit(4), 4, ""),
    ],
)
def test_every_end_is_one_line_and_a_code(group: Commands, error: BaseException, code: int, line: str) -> None:
    """Whatever a command raises, there is no traceback and no text of the exception's own."""
    group.add_command(raising(error))
    found, stdout, stderr = outcome(group, "fails")
    assert (code, "", True) == (found, stdout, stderr.removeprefix("devinotify: ").startswith(line))
    assert "79161234567" not in stderr


def test_a_fault_in_json(group: Commands) -> None:
    """A fault is a document too."""
    group.add_command(
        click.Command("fails", params=[click.Option(["--json"], is_flag=True)], callback=lambda **_: 1 / 0)
    )
    code, stdout, stderr = outcome(group, "fails", "--json")
    assert (1, "", True) == (code, stderr, '"type": "Fault"' in stdout)


def test_without_standalone_mode_everything_is_raised(group: Commands) -> None:
    """Who embeds the group gets the exceptions themselves."""
    group.add_command(raising(RuntimeError("mine")))
    with pytest.raises(RuntimeError, match="mine"):
        group.main(["fails"], standalone_mode=False)


def test_another_error_of_the_system_is_a_fault(group: Commands) -> None:
    """Only a closed pipe is quiet."""
    group.add_command(raising(OSError(errno.EIO, "disk")))
    assert 1 == outcome(group, "fails")[0]


@table("shell, mark", [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no-files")])
def test_the_completion_script_is_printed(run: Run, shell: str, mark: str) -> None:
    """Each shell has its script."""
    result = run("completion", shell)
    assert (0, True) == (result.exit_code, mark in result.stdout)


def test_the_completion_script_in_json(run: Run) -> None:
    """The script comes in a document as well."""
    found = document(run("completion", "fish", "--json"))
    assert ("fish", True) == (found["shell"], "_DEVINOTIFY_COMPLETE" in found["script"])


def test_another_shell_is_a_usage_error(run: Run) -> None:
    """Only what click knows can be completed."""
    assert 2 == run("completion", "cmd").exit_code


def test_the_reference_has_every_command_and_code() -> None:
    """The reference comes from the help of all commands, and from the table of all codes, with nothing else in it."""
    text = markdown()
    assert [] == [name for name in COMMANDS if f"## `devinotify {name} " not in text]
    codes = re.findall(r"^\| (\d+) \|", "\n".join(exit_codes()), re.MULTILINE)
    assert sorted(MEANINGS) == [int(code) for code in codes]


def _commands(context: click.Context, group: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    further = getattr(group, "commands", {})
    if not isinstance(group, click.Group):
        yield name, group
    for each in further:
        yield from _commands(context, further[each], f"{name} {each}")


def test_every_command_of_ours_has_json() -> None:
    """The page of JSON says so: a script never has to read a table."""
    context = click.Context(cli, info_name="devinotify")
    ours = [(name, cli.get_command(context, name)) for name in COMMANDS]
    found = {
        full: command for name, group in ours if group is not None for full, command in _commands(context, group, name)
    }
    assert len(found) > len(COMMANDS)
    assert [] == [name for name, command in found.items() if not any("--json" in each.opts for each in command.params)]


@table(
    "arguments, expected",
    [
        (("balanc",), "No such command 'balanc'. Did you mean balance? See: devinotify --help"),
        (("outbox", "lst"), "No such command 'lst'. Did you mean list? See: devinotify outbox --help"),
        (("xyzzy",), "No such command 'xyzzy'. See: devinotify --help"),
        (("outbox", "--al"), "No such option"),
    ],
)
def test_a_mistyped_command_is_told_what_was_meant(arguments: tuple[str, ...], expected: str, run: Run) -> None:
    """The nearest name, where one is near."""
    result = run(*arguments)
    assert (2, True) == (result.exit_code, expected in result.stderr)


@table("command, plugin", sorted(BROUGHT.items()))
def test_a_command_of_a_plugin_that_is_not_there_names_it(command: str, plugin: str) -> None:
    """Who calls it without the plugin is told which package brings it, and how to install that."""
    result = CliRunner().invoke(Bare("devinotify"), [command], prog_name="devinotify")
    expected = f"No such command '{command}'. devinotify-{plugin} brings it, "
    assert (2, True) == (result.exit_code, result.stderr.startswith(f"devinotify: {expected}")), result.stderr
    assert installing_plugin(plugin) in result.stderr


def test_the_commands_of_our_plugins_are_known() -> None:
    """The table has every command that a plugin of this repository brings, with that plugin."""
    brought = {
        name.replace("_", "-"): source.relative_to(ROOT).parts[1]
        for source in (ROOT / "plugins").glob("*/src/*/*.py")
        for name in re.findall(r"group\.add_command\((\w+)\)", source.read_text("utf-8"))
    }
    assert brought == BROUGHT


def test_an_unknown_channel_is_no_fault_of_the_url(run: Run, account: Sandbox) -> None:
    """What an option got wrong is told with the names there are, and with that command's help."""
    result = run("send", "Hi", "+79161234567", "--channel", "smz")
    expected = "there is no channel 'smz': the channels are sms, viber, sms-viber, viber-sms, null; did you mean sms?"
    assert (2, True, False) == (result.exit_code, expected in result.stderr, "devinotify url" in result.stderr)
