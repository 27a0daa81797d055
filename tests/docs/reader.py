"""Somebody who does what a page says: runs its commands and sessions, and writes the files that it shows."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import language_of, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.docs.pages import Block

_ACCOUNT = re.compile(r"devino://LOGIN:PASSWORD@SENDER(?P<to>/[+\d]+)?(?:\?(?P<options>[\w=&-]+))?")
"""The URL of an account as pages write it for the reader's own."""


class Reader:
    """Somebody who does what a page says, in a folder of their own."""

    def __init__(self, page: Path, folder: Path, sandbox: Sandbox, **environment: str) -> None:
        self._page, self._folder = page, folder
        self._account = sandbox.url
        self._origin = sandbox.gateway.removesuffix("/rest")
        self._names: dict[str, Any] = {}
        self._environment = {
            **os.environ,
            "DEVINOTIFY_URL": sandbox.url,
            "HOME": str(folder),
            "LANGUAGE": language_of(page),
            **environment,
        }

    def do(self, block: Block) -> None:
        """Run a block, or write the file that it is, and see that it ends well."""
        code = self._own(block.code)
        if block.file is not None:
            (self._folder / block.file).write_text(code, "utf-8")
        elif block.session:
            self._python(code, block.line)
        elif block.kind == "sh":
            printed = self._shell(code, block.line)
            if block.shown is not None:
                assert fits(self._own(block.shown), printed), f"{self._where(block.line)} prints\n{printed}"
        else:
            pytest.fail(f"{self._where(block.line)} has no name (# app.py), nor a mark that says who runs it")

    def close(self) -> None:
        """Close the client that a page leaves open, as the end of its reader's session would."""
        client = self._names.get("client")
        if client is not None:
            client.close()

    def _own(self, code: str) -> str:
        """Return what a page says with the reader's own gateway and account in it."""

        def account(found: re.Match[str]) -> str:
            url, _, query = self._account.partition("?")
            return f"{url}{found['to'] or ''}?{query}{'&' + found['options'] if found['options'] else ''}"

        return _ACCOUNT.sub(account, code.replace("http://127.0.0.1:8026", self._origin))

    def _where(self, line: int) -> str:
        return f"{name_of(self._page)}:{line}"

    def _python(self, code: str, line: int) -> None:
        example = doctest.DocTestParser().get_doctest(code, self._names, self._where(line), str(self._page), line)
        failures: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=failures.append, clear_globs=False)
        self._names = example.globs
        assert [] == failures

    def _shell(self, code: str, line: int) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert 0 == done.returncode, f"{self._where(line)}: {done.stderr}"
        return done.stdout


def fits(shown: str, printed: str) -> bool:
    """Return whether a page shows what was printed.

    ``...`` stands for what differs from run to run, and so do white space and the length of a table's rule.
    """
    shown, printed = (re.sub("─+", "─", each) for each in (shown, printed))
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
