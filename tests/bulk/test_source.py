"""The input as text: every encoding that is really used, from a file and from a pipe."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from devinotify.bulk.source import MAX_LINE, Source
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from tests.bulk.conftest import Write

TEXT = "имя;телефон\r\nИван;89161234567\r\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("cp1251"), "cp1251"),
        (TEXT.encode("utf-16"), "utf-16"),
    ],
    ids=["UTF-8", "UTF-8 with BOM", "CP1251", "UTF-16"],
)
def test_encodings_are_found_out(raw: bytes, encoding: str, write: Write) -> None:
    """The text is the same whatever it is written in, and no mark is left of it."""
    with Source(write(raw)) as source:
        assert (encoding, TEXT) == (source.encoding, "".join(source.lines()))


def test_an_encoding_may_be_named(write: Write) -> None:
    """What cannot be found out is believed."""
    with Source(write(TEXT.encode("koi8-r")), "koi8-r") as source:
        assert TEXT == "".join(source.lines())


@pytest.mark.parametrize(
    ("raw", "given", "why"),
    [(b"\xff\x98", None, "utf-8 nor cp1251"), (b"1", "no-such", "no encoding"), (b"\xff", "utf-8", "is not utf-8")],
)
def test_what_cannot_be_decoded(raw: bytes, given: str | None, why: str, write: Write) -> None:
    """Bytes that are no text, and encodings that there are not, are refused."""
    with pytest.raises(InvalidInput, match=why):
        Source(write(raw), given)


def test_a_missing_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(InvalidInput, match=r"absent\.csv cannot be read"):
        Source(tmp_path_factory.mktemp("none") / "absent.csv")


def test_a_stream_is_read_as_often_as_a_file(write: Write) -> None:
    """A pipe has the digest and the lines of the file with its bytes, and gives them twice."""
    with Source(write(TEXT)) as file, Source(io.BytesIO(TEXT.encode())) as pipe:
        assert (file.digest, None) == (pipe.digest, pipe.name)
        assert list(file.lines()) == list(pipe.lines()) == list(pipe.lines())


def test_a_line_without_end(write: Write) -> None:
    """A file of one endless line is refused before it fills the memory."""
    with Source(write("1" * (MAX_LINE + 1))) as source, pytest.raises(InvalidInput, match="line 1 has more than"):
        list(source.lines())
