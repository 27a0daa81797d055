"""The input as text: every encoding that is really used, from a file and from a pipe."""

from __future__ import annotations

import codecs
import io
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.source import MAX_LINE, Source
from devinotify.exceptions import InvalidInput
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bulk.conftest import Write

TEXT = "имя;телефон\r\nИван;89161234567\r\n"


@table(
    "raw, encoding",
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("cp1251"), "cp1251"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
    ],
    ids=["UTF-8", "UTF-8 with BOM", "CP1251", "UTF-16", "UTF-16 LE without BOM", "UTF-16 BE without BOM"],
)
def test_encodings_are_found_out(raw: bytes, encoding: str, write: Write) -> None:
    """The text is the same whatever it is written in, and no mark is left of it."""
    with Source(write(raw)) as source:
        assert (encoding, TEXT) == (source.encoding, "".join(source.lines()))


NAMES = "Имя;Телефон\nАнна;89161234567\nБорис;89161234568\nГригорий;89161234569\n"


@table("encoding", ["cp1251", "cp866", "koi8-r"])
@table("text", [NAMES, NAMES.upper(), NAMES.lower()], ids=["names", "capitals", "small"])
def test_cyrillic_encodings_are_told_apart(text: str, encoding: str, write: Write) -> None:
    """DOS, Windows and Unix wrote the same letters in other bytes: nobody is called бООБ."""
    with Source(write(text.encode(encoding))) as source:
        assert (encoding, text) == (source.encoding, "".join(source.lines()))


def test_western_names_are_told_apart(write: Write) -> None:
    """A ü among Latin letters is no ь."""
    text = "Name;Phone\nJosé;1\nMüller;2\nFrançois;3\nZoë;4\n"
    with Source(write(text.encode("cp1252"))) as source:
        assert ("cp1252", text) == (source.encoding, "".join(source.lines()))


def test_a_doubtful_encoding_is_refused(write: Write) -> None:
    """Where two encodings read alike, both readings are shown, and the encoding has to be named."""
    raw = "ООО;89161234567\n".encode("koi8-r")
    with pytest.raises(InvalidInput, match=r"may be in cp1251 \('ппп'\) or koi8-r \('ООО'\): name its encoding"):
        Source(write(raw))
    with Source(write(raw), "koi8-r") as source:
        assert "ООО;89161234567\n" == "".join(source.lines())


@table(
    "text, encoding, why",
    [
        ("Имя;Телефон\nӘлия;1\nҚайрат;2\nАсқар;3\n", "kz1048", r"cp1251 \('Јлия'\) or kz1048 \('Әлия'\)"),
        (NAMES, "mac-cyrillic", r"cp1251 \('€мЯ'\) or .*mac-cyrillic \('Имя'\)"),
        ("Андрій;1\nСергій;2\nМарія;3\n", "cp1125", r"cp866 \('Андрўй'\) or cp1125 \('Андрій'\)"),
        ("Çağrı;1\nŞule;2\n", "cp1254", r"cp1252 \('Çaðrý'\) or cp1254 \('Çağrı'\)"),
        ("Ştefan;1\nIoniţă;2\nMădălina;3\n", "cp1250", r"cp1252 \('Ioniþã'\) or .*cp1250 \('Ioniţă'\)"),
        ("Šarūnas;1\nŽivilė;2\n", "cp1257", r"cp1252 \('Ðarûnas'\) or .*cp1257 \('Šarūnas'\)"),
    ],
)
def test_a_cousin_of_a_known_encoding_is_doubtful(text: str, encoding: str, why: str, write: Write) -> None:
    """Names that read oddly were written in another encoding with most of the same letters: nobody is called Çaðrý."""
    path = write(text.encode(encoding))
    with pytest.raises(InvalidInput, match=f"may be in {why}.*name its encoding"):
        Source(path)
    with Source(path, encoding) as source:
        assert text == "".join(source.lines())


def test_one_odd_word_is_a_slip_of_the_pen(write: Write) -> None:
    """A list does not become doubtful by one letter, nor by the symbols that stand beside words."""
    text = NAMES + "Ђорђе;89161234560\n«Дом»™;89161234561\n№5 20°с;89161234562\n"
    with Source(write(text.encode("cp1251"))) as source:
        assert ("cp1251", text) == (source.encoding, "".join(source.lines()))


def test_an_encoding_may_be_named(write: Write) -> None:
    """What cannot be found out is believed."""
    with Source(write(TEXT.encode("koi8-r")), "koi8-r") as source:
        assert TEXT == "".join(source.lines())


@table(
    "raw, given, why",
    [
        (b"\xff\x98", None, "utf-8 nor cp1251"),
        (b"1", "no-such", "no encoding"),
        (b"1", "hex", "no encoding"),
        (b"\xff", "utf-8", "is not utf-8"),
        (b"123", "utf-16", "is not utf-16"),
        (b"GIF8\0\0\0\0", None, "zero bytes"),
        (b"1\0" * 5000 + b"\0", None, "is not utf-16-le"),
    ],
)
def test_what_cannot_be_decoded(raw: bytes, given: str | None, why: str, write: Write) -> None:
    """Bytes that are no text, and encodings that there are not, are refused."""
    with pytest.raises(InvalidInput, match=why):
        Source(write(raw), given)


