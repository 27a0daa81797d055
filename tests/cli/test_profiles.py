"""Profiles on the command line, and a password that stands there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.shell_completion import ShellComplete
from hypothesis import given

from devinotify import DevinoURL, Outbox
from devinotify.cli.app import cli
from devinotify.cli.exposure import ADVICE, is_exposed
from tests.cli.conftest import Run, document
from tests.cli.servers import PASSWORD
from tests.tables import table
from tests.test_url import settings as urls

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"
SAID = f"devinotify: {ADVICE}\n"
DEMO = "devino://demo:demo@S?gateway=http://127.0.0.1:8026/rest"


@pytest.fixture(autouse=True)
def _configured(sandbox: Sandbox) -> None:
    """Two profiles, one of which is the default, and an alias."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "devinotify", "config.toml")
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    gateway = sandbox.gateway
    path.write_text(
        f'default_profile = "default"\n[profiles.default]\nurl = "devino://demo:wrong@DEVINO?gateway={gateway}"\n'
        f'[profiles.right]\nlogin = "demo"\npassword = "{PASSWORD}"\nsender = "DEVINO"\ngateway = "{gateway}"\n'
        f'[aliases]\noncall = ["{NUMBER}"]\n',
        encoding="utf-8",
    )


def _add(text: str) -> None:
    """Put text into the middle of the file, where tables are."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "devinotify", "config.toml")
    path.write_text(path.read_text("utf-8").replace("[aliases]", f"{text}[aliases]"), encoding="utf-8")


def test_a_profile_is_named(run: Run) -> None:
    """By an option, before a URL of the environment; without it, it is the default one."""
    assert [3, 0, 0] == [
        run("balance").exit_code,
        run("balance", "--profile", "right").exit_code,
        run("balance", "--profile", "right", url="devino://a:b@C").exit_code,
    ]


def test_a_variable_names_one(run: Run, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """A URL of the environment goes before it."""
    monkeypatch.setenv("DEVINOTIFY_PROFILE", "right")
    assert 0 == run("balance").exit_code
    assert 3 == run("balance", url=sandbox.url.replace(PASSWORD, "wrong")).exit_code


def test_both_are_too_many(run: Run) -> None:
    """Either could be meant, wherever they stand."""
    both = ("balance", "--profile", "right"), ("--profile", "right", "balance")
    for arguments in both:
        result = run(*arguments, "--url", "devino://a@B")
        assert (2, True) == (result.exit_code, "--url and --profile both name an account" in result.stderr)


def test_a_profile_before_the_command(run: Run) -> None:
    """Is as good as one behind it, which goes before it."""
    url = "devino://a:b@C"
    assert [0, 0, 3] == [
        run("--profile", "right", "balance").exit_code,
        run("--profile", "right", "send", "Hi", NUMBER, url=url).exit_code,
        run("--profile", "right", "balance", "--profile", "default", url=url).exit_code,
    ]
    result = run("--profile", "rihgt", "balance")
    assert (2, "devinotify: there is no profile 'rihgt': did you mean right?\n") == (result.exit_code, result.stderr)


def test_an_outbox_is_the_profiles(run: Run, tmp_path: Path) -> None:
    """Before the command and behind it; no password is looked for to read what is on this machine."""
    _add(f'[profiles.apart]\nurl = "devino://me@S?limit=5/day"\noutbox = "{tmp_path / "apart.db"}"\n')
    said = f"devinotify: there is no outbox at {tmp_path / 'apart.db'}\n"
    url = "devino://a:b@C"
    assert said == run("outbox", "list", "--profile", "apart", url=url).stderr
    assert said == run("--profile", "apart", "outbox", "workers", url=url).stderr
    Outbox(tmp_path / "apart.db").close()
    for command in ("list", "limits", "workers", "migrate"):
        assert 0 == run("outbox", command, "--profile", "apart", url=url).exit_code
    assert 0 == run("--profile", "apart", "outbox", "adopt", "--from", "you@integrationapi.net/rest").exit_code


def test_commands_about_a_profile_take_one_before_them(run: Run, sandbox: Sandbox) -> None:
    """``config show`` and ``login`` and ``logout`` too; one behind them goes before it."""
    named = ("--profile", "right")
    for arguments in ((*named, "config", "show"), ("--profile", "default", "config", "show", *named)):
        settings = {row["key"]: row["from"] for row in document(run(*arguments, "--json"))["settings"]}
        assert settings["login"].endswith("config.toml:5")
    login = ("login", "--login", "demo", "--sender", "S", "--gateway", sandbox.gateway, "--file", "--json")
    assert "third" == document(run("--profile", "third", *login, stdin=PASSWORD))["profile"]
    account = document(run("--profile", "third", "logout", "--json"))
    assert (1, 0) == (len(account["removed_from"]), account["exit_code"])


def test_a_plugins_command_has_the_profiles_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it looks for one, and nothing is left of that behind it."""
    from devinotify.cli.app import Commands
    from devinotify.cli.named import profile_option

    def look() -> None:
        click.echo(DevinoURL.parse(DevinoURL.in_environment() or "").login)

    group = profile_option(Commands("devinotify"))
    group.add_command(click.Command("mine", callback=look))
    monkeypatch.setenv("DEVINOTIFY_URL", "devino://variable:p@S")
    for arguments, code in ((["--profile", "right", "mine"], 0), (["mine"], 0), (["--profile", "rihgt", "mine"], 2)):
        with pytest.raises(SystemExit) as ended:
            group.main(arguments, prog_name="devinotify")
        assert code == ended.value.code
        assert "devino://variable:p@S" == os.environ["DEVINOTIFY_URL"]
    told = capsys.readouterr()
    assert ("demo\nvariable\n", True) == (told.out, "did you mean right?" in told.err)
    monkeypatch.delenv("DEVINOTIFY_URL")
    with pytest.raises(SystemExit):
        group.main(["--profile", "right", "mine"], prog_name="devinotify")
    assert "DEVINOTIFY_URL" not in os.environ


