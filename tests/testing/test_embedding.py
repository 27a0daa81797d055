"""The page "Embed devinotify in your framework": its host passes the suite, and the suite finds what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.testing import HostSuite
from tests.cli.servers import free_port
from tests.tables import table
from tests.testing.sessions import run_pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
PAGE, RUSSIAN = ROOT / "docs/how-to/embedding.md", ROOT / "docs/ru/how-to/embedding.md"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not PAGE.is_file(), reason="a source distribution of the core has no docs"),
]


def blocks(language: str, page: Path = PAGE) -> Iterator[tuple[str, str]]:
    """Yield the name and the code of each file that a page shows."""
    for block in re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        first, _, _ = block.partition("\n")
        yield first.removeprefix("# "), block


def write(folder: Path, *, changes: Mapping[str, tuple[str, str]]) -> None:
    """Write the page's files, each change to its host as a host and a test class of its own."""
    (host, code), (tests, suite) = blocks("python")
    for name, (old, new) in changes.items():
        assert old in code
        (folder / host.replace(".py", f"_{name}.py")).write_text(code.replace(old, new), "utf-8")
        own = suite.replace("myqueue_sms", f"myqueue_sms_{name}").replace("TestMyQueue", "TestWrong")
        (folder / tests.replace(".py", f"_{name}.py")).write_text(own, "utf-8")


@pytest.mark.parametrize("page", [PAGE, RUSSIAN], ids=["en", "ru"])
def test_its_host_passes(page: Path, tmp_path: Path) -> None:
    """The host as it stands there passes, and as many tests as the page says."""
    for name, code in blocks("python", page):
        (tmp_path / name).write_text(code, "utf-8")
    done = run_pytest(tmp_path, "test_myqueue_sms.py")
    ((expected, _),) = blocks("text", page)
    assert expected == done.stdout.strip().splitlines()[-1].partition(" in ")[0], done.stdout


def test_its_host_tells_what_it_gives_up(caplog: pytest.LogCaptureFixture) -> None:
    """Of a call that is to be made again for some, what is given up for the others is told before, without number."""
    (_, code), _ = blocks("python")
    host: dict[str, Any] = {"__name__": "myqueue_sms"}
    exec(code, host)  # noqa: S102 - the page's own
    url = f"devino://login:password@SENDER?gateway=http://127.0.0.1:{free_port()}/rest"
    try:
        with pytest.raises(host["Retry"]) as raised:
            host["send_sms"](url, "Hello", ["+79161234567", "12345"])
    finally:
        for notifier in host["_notifiers"].values():
            notifier.close()
    assert (["+79161234567"],) == raised.value.args
    (told,) = [record.getMessage() for record in caplog.records if record.name == "myqueue_sms"]
    assert told.startswith("given up for some: not_sent: ")
    assert not any(number in told for number in ("9161234567", "12345"))


def test_its_host_is_short() -> None:
    """A complete host takes 30 lines, the name of its file and the blank ones left out."""
    (_, code), _ = blocks("python")
    assert len([line for line in code.splitlines()[1:] if line]) <= 30


@table("page", [PAGE, RUSSIAN], ids=["en", "ru"])
def test_table_names_every_test(page: Path) -> None:
    """The page's table names all that the suite does."""
    told = re.findall(r"^\| `(test_\w+)` \|", page.read_text("utf-8"), re.MULTILINE)
    assert [name for name in vars(HostSuite) if name.startswith("test_")] == told


