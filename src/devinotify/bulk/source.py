"""The input as text, whatever its encoding, and what it is known by: read in blocks, in bounded memory."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from devinotify.bulk.columns import shown
from devinotify.bulk.encodings import LEGACY, decodes, fitting, readings, sampled
from devinotify.bulk.workbook import Workbook, is_workbook
from devinotify.closing import Closable
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 20
"""Bytes read at a time."""
MAX_LINE = 1 << 20
"""Characters that one line of input may have; a longer one is not a line of recipients."""
_BLOCK_OF_TEXT = 1 << 16
_HEAD = 4096  # bytes that are looked at for a mark or zeros
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAME_IT = "name its encoding (--encoding, or the argument encoding)"


class Source(Closable):
    """A file; what cannot be read from its start again, as a stream or a pipe, is copied to a temporary file first.

    ``digest`` is the SHA-256 of its bytes, ``encoding`` what it was found to be written in unless given, ``name`` its
    file name or ``None``, ``path`` where it lies, or ``None`` for a copy; ``is_workbook`` tells whether it has sheets
    and no text. ``block`` bytes are read at a time. A context manager. Raises InvalidInput where it cannot be read or
    decoded.
    """

    def __init__(
        self, source: str | os.PathLike[str] | IO[bytes], encoding: str | None = None, *, block: int = BLOCK
    ) -> None:
        self.name: str | None = None
        self._file: IO[bytes] = io.BytesIO()
        self.path: Path | None = None
        self._stamp = (0, 0)
        self._block = block
        self.digest: str
        self.encoding: str
        try:
            self._take(source)
            self.is_workbook: bool = is_workbook(self._file)
            self.digest, self.encoding = self._look(encoding)
        except OSError as error:
            self.close()
            raise InvalidInput(f"{self.name or 'the input'} cannot be read: {error.strerror or error}") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a temporary one is gone with it."""
        self._file.close()

    def changed(self) -> bool:
        """Return whether another file is at the path than was digested, by size and time of modification.

        Always False for what was copied: nobody can change that.
        """
        if self.path is None:
            return False
        try:
            return self._stamp != _stamp(self.path.stat())
        except OSError:
            return True

    def lines(self) -> Iterator[str]:
        """Yield the lines from the start, with their ends; raises InvalidInput for one that never ends."""
        return self._lines(self.encoding, "strict")

    def blocks(self) -> Iterator[str]:
        """Yield the text from the start in blocks, for what is written without lines."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, self.encoding, "strict", newline="")
        try:
            while block := text.read(_BLOCK_OF_TEXT):
                yield block
        finally:
            with contextlib.suppress(ValueError):  # closed meanwhile
                text.detach()

    def workbook(self) -> Workbook:
        """Return the rows of what is a workbook; raises InvalidInput where it cannot be read."""
        return Workbook(self._file, self.name or "the input")

    def _lines(self, encoding: str, errors: str) -> Iterator[str]:
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding, errors, newline="")
        number = 0
        try:
            while line := text.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
                    raise InvalidInput(f"line {number} has more than {MAX_LINE} characters: is this a list of numbers?")
                yield line
        finally:
            with contextlib.suppress(ValueError):  # closed meanwhile: there is nothing left to keep open
                text.detach()

    def _take(self, source: str | os.PathLike[str] | IO[bytes]) -> None:
        if not isinstance(source, str | os.PathLike):
            self._file = _copied(source)
            return
        path = Path(source)
        self.name = path.name or str(path)
        file = path.open("rb")
        if file.seekable():
            self._file = file
            # Before it is read, so that what is written to it meanwhile is a change.
            self.path, self._stamp = path.absolute(), _stamp(os.fstat(file.fileno()))
        else:
            with file:
                self._file = _copied(file)

    # --- which encoding

    def _blocks(self) -> Iterator[bytes]:
        """Yield the bytes from the start, and nothing as the last block."""
        self._file.seek(0)
        while block := self._file.read(self._block):
            yield block
        yield b""

    def _look(self, given: str | None) -> tuple[str, str]:
        if self.is_workbook:
            return self._digested(), "workbook"
        self._file.seek(0)
        name = given or _told(self._file.read(_HEAD))
        encoding = name or "utf-8"
        try:
            io.TextIOWrapper(io.BytesIO(), encoding)  # refuses what Python has that is not an encoding of text, too
        except LookupError:
            raise InvalidInput(f"there is no encoding {encoding!r}") from None
        decoder = codecs.getincrementaldecoder(encoding)()
        hashed = hashlib.sha256()
        fits = True
        for block in self._blocks():
            hashed.update(block)
            try:
                if fits:
                    decoder.decode(block, not block)
            except UnicodeError:
                fits = False
        if not fits:
            encoding = self._other_than(encoding, told=name is not None)
        return hashed.hexdigest(), encoding

    def _digested(self) -> str:
        hashed = hashlib.sha256()
        for block in self._blocks():
            hashed.update(block)
        return hashed.hexdigest()

    def _other_than(self, encoding: str, *, told: bool) -> str:
        """Return the encoding of what is not UTF-8 at all; raise InvalidInput for what is some UTF-8, or in doubt."""
        if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
            raise InvalidInput(f"the input is not {encoding}: {_NAME_IT}")
        sequences, broken, candidates = self._weigh()
        # In CP1251 a capital before a quotation mark or a «Ё» looks like UTF-8 (``«МТС»``): once in a word of three.
        if told or 2 * sequences > broken:
            raise InvalidInput(f"line {self._first_broken()} is not {encoding}, as the rest is: mend it, or {_NAME_IT}")
        self._file.seek(0)
        sample = sampled(iter(lambda: self._file.readline(MAX_LINE), b""))
        found = fitting(sample, candidates)
        if len(found) == 1:
            return found[0]
        if not found:
            every = f"{', '.join(LEGACY[:-1])} or {LEGACY[-1]}"
            raise InvalidInput(f"the input is not {encoding} nor {every}: save it as CSV in UTF-8, or {_NAME_IT}")
        word, read = readings(sample, found)
        either = " or ".join(f"{name} ({shown(reading)})" for name, reading in zip(found, read, strict=True))
        raise InvalidInput(
            f"the input is not {encoding}, and line {self._first_with(word)} may be in {either}: {_NAME_IT}"
        )

    def _weigh(self) -> tuple[int, int, list[str]]:
        """Return how many UTF-8 sequences of several bytes there are, how many other bytes, and what fits besides."""
        utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        sequences = broken = 0
        candidates = list(LEGACY)
        for block in self._blocks():
            text = utf8.decode(block, not block)
            whole = text.encode("utf-8", "ignore").decode()  # without what stands for a broken byte
            broken += len(text) - len(whole)
            sequences += len(whole) - len(whole.encode("ascii", "ignore"))
            candidates = [name for name in candidates if decodes(block, name)]
        return sequences, broken, candidates

    def _first_with(self, word: bytes) -> int:
        """Return the number of the first line that a word stands in."""
        sought = word.decode("latin-1")
        return next((number for number, line in enumerate(self._lines("latin-1", "strict"), 1) if sought in line), 0)

    def _first_broken(self) -> int:
        """Return the number of the first line that is not UTF-8."""
        for number, line in enumerate(self._lines("utf-8", "surrogateescape"), 1):
            try:
                line.encode()
            except UnicodeEncodeError:
                return number
        return 0  # never: there is one


def _copied(stream: IO[bytes]) -> IO[bytes]:
    """Return a temporary file with all that a stream has: a small one stays in memory, a large one on the disk."""
    copy = tempfile.SpooledTemporaryFile(max_size=BLOCK)  # noqa: SIM115 - closed by close()
    try:
        while block := stream.read(BLOCK):
            copy.write(block)
    except BaseException:
        copy.close()
        raise
    return copy


def _stamp(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns


def _told(head: bytes) -> str | None:
    """Return the encoding that the first bytes tell: by a mark, or by the zeros of UTF-16 without one."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        return marked
    # In UTF-16 each digit, delimiter and line end has a zero byte, and all of them on the same side.
    big, little = head[::2].count(0), head[1::2].count(0)
    if 16 * (big + little) <= len(head):
        return None
    if little > 4 * big:
        return "utf-16-le"
    if big > 4 * little:
        return "utf-16-be"
    raise InvalidInput(f"the input has zero bytes, and is not text: save it as CSV, or {_NAME_IT}")
