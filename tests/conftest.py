"""What every test starts from: an environment without our variables, proxies or CA bundles of the machine."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import gc
import importlib
import itertools
import os
import pkgutil
import re
import signal
import sys
import threading
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

import devinotify

if TYPE_CHECKING:
    from collections.abc import Generator

# A run that was started in the background ignores Ctrl-C, and so would every process that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy. The laws are
# tried in full under the oldest Python; under the others fewer examples show what a Python does differently.
settings.register_profile(
    "shared",
    deadline=None,
    max_examples=100 if sys.version_info < (3, 12) else 25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shared")

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"

_FOREIGN = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy")


# One that is installed where the tests run may open an outbox, or hold messages back at night.
_PLUGINS = ",".join(sorted(point.name for point in entry_points(group="devinotify")))

_numbers = itertools.count()

_ALL_ONCE = re.compile(r"^pytestmark = (?:\[\n(?:    .*\n)*?    )?.*\bpytest\.mark\.once\b", re.MULTILINE)
"""What a module says all of whose tests are marked ``once``."""

_tracers: list[tuple[Any, Any]] = []
"""Coverage's, of this thread and of those that it starts, where it measures."""


def pytest_configure(config: pytest.Config) -> None:
    """Trace what runs tests alone, and give what a test forks the limit of time of a test.

    pytest's guard stays behind in the parent, and a child that hangs holds the pipe of xdist's worker: the run would
    wait for it when the worker has long ended.
    """
    _trace_tests_alone(config)
    stderr, limit = os.dup(2), int(float(config.getini("faulthandler_timeout")))

    def limited() -> None:
        # Not dump_traceback_later, which would wait for its thread, that is not in the child.
        faulthandler.register(signal.SIGALRM, file=stderr, chain=True)
        signal.alarm(limit)

    if limit and hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(after_in_child=limited)
    if _tracers:
        os.register_at_fork(after_in_child=_leave_to_parent)


def _leave_to_parent() -> None:
    """Have a child of a test that is not traced end as it says: coverage would save what its parent has, and will save.

    That took a child a quarter of a second of a core, and each wrote a file of a megabyte that was then combined.
    """
    if sys.gettrace() is None:
        import posix

        os._exit = posix._exit  # which coverage has put its own before


def _trace_tests_alone(config: pytest.Config) -> None:
    """Keep coverage out of what xdist and pytest do beside tests, and of what tests start.

    In a process coverage takes 0.1 s of a core to begin, half of what a command of ours takes, and all of them walk
    some 200 lines that no test walks in its own process. What pytest does to collect 6,000 tests and to prepare each
    takes twice as long when it is traced, and none of it is measured.
    """
    runs_tests = hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None)
    if runs_tests:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    trace, threads = sys.gettrace(), threading.gettrace()
    if type(trace).__module__.split(".")[0] != "coverage":  # another may be a debugger's
        return
    if runs_tests:
        _tracers.append((trace, threads))
        for module in pkgutil.walk_packages(devinotify.__path__, "devinotify."):
            if module.name != "devinotify.__main__":
                importlib.import_module(module.name)  # whose definitions are lines as well
    sys.settrace(None)
    threading.settrace(None)


def _runs_elsewhere(module: Path, config: pytest.Config) -> bool:
    """Return whether no test of a module is asked for, since all of them run once: it need not be imported then."""
    return config.option.markexpr == "not once" and bool(_ALL_ONCE.search(module.read_text(encoding="utf-8")))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what runs elsewhere, whose imports took each process a fifth of its time to collect."""
    return True if collection_path.suffix == ".py" and _runs_elsewhere(collection_path, config) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one process is still at it, alone, when all others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Have each of xdist's processes begin with tests that the others do not begin with.

    For the first run of a checkout pytest compiles all modules of tests, which takes 9 of the 15 s of a core that it
    takes to collect them, and keeps what it made; all processes would do the same at the same time. What is made
    meanwhile lives as long as the session: there is nothing to find for the garbage collector, then or later.
    """
    gc.disable()
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    folder, left_out = (
        Path(__file__).parent,
        [Path(each).resolve() for each in session.config.getoption("ignore") or ()],
    )
    modules = [
        path
        for path in sorted(folder.rglob("test_*.py"))
        if not {path, *path.parents}.intersection(left_out) and not _runs_elsewhere(path, session.config)
    ]
    for path in modules[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        # Whoever cannot be imported, or is skipped as a whole, is told of where it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(folder.parent).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """Collect garbage again, but not look for it among the tests, of which there are half a million objects.

    And forget what modules of tests have had made once for all, where coverage measures: it has not seen them do it.
    """
    if _tracers:
        for name, module in [*sys.modules.items()]:
            if name.partition(".")[0] == "devinotify":
                for made in [*vars(module).values()]:
                    if isinstance(made, functools._lru_cache_wrapper):
                        made.cache_clear()
    gc.freeze()
    gc.enable()


def _is_dear(item: pytest.Item) -> bool:
    """Return whether tracing would only make it slower: a law, what is marked ``untraced``, and most that runs once."""
    once = item.get_closest_marker("once")
    return bool(
        item.get_closest_marker("hypothesis")
        or item.get_closest_marker("untraced")
        or (once and not once.kwargs.get("traced"))
    )


@contextlib.contextmanager
def _traced() -> Generator[None, None, None]:
    """Let coverage trace what is called here, and the threads that it starts."""
    before = sys.gettrace(), threading.gettrace()
    for trace, threads in _tracers:
        sys.settrace(trace)
        threading.settrace(threads)
    try:
        yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Trace what fixtures do before their tests."""
    with _traced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Trace what fixtures do after their tests."""
    with _traced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Trace tests, but try laws, and what is dear, in full and without it, which doubles what they take.

    The gates hold without them: what a law walks a hundred times, some example of ours walks once.
    """
    if _is_dear(pyfuncitem):
        return (yield)
    with _traced():
        return (yield)


@pytest.fixture(scope="session")
def state_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tests' state folders."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, state_folders: Path) -> None:
    """Remove what would reach the client from outside, a keyring and plugins too, and give each test its own folders.

    They are made by whoever uses it, which few do: to make one for each test took a fifth of their time.
    """
    for name in tuple(os.environ):
        if name in _FOREIGN or name.startswith("DEVINOTIFY_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    if _PLUGINS:
        monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", _PLUGINS)
    own = state_folders / str(next(_numbers))
    monkeypatch.setenv("XDG_STATE_HOME", str(own))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