WRONG = {
    "repeats": (
        ("one.verdict is Verdict.NOT_SENT and one.error.retryable", "one.verdict is not Verdict.REJECTED"),
        ["test_bad_number_among_good_ones", "test_answer_lost", "test_answer_too_late"],
    ),
    "hides_failures": (
        ("    if failed:", "    if not notifier:"),
        ["test_bad_number_among_good_ones", "test_refused"],
    ),
    "tells_all": (
        ("    if again:\n", '    logging.warning("to %s: %s", to, text)\n    if again:\n'),
        ["test_accepted", "test_fork"],
    ),
    "tells_who_was_refused": (
        ("    if again:\n", '    logging.warning("not to %s", [one.recipient for one in outcomes])\n    if again:\n'),
        ["test_bad_number_among_good_ones"],
    ),
    "tells_the_session": (
        ("    if again:\n", '    logging.warning("in %s", notifier.client._log_in())\n    if again:\n'),
        ["test_accepted", "test_two_accounts", "test_fork"],
    ),
    **{
        f"tells_{name}": (
            ("    if again:\n", f"    logging.warning({told})\n    if again:\n"),
            ["test_accepted", "test_fork"],
        )
        for name, told in {
            "a_part": '"sent %s…", text[:12]',
            "the_code": '"sent %s", text[8:18]',
            "an_escaped_text": '"sent %a", text[:14]',
            "bytes": '"sent %r", text.encode()',
            "a_query": '"sent ?%s", __import__("urllib.parse").parse.urlencode({"text": text})',
            "json": '"sent %r", __import__("json").dumps({"text": text})',
            "a_written_number": '"sent to +7 916 123 4567"',
            "a_number_in_brackets": '"sent to 8 (916) 123-45-67"',
        }.items()
    },
    "prints": (("    if again:\n", "    print(text[:12])\n    if again:\n"), ["test_accepted", "test_fork"]),
    "prints_an_error": (
        ("    if again:\n", '    print(to, file=__import__("sys").stderr)\n    if again:\n'),
        ["test_accepted", "test_fork"],
    ),
    "has_a_file_of_its_own": (
        (
            "    if again:\n",
            """
    own = logging.getLogger("myqueue.own")
    own.propagate = False
    own.handlers = [logging.FileHandler("own.log", delay=True)]
    own.info("to %s", to)
    own.handlers.pop().close()
    if again:
""",
        ),
        ["test_accepted", "test_fork"],
    ),
    "insists": (
        (
            "notifier.notify(text, to)",
            "[end for one in notifier.notify(text, to) for end in (notifier.notify(text, to) if one.error else [one])]",
        ),
        ["test_answer_lost"],
    ),
    "forgets": (
        (
            "notifier.notify(text, to)",
            "([] if text in _notifiers else notifier.notify(_notifiers.setdefault(text, notifier) and text, to))",
        ),
        ["test_not_sent_then_sent"],
    ),
    "confuses_accounts": (
        (
            "_notifiers.get(url) or _notifiers.setdefault(url, Notifier(url))",
            '_notifiers.setdefault("", Notifier(url))',
        ),
        ["test_two_accounts"],
    ),
    "stores_for_nobody": (
        (
            "    if again:\n",
            """
    import devinotify
    with devinotify.Outbox.named() as outbox:
        outbox.enqueue(devinotify.Message(text, tuple(to)))
    if again:
""",
        ),
        ["test_two_accounts"],
    ),
    "sends_twice": (
        ("notifier.notify(text, to)", "notifier.notify(text, to) + notifier.notify(text, to)"),
        ["test_accepted", "test_threads", "test_fork", "test_slow_gateway"],
    ),
    "knows_no_plugins": (
        (
            "Notifier(url)",
            'Notifier(url, plugins=__import__("devinotify").make_plugin_manager(discover=False))',
        ),
        ["test_opted_out"],
    ),
    "impatient": (("Notifier(url)", 'Notifier(url + "&timeout=0.2")'), ["test_slow_gateway"]),
}
"""Hosts that are wrong in one way, with the tests that are about it."""


def test_finds_what_is_wrong(tmp_path: Path) -> None:
    """A host that is wrong in one way fails each of the tests that are about it."""
    write(tmp_path, changes={name: change for name, (change, _) in WRONG.items()})
    asked = {f"test_myqueue_sms_{name}.py::TestWrong::{test}" for name, (_, tests) in WRONG.items() for test in tests}
    done = run_pytest(tmp_path, "-rfE", "--tb=no", *sorted(asked))
    failed = re.findall(r"^(?:FAILED|ERROR) ([\w.:]+)", done.stdout, re.MULTILINE)
    assert asked == set(failed), done.stdout