def test_a_dry_run_needs_no_password(run: Run, tmp_path: Path) -> None:
    """It is looked for nowhere by ``send``; ``bulk`` only wants it for the balance, and says what is missing."""
    _add(f'[profiles.bare]\nurl = "devino://me@S/{NUMBER}?price=2"\npassword_file = "gone"\n')
    (tmp_path / "list").write_text(NUMBER + "\n", encoding="utf-8")
    sent = run("send", "Hi", "--profile", "bare", "--dry-run")
    assert (0, True) == (sent.exit_code, "cost 2" in sent.stdout)
    planned = run("bulk", str(tmp_path / "list"), "--text", "Hi", "--dry-run", "--profile", "bare")
    assert (0, True) == (planned.exit_code, "the balance is not known: password_file: " in planned.stderr)
    for arguments in (("send", "Hi", NUMBER), ("bulk", str(tmp_path / "list"), "--text", "Hi", "--test-to", NUMBER)):
        refused = run(*arguments, "--profile", "bare")
        assert (2, True) == (refused.exit_code, "password_file: " in refused.stderr)


def test_a_mistyped_profile(run: Run) -> None:
    """The nearest is named; nothing else is advised."""
    result = run("balance", "--profile", "rihgt")
    assert (2, "devinotify: there is no profile 'rihgt': did you mean right?\n") == (result.exit_code, result.stderr)


