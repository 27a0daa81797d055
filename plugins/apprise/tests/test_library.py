"""``install --library``: what every ``import apprise`` of a Python knows then, what it costs, what is left of it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from devinotify_apprise import hooks, importhook, library, shim
from tests.support import ONE, arrived, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox


class Environment:
    """A virtual environment with its Python; ``packages`` is its own folder of packages."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=os.name != "nt")
        self._python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.packages = Path(self("import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())

    def __call__(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run code."""
        return self._run("-c", code, *arguments)

    def devinotify(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return self._run("-m", "devinotify", *arguments)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PYTHONIOENCODING": "utf-8", "HOME": str(self._python.parents[1])}
        return subprocess.run(
            [str(self._python), *arguments],
            env=environ,
            cwd=self._python.parent,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that has the packages of the one that runs the tests."""
    found = Environment(tmp_path_factory.mktemp("environment"))
    borrowed = [one for one in sys.path if one and Path(one).is_dir()]
    (found.packages / "_borrowed.pth").write_text("\n".join(borrowed) + "\n", "utf-8")
    return found


@pytest.fixture
def installed(environment: Environment) -> Iterator[Environment]:
    """The same, told of ``devino://``."""
    done = environment.devinotify("apprise", "install", "--library")
    assert (0, f"installed: {environment.packages / library.FILE.name}\n", "") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )
    yield environment
    environment.devinotify("apprise", "uninstall", "--library")


@pytest.fixture
def bare(tmp_path: Path) -> Environment:
    """An environment with our line and no package at all."""
    found = Environment(tmp_path / "bare")
    library.FILE.install(found.packages)
    return found


EMBEDDED = """\
import sys
import apprise
sender = apprise.Apprise()
sys.exit(not (sender.add(sys.argv[1]) and sender.notify("hi")))
"""


@pytest.mark.versions
def test_a_tool_that_embeds_apprise_sends(installed: Environment, gateway: Sandbox) -> None:
    """A program that knows Apprise alone sends; so it goes until uninstall, which leaves nothing."""
    before = sorted(path.name for path in installed.packages.iterdir() if path.name != library.FILE.name)
    done = installed(EMBEDDED, url_of(gateway, ONE))
    assert (0, [(ONE, "hi")]) == (done.returncode, arrived(gateway)), done.stderr
    said = installed.devinotify("apprise", "uninstall").stdout
    assert f"removed: {installed.packages / library.FILE.name}" in said.splitlines()
    assert before == sorted(path.name for path in installed.packages.iterdir())
    assert 1 == installed(EMBEDDED, url_of(gateway, ONE)).returncode
    assert 1 == len(gateway.messages())


def test_may_be_said_twice(installed: Environment) -> None:
    """Both commands may be said again, and say so."""
    path = installed.packages / library.FILE.name
    commands = ("install", "uninstall", "uninstall")
    said = [installed.devinotify("apprise", one, "--library").stdout for one in commands]
    assert [f"already installed: {path}\n", f"removed: {path}\n", f"not installed: {path}\n"] == said


AS_THE_API_SAVES = """\
import sys
import apprise
# What apprise-api does with URLs, and with a configuration, that it is to keep: it scans no plugin folder for that.
urls = apprise.Apprise()
urls.add([sys.argv[1]])
configuration = apprise.AppriseConfig()
assert configuration.add_config(f"urls:\\n  - {sys.argv[1]}\\n", format="yaml")
both = apprise.Apprise()
both.add(configuration)
print(len(urls), len(both), [one.url().partition(":")[0] for one in urls])
"""


@pytest.mark.versions
def test_the_api_saves_before_it_has_sent(installed: Environment, gateway: Sandbox) -> None:
    """A worker of Apprise's API that has not yet sent keeps URLs and configurations of ours."""
    done = installed(AS_THE_API_SAVES, url_of(gateway, ONE))
    assert "1 1 ['devino']\n" == done.stdout, done.stderr


MODULES = "import sys; print(*sorted(sys.modules))"


def test_start_loads_nothing(environment: Environment) -> None:
    """A Python that does not import Apprise loads no module more than before."""
    before = environment(MODULES).stdout
    library.FILE.install(environment.packages)
    try:
        assert before == environment(MODULES).stdout
    finally:
        library.FILE.uninstall(environment.packages)


LAZY = """\
import sys
import apprise
ours = [name for name in ("devinotify", "devinotify_apprise.notify", "apprise.plugins.d7networks")]
print([name for name in ours if name in sys.modules], "exec_module" in vars(apprise.__loader__))
print("devino" in apprise.NotificationManager())
apprise.NotificationManager().unload_modules()
print("devino" in apprise.NotificationManager())
"""


@pytest.mark.versions
def test_import_of_apprise_loads_nothing_more(installed: Environment) -> None:
    """Ours is loaded when Apprise looks at its plugins, and again with them; the loader is what it was."""
    done = installed(LAZY)
    assert "[] False\nTrue\nTrue\n" == done.stdout, done.stderr


def test_python_without_apprise(bare: Environment) -> None:
    """Where there is no Apprise, an interpreter starts in silence, and its absence is told as ever."""
    assert (0, "", "") == ((done := bare("")).returncode, done.stdout, done.stderr)
    done = bare("import apprise")
    assert "ModuleNotFoundError: No module named 'apprise'" == done.stderr.splitlines()[-1]


def test_package_that_was_removed(bare: Environment) -> None:
    """Where pip has removed this package and not the line, Apprise is imported as ever."""
    (bare.packages / "apprise.py").write_text("print('imported')\n", "utf-8")
    assert ("imported\n", "") == ((done := bare("import apprise")).stdout, done.stderr)


BROKEN = """\
import logging, sys
logging.basicConfig(format="%(message)s")
sys.modules["devinotify_apprise.registration"] = None  # cannot be imported
import apprise
print("json" in apprise.NotificationManager(), "devino" in apprise.NotificationManager())
"""


@pytest.mark.versions
def test_broken_package_breaks_nothing(installed: Environment) -> None:
    """Where our package cannot be loaded, the others' plugins work, and a warning says what is missing."""
    done = installed(BROKEN)
    assert "True False\n" == done.stdout
    assert done.stderr.startswith("devino:// is not available: ModuleNotFoundError: ")


class Known:
    """A finder that has one answer."""

    def __init__(self, spec: ModuleSpec | None) -> None:
        self._spec = spec

    def find_spec(self, name: str, path: object, target: object) -> ModuleSpec | None:
        """Return the answer."""
        return self._spec


@pytest.mark.parametrize("spec", [None, ModuleSpec("apprise", None, is_package=True)])
def test_asks_the_others(spec: ModuleSpec | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finders of old are passed by, and so is one of our own; a folder that has the name is what it is without us."""
    ours = type(importhook.FINDER, (), {"find_spec": None})
    monkeypatch.setattr(sys, "meta_path", [object(), ours(), Known(None), Known(spec)])
    assert spec is importhook.find()


@pytest.fixture
def group() -> click.Group:
    """A command line with what the hook adds."""
    group = click.Group()
    hooks.devinotify_register_commands(group)
    return group


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_one_place_at_a_time(command: str, group: click.Group, tmp_path: Path) -> None:
    """The library has a place of its own, so a path with it is an error."""
    done = CliRunner().invoke(group, ["apprise", command, "--library", "--path", str(tmp_path)])
    assert (2, []) == (done.exit_code, list(tmp_path.iterdir()))


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_others_files_stay(command: str, group: click.Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of that name that somebody changed is neither overwritten nor removed."""
    monkeypatch.setattr(library, "folders", lambda: [tmp_path])
    file = tmp_path / library.FILE.name
    file.write_text(library.FILE.content + "# and mine\n", "utf-8")
    done = CliRunner().invoke(group, ["apprise", command, "--library"])
    assert (1, True) == (done.exit_code, "# and mine" in file.read_text("utf-8"))
    assert "stays as it is" in done.output


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_plugin_folder_needs_apprise(command: str, group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Apprise to say which folder it scans, the error says how to name one."""
    monkeypatch.setitem(sys.modules, "apprise.cli", None)
    done = CliRunner().invoke(group, ["apprise", command])
    assert (1, True) == (done.exit_code, "--path" in done.output)


def test_is_one_line(tmp_path: Path) -> None:
    """The interpreter runs a line at a time: all of ours is one, beside the comment that says whose it is."""
    comment, line = library.FILE.content.splitlines()
    assert (True, True) == (comment.startswith("#"), line.startswith("import "))
    assert importhook.FINDER in line


class Manager:
    """What Apprise's manager of plugins is to us."""

    def __init__(self, *, loaded: bool) -> None:
        self.loaded = loaded

    def __bool__(self) -> bool:
        return self.loaded

    def load_modules(self, *, found: bool) -> None:
        """Load the plugins, if any are found."""
        self.loaded = found


class Loader:
    """Loads a module that has a manager."""

    def __init__(self, manager: Manager | None) -> None:
        self._manager = manager

    def exec_module(self, module: Any) -> None:  # noqa: ANN401 - a module, which has what is put into it
        """Fill the module."""
        if self._manager is not None:
            module.NotificationManager = lambda: self._manager


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        (None, [0, 0, 0]),  # a module of somebody's own
        (Manager(loaded=False), [0, 0, 1]),
        (Manager(loaded=True), [1, 1, 2]),
    ],
)
def test_registers_with_the_plugins(
    manager: Manager | None, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schema comes with Apprise's own plugins: none while there are none, again when they are loaded again."""
    registered: list[str] = []
    monkeypatch.setattr(importhook, "_register", lambda: registered.append("devino"))
    loader = Loader(manager)
    # Finder and loader are told apart by their protocols alone.
    monkeypatch.setattr(sys, "meta_path", [Known(ModuleSpec("apprise", loader))])  # type: ignore[arg-type]
    importhook.find()
    counts = []
    loader.exec_module(ModuleType("apprise"))
    counts.append(len(registered))
    for found in (False, True):
        if manager is not None:
            manager.load_modules(found=found)
        counts.append(len(registered))
    assert expected == counts
    assert "exec_module" not in vars(loader)


def test_what_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture) -> None:
    """What keeps our plugin from being registered is told, and raised to nobody."""
    monkeypatch.setitem(sys.modules, "devinotify_apprise.registration", None)
    importhook._register()
    (said,) = logged.messages
    assert said.startswith("devino:// is not available: ModuleNotFoundError: ")


def test_loaders_without_instances_stay() -> None:
    """A loader that many modules share is not touched: theirs is not ours to change."""
    before = dict(vars(type("Loader", (), {})))
    shared = type("Loader", (), {"exec_module": None})
    importhook._follow(shared)
    importhook._follow(None)
    assert set(vars(shared)) == {*before, "exec_module"}
    assert vars(shared)["exec_module"] is None


@pytest.mark.versions
def test_shim_and_library_agree(installed: Environment, gateway: Sandbox) -> None:
    """With the plugin file as well, as in the container of Apprise's API, nothing is said twice and it sends."""
    plugins = installed.packages.parent / "plugins"
    shim.FILE.install(plugins)
    code = EMBEDDED.replace("Apprise()", f"Apprise(asset=apprise.AppriseAsset(plugin_paths=[{str(plugins)!r}]))")
    done = installed(code, url_of(gateway, ONE))
    assert (0, "", [(ONE, "hi")]) == (done.returncode, done.stderr, arrived(gateway))
