"""Printed tracebacks, read back: Python's own, those of exception groups, loguru's and rich's. Pure.

What names the exception is the line behind the last frame of the last traceback; those before it are what it was
raised from.
"""

from __future__ import annotations

import re

from devinotify_logging.failures import Failure, Frame, causes_of, place_of

_TITLE = r"Traceback \(most recent call last\)"
# At the start of a line, with the gutter of a group or the box of rich; or behind other words, with its frames below.
_BEGINS = re.compile(
    rf"^[ \t|+]*(?:Exception Group )?{_TITLE}:?[ \t]*$"
    rf"|^[╭┌+][─━-]+ {_TITLE} [─━-]+[╮┐+]?[ \t]*$"
    rf'|(?:[ \t]+\+ )?(?:Exception Group )?{_TITLE}:[ \t]*(?=\n[\s|>]*File ")',
    re.MULTILINE,
)
_GUTTER = re.compile(r"^ *(?:\| ?|\+ )", re.MULTILINE)
_SECTION = re.compile(r"^[ +|-]*-{8,} (?:\d+|\.\.\.) -{8,}$", re.MULTILINE)
_GROUP = re.compile(r"\(\d+ sub-exceptions?\)$")

_CAUSED = "The above exception was the direct cause of the following exception:"
_LINK = re.compile(
    rf"^({_CAUSED}|During handling of the above exception, another exception occurred:)[ ]*$", re.MULTILINE
)

_FRAME = re.compile(
    r'^[>\s]*File "(?P<file>[^"\n]*)", line (?P<line>\d+)(?:, in (?P<name>.+))?$'
    r"|^[│|] (?P<boxed>\S[^\n│]*?):(?P<at>\d+) in (?P<of>\S+)[ ]*[│|]?$",
    re.MULTILINE,
)
_RAISED = re.compile(r"^([A-Za-z_][\w.<>]*)(?:: (.*))?$", re.MULTILINE)


def split_traceback(text: str) -> tuple[str, Failure | None]:
    """Return the text before a printed traceback, and what it tells of; ``None`` where there is no traceback."""
    begin = _BEGINS.search(text)
    if begin is None:
        return text, None
    message = text[: begin.start()].rstrip().removesuffix(":").rstrip()
    printed = text[begin.start() :]
    if "Exception Group Traceback" not in printed:
        return message, _chain(printed)
    found = [_chain(part) for part in _SECTION.split(_GUTTER.sub("", printed))]
    leaves = [one for one in found if one.type and not _GROUP.search(one.why)]
    return message, leaves[0]._replace(others=len(leaves) - 1) if leaves else found[0]


def _chain(printed: str) -> Failure:
    """Return what the last of several tracebacks tells of, and what it was raised from."""
    *earlier, last = _LINK.split(printed)
    causes = []
    while earlier and earlier.pop() == _CAUSED:
        cause = _one(earlier.pop())
        causes.append((cause.type, cause.why))
    return _one(last)._replace(cause=causes_of(causes))


def _one(printed: str) -> Failure:
    """Return what one traceback tells of, as far as it was not cut."""
    frames: list[Frame] = []
    end = 0
    for match in _FRAME.finditer(printed):
        named = match.groupdict(default="")
        frames.append((named["file"] or named["boxed"], named["line"] or named["at"], named["name"] or named["of"]))
        end = match.end()
    # The first line at the margin behind the frames names the exception; its text may go on below it.
    raised = _RAISED.search(printed, end)
    if raised is None:
        return Failure("", place_of(frames), "")
    return Failure(raised[1].rpartition(".")[2], place_of(frames), raised[2] or "")
