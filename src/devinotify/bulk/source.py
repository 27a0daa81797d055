"""The input as text, whatever its encoding, and what it is known by: one pass over the bytes, in bounded memory."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import io
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from types import TracebackType

BLOCK = 1 << 20
"""Bytes read at a time."""
MAX_LINE = 1 << 20
"""Characters that one line of input may have; a longer one is no line of recipients."""
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = "cp1251"
"""What a file that is no UTF-8 is in: the encoding that Excel saves Russian CSV in."""


class Source:
    """A file, or a stream that is copied to a temporary file first, since it is read three times.

    ``digest`` is the SHA-256 of its bytes, ``encoding`` what it was found to be written in unless given, ``name`` its
    file name or ``None``. A context manager. Raises InvalidInput where it cannot be read or decoded.
    """

    def __init__(self, source: str | os.PathLike[str] | IO[bytes], encoding: str | None = None) -> None:
        self.name: str | None = None
        self._file: IO[bytes]
        if hasattr(source, "read"):
            # Spooled, so that a small list never touches the disk and a large one never fills the memory.
            self._file = tempfile.SpooledTemporaryFile(max_size=BLOCK)  # noqa: SIM115 - closed by close()
            while block := source.read(BLOCK):
                self._file.write(block)
        else:
            path = Path(source)
            self.name = path.name
            try:
                self._file = path.open("rb")
            except OSError as error:
                raise InvalidInput(f"{path.name} cannot be read: {error.strerror}") from None
        try:
            self.digest, self.encoding = self._look(encoding)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a temporary one is gone with it."""
        self._file.close()

    def lines(self) -> Iterator[str]:
        """Yield the lines from the start, with their ends; raises InvalidInput for one that never ends."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, self.encoding, newline="")
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

    def _look(self, given: str | None) -> tuple[str, str]:
        self._file.seek(0)
        head = self._file.read(4)
        self._file.seek(0)
        marked = given or next((name for mark, name in _MARKS if head.startswith(mark)), None)
        candidates = [marked] if marked else ["utf-8", _LEGACY]
        decoders = {}
        for name in candidates:
            try:
                decoders[name] = codecs.getincrementaldecoder(name)()
            except LookupError:
                raise InvalidInput(f"there is no encoding {name!r}") from None
        hashed = hashlib.sha256()
        block = b"\0"
        while block:
            block = self._file.read(BLOCK)
            hashed.update(block)
            for name in tuple(decoders):
                try:
                    decoders[name].decode(block, not block)
                except UnicodeDecodeError:
                    del decoders[name]
        if not decoders:
            tried = " nor ".join(candidates)
            raise InvalidInput(f"the input is not {tried}: name its encoding")
        return hashed.hexdigest(), next(iter(decoders))