def test_a_mistyped_file_is_told(run: Run, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one means it: it is not taken for none, be it for an account, an outbox or an alias alone."""
    named = tmp_path / "cofnig.toml"
    monkeypatch.setenv("DEVINOTIFY_CONFIG", str(named))
    said = f"DEVINOTIFY_CONFIG: {named}: there is no such file"
    send = ("send", "Hi", "oncall")
    for found in (
        run("balance"),
        run("config", "show"),
        run("outbox", "list"),
        run(*send),
        run(*send, "--dry-run"),
        run(*send, url=sandbox.url),
        run(*send, "--dry-run", url=sandbox.url),
    ):
        assert (2, True) == (found.exit_code, said in found.stderr)
    assert [0, 0] == [run("--help").exit_code, run("config", "path").exit_code]


def test_an_alias_is_a_recipient(run: Run, sandbox: Sandbox) -> None:
    """With a profile, and with a URL of the environment alike."""
    for found in (run("send", "Hi", "oncall", "--profile", "right"), run("send", "Hi", "oncall", url=sandbox.url)):
        assert (0, True) == (found.exit_code, NUMBER in found.stdout)


def test_a_command_behind_another_has_it_too(run: Run, tmp_path: Path) -> None:
    """A profile before the last word is meant for it."""
    (tmp_path / "list").write_text(NUMBER + "\n", encoding="utf-8")
    journal = str(tmp_path / "journal.db")
    arguments = (str(tmp_path / "list"), "--text", "Hi", "--journal", journal, "--yes", "--profile", "right")
    assert 0 == run("bulk", *arguments).exit_code
    assert 0 == run("bulk", "status", journal, "--profile", "right").exit_code


def test_profiles_are_completed() -> None:
    """Those whose names begin so; a broken file has none."""

    def offered(*words: str) -> list[str]:
        shell = ShellComplete(cli, {}, "devinotify", "_X")
        return [each.value for each in shell.get_completions([*words, "--profile"], "r")]

    for words in ([], ["balance"], ["outbox", "list"], ["outbox", "pace"], ["config", "show"], ["login"], ["logout"]):
        assert ["right"] == offered(*words)
    path = Path(os.environ["XDG_CONFIG_HOME"], "devinotify", "config.toml")
    path.unlink()
    path.mkdir()
    assert [] == offered("balance")


def test_help_reads_no_configuration(run: Run) -> None:
    """Whatever is wrong with it."""
    Path(os.environ["XDG_CONFIG_HOME"], "devinotify", "config.toml").write_text("[", encoding="utf-8")
    assert 0 == run("balance", "--help").exit_code
    result = run("balance")
    assert (2, True) == (result.exit_code, "it is not TOML" in result.stderr)
    assert 0 == run("balance", "--url", "devino://a:b@C?channel=null", "--help").exit_code


# --- a password on the command line


@pytest.mark.parametrize("arguments", [("--url", "{}"), ("--url={}",)])
def test_a_password_on_the_command_line_is_told(run: Run, closed_url: str, arguments: tuple[str, ...]) -> None:
    """Once, on stderr, with what keeps it out of there; with --json too, whose stdout is a document alone."""
    url = closed_url.replace("//demo", "//me")
    given_url = [argument.format(url) for argument in arguments]
    assert 1 == run("balance", *given_url).stderr.count(SAID)
    result = run("balance", *given_url, "--json")
    assert (SAID, "NotSent") == (result.stderr, document(result)["error"]["type"])


@pytest.mark.parametrize("url", ["devino://me:p@S", "devino://me@S"])
def test_one_that_is_elsewhere_is_not(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a variable nobody else sees it, and a URL without one shows none."""
    monkeypatch.setenv("DEVINOTIFY_PASSWORD", "p")
    result = run("send", "Hi", "12", url=url) if ":p" in url else run("send", "Hi", "12", "--url", url)
    assert ADVICE not in result.stderr


def test_the_sandboxs_own_is_no_secret(run: Run, sandbox: Sandbox) -> None:
    """Its URL is printed for everybody, and goes nowhere."""
    assert ("", 0) == ((result := run("balance", "--url", sandbox.url)).stderr, result.exit_code)


@table(
    "arguments, expected",
    [
        (["balance"], False),
        (["send", "Hi", NUMBER], False),
        (["x", "devino://me:pass@S"], True),
        (["x", "--url=DEVINO://me:pass@S"], True),
        (["x", DEMO], False),
        (["x", "devino://demo:demo@S?gateway=http://[::1]:8026/rest"], False),
        (["x", "devino://demo:demo@S"], True),
        (["x", "devino://me:demo@S?gateway=http://127.0.0.1:8026/rest"], True),
        (["x", "devino://demo:demo@S?gateway=http://127.0.0.1.example/rest&insecure=yes"], True),
        (["x", "devino://demo:pa/ss@S"], True),
        (["x", "devino://me@S", "devino://:@S"], False),
        (["worker", "--outbox", "postgresql://u:secret@h/x"], True),
        (["bulk", "--journal=postgres://u:secret@h/x?campaign=c"], True),
        (["worker", "--outbox", "postgresql://u:2@h/x"], True),
        (["worker", "--outbox", "postgresql://h:5432/x?application_name=me@h"], False),
        (["worker", "--outbox", "postgresql://u@h:5432/x"], False),
        (["worker", "--outbox", "postgresql://u%3Ax@h/x"], False),
        (["x", "devino://me@S?patience=60&outbox=postgresql%3A%2F%2Fu%3Asecret%40h%2Fx"], True),
        (["x", "devino://me@S?outbox=postgresql://u:secret@h/x"], True),
        (["x", "devino://me@S?outbox=postgresql%3A%2F%2Fu%40h%2Fx"], False),
        (["x", f"{DEMO}&outbox=postgresql%3A%2F%2Fu%3Asecret%40h%2Fx"], True),
        (["x", f"--url={DEMO}&outbox=postgresql%3A%2F%2Fu%40h%2Fx"], False),
    ],
)
def test_what_is_exposed(arguments: list[str], expected: bool) -> None:
    """Wherever it stands, and whatever is wrong with it; not what everybody knows."""
    assert expected == is_exposed(arguments)


@table(
    "arguments",
    [
        ("worker", "--once", "--outbox", "{}"),
        ("outbox", "list", "--outbox", "{}"),
        ("bulk", "people.csv", "--journal", "{}&campaign=may"),
        ("bulk", "status", "{}&campaign=may"),
        ("bulk", "people.csv", "--exclude-journal", "{}&campaign=may", "--exclude-journal", "{}&campaign=june"),
    ],
)
def test_a_databases_password_is_told_too(run: Run, arguments: tuple[str, ...]) -> None:
    """Once, by each command that takes one, whatever becomes of it; nothing else shows it."""
    place = "postgresql://me:secret@127.0.0.1:1/x?connect_timeout=2"
    result = run(*(argument.format(place) for argument in arguments))
    assert (1, False) == (result.stderr.count(SAID), "secret" in result.output + result.stderr)


@given(url=urls)
def test_any_password_is_seen(url: DevinoURL) -> None:
    """But that of the sandbox's own account on this machine."""
    expected = not (url.is_loopback and url.login == "demo")
    assert expected == is_exposed(["x", url.to_url()]) == is_exposed([f"--url={url.to_url()}"])


def test_a_plugins_command_is_looked_at_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has options of its own, which ours know nothing of."""
    from devinotify.cli.app import Commands
    from devinotify.cli.speech import lang_option

    group = Commands("devinotify", params=[lang_option()])
    group.add_command(click.Command("mine", params=[click.Argument(["url"])], callback=str))
    for arguments in (
        ["mine", "devino://me:pass@S"],
        ["--lang", "en", "mine", "devino://me:pass@S"],
        ["mine", "devino://me@S"],
        ["yours", "devino://me:pass@S"],
    ):
        with pytest.raises(SystemExit):
            group.main(arguments, prog_name="devinotify")
    assert 2 == capsys.readouterr().err.count(ADVICE)
