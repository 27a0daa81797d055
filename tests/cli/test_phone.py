"""``devinotify phone``: as a process, with the documented output and exit codes."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests import forked
from tests.tables import table

pytestmark = pytest.mark.once

NUMBER = "8 (916) 123-45-67"


def _run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = [*forked.command(), "phone", *arguments]
    return subprocess.run(line, input=stdin, capture_output=True, check=False, timeout=60)


def _results(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return results


def test_shows_a_number_in_every_form() -> None:
    """The table holds E.164, the gateway's digits, the country, the type and the time zones."""
    done = _run(NUMBER)
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert [part in shown for part in ("+79161234567", " 79161234567", "RU (+7)", "mobile", "Europe/Moscow")] == [
        True
    ] * 5


def test_shows_that_zones_are_not_known() -> None:
    """A satellite phone tells no time zone."""
    assert "not known" in _run("+881612345678").stdout.decode()


def test_says_why_a_number_is_refused() -> None:
    """A refusal is one line on stderr with the masked number and the reason; stdout stays empty."""
    done = _run("+7 495 123-45-67")
    assert done.returncode == 4
    assert done.stdout == b""
    assert done.stderr.decode().splitlines() == [
        "devinotify: refused: +7495***4567: it is a fixed line where a mobile number is needed (fixed_line)"
    ]


def test_one_refusal_among_others() -> None:
    """The good are shown, the refused named by position, and the exit code tells of the refusal."""
    done = _run(NUMBER, "112")
    assert done.returncode == 4
    assert b"+79161234567" in done.stdout
    assert b"recipients[1]" in done.stderr


@table("arguments", [(), ("-",)])
def test_reads_lines_of_stdin(arguments: tuple[str, ...]) -> None:
    """Without arguments, or for -, each line of stdin that is not blank is a number."""
    done = _run(*arguments, "--json", stdin="\ufeff8 916 123-45-67\r\n\r\n+380501234567\n".encode())
    assert [result["e164"] for result in _results(done)] == ["+79161234567", "+380501234567"]
    assert done.returncode == 0


def test_refuses_lines_in_another_encoding() -> None:
    """A line that is not UTF-8 is refused as no number, without a traceback."""
    done = _run("--json", stdin="+79161234567\nИван\n".encode("cp1251"))
    assert [result["valid"] for result in _results(done)] == [True, False]
    assert done.stderr == b""


def test_json_of_a_number() -> None:
    """The JSON has every field of the number."""
    (result,) = _results(_run("+4915112345678", "--json"))
    assert result == {
        "position": 0,
        "valid": True,
        "e164": "+4915112345678",
        "digits": "4915112345678",
        "region": "DE",
        "country_code": 49,
        "kind": "mobile",
        "time_zones": ["Europe/Berlin"],
    }


def test_json_of_a_refusal() -> None:
    """The JSON names the reason in a word and in a sentence, and the exit code."""
    done = _run("+7 495 123-45-67", "--json")
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode == 4
    assert document["results"] == [
        {
            "position": 0,
            "valid": False,
            "error": {
                "masked": "+7495***4567",
                "reason": "fixed_line",
                "message": "+7495***4567: it is a fixed line where a mobile number is needed",
            },
        }
    ]


def test_region() -> None:
    """The region says how numbers without + are written."""
    (result,) = _results(_run("0151 12345678", "--region", "de", "--json"))
    assert (result["e164"], result["region"]) == ("+4915112345678", "DE")


def test_unknown_region_is_a_usage_error() -> None:
    """A region that does not exist is told in one line, with the usage code."""
    done = _run(NUMBER, "--region", "UK")
    assert done.returncode == 2
    assert b"ISO 3166" in done.stderr
    assert b"Traceback" not in done.stderr


def test_nothing_to_read_is_a_usage_error() -> None:
    """No number at all is a usage error."""
    done = _run(stdin=b"\n \n")
    assert done.returncode == 2
    assert b"no number" in done.stderr


def test_a_terminal_is_not_waited_for() -> None:
    """At a terminal, no argument is a usage error and no silent wait for input."""
    pty = pytest.importorskip("pty", reason="only POSIX has terminals to open")
    controller, terminal = pty.openpty()
    with open(controller, "rb"), open(terminal, "rb") as stdin:  # noqa: PTH123 - descriptors, not paths
        done = subprocess.run([*forked.command(), "phone"], stdin=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert b"no number" in done.stderr