@table("ends", ["\n", "\r\n", "\r"])
@table("mark", [b"", codecs.BOM_UTF8], ids=["no mark", "mark"])
def test_one_broken_byte_in_utf8(ends: str, mark: bytes, write: Write) -> None:
    """A list that is UTF-8 but for a byte is no CP1251: it is refused, with the line of that byte and what to do."""
    good = f"имя;телефон{ends}Анна;+79161234567{ends}"
    with pytest.raises(InvalidInput, match=r"line 3 is not utf-8.*as the rest is: .*--encoding"):
        Source(write(mark + good.encode() + b"Bor\xefs;+79161234568\n" + good.encode()))


def test_a_utf8_file_that_was_cut(write: Write) -> None:
    """Half a character at the end is broken as well."""
    with pytest.raises(InvalidInput, match="line 2 is not utf-8"):
        Source(write("Анна\nБорис".encode()[:-1]))


@table("size", [2, 3, 5, 7])
def test_broken_bytes_between_blocks(size: int, write: Write) -> None:
    """Wherever one read ends and the next begins, the same is found."""
    with Source(write("ООО «МТС», ВСЁ\n".encode("cp1251")), block=size) as source:
        assert "cp1251" == source.encoding
    with pytest.raises(InvalidInput, match="line 2 is not utf-8"):
        Source(write("Анна\nБорис".encode() + b"\xff"), block=size)


WORDS = st.sampled_from(["Привет", "Анна", "Ёлка", "«МТС»", "«ЦУМ»", "АЛЁНА", "ПЁТР", "улица", "№5", "— скидка"])


@pytest.mark.once
@given(st.lists(WORDS, min_size=3), st.text(st.characters(codec="cp1251"), max_size=4))
def test_cp1251_is_found_in_any_text(words: list[str], other: str) -> None:
    """Some words are enough, with some others that happen to look like UTF-8."""
    text = f"{other};{' '.join([*words, 'Екатерина'])};+79161234567\n"
    with Source(io.BytesIO(text.encode("cp1251"))) as source:
        assert ("cp1251", text) == (source.encoding, "".join(source.lines()))


def test_a_stray_zero_is_no_utf16(write: Write) -> None:
    """A zero byte in a list does not make another encoding of it."""
    with Source(write("имя;телефон\nАн\0на;+79161234567\n")) as source:
        assert "utf-8" == source.encoding


def test_a_missing_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(InvalidInput, match=r"absent\.csv cannot be read"):
        Source(tmp_path_factory.mktemp("none") / "absent.csv")


def test_a_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    with pytest.raises(InvalidInput, match=rf"{tmp_path.name} cannot be read: Is a directory"):
        Source(tmp_path)


def test_a_named_pipe(tmp_path: Path) -> None:
    """A pipe with a name is read as a stream, and its name tells the format."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT.encode(),))
    writer.start()
    with Source(path) as source:
        ended(writer)
        assert ("pipe.csv", [TEXT, TEXT], False) == (
            source.name,
            ["".join(source.lines()) for _ in range(2)],
            source.changed(),
        )


def test_the_shell_s_pipe() -> None:
    """What ``<(…)`` and ``/dev/stdin`` give is read as a stream."""
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode())
    os.close(writing)
    try:
        with Source(f"/dev/fd/{reading}") as source:
            assert TEXT == "".join(source.lines())
    finally:
        os.close(reading)


def test_a_change_is_noticed(write: Write) -> None:
    """A file that has grown, was written anew or is gone is another; one that was only read is not."""
    path = write(TEXT)
    with Source(path) as source:
        list(source.lines())
        answers = [source.changed()]
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
        answers.append(source.changed())
        path.unlink()
        answers.append(source.changed())
    with Source(write(TEXT)) as source:
        stat = path.stat()
        path.write_text("more\n" + TEXT)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        answers.append(source.changed())
    with Source(io.BytesIO(b"1")) as source:
        answers.append(source.changed())
    assert [False, True, True, True, False] == answers


def test_a_stream_is_read_as_often_as_a_file(write: Write) -> None:
    """A pipe has the digest and the lines of the file with its bytes, and gives them twice."""
    with Source(write(TEXT)) as file, Source(io.BytesIO(TEXT.encode())) as pipe:
        assert (file.digest, None) == (pipe.digest, pipe.name)
        assert list(file.lines()) == list(pipe.lines()) == list(pipe.lines())


def test_a_line_without_end(write: Write) -> None:
    """A file of one endless line is refused before it fills the memory."""
    with Source(write("1" * (MAX_LINE + 1))) as source, pytest.raises(InvalidInput, match="line 1 has more than"):
        list(source.lines())
