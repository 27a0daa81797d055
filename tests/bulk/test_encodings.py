"""Names in every single-byte code page that Python has: read rightly, or asked for, and never read wrongly."""

from __future__ import annotations

import codecs
import encodings
import importlib
import io
import pkgutil

import pytest

from devinotify.bulk.encodings import FREQUENT, LEGACY, OTHERS
from devinotify.bulk.source import Source
from devinotify.exceptions import InvalidInput
from tests.tables import table

NAMES = {
    "Russian": "Анна Борис Григорий Екатерина Юлия Щербакова Пётр Объедков Цветаева Эдуард",
    "Ukrainian": "Андрій Сергій Марія Наталія Євген Їжакевич Ґалаґан Олександр Юрій Київ",
    "Belarusian": "Аляксандр Уладзімір Міхаіл Тацяна Юлія Каўрыга Дзьмітрый Воўк",
    "Serbian": "Ђорђе Љубица Његош Милош Јелена Драгана Ћирић Џајић Живко",
    "Kazakh": "Әлия Қайрат Асқар Гүлнұр Нұрсұлтан Ерлан Өмірбек Шыңғыс Мұхит",
    "Tatar": "Айгөл Җәмилә Рәшит Мөхәммәт Гүзәл Илдар",
    "Tajik": "Фаррух Ҷамшед Ғафур Қобил Шаҳло Рӯзибой",
    "Greek": "Γιώργος Μαρία Δημήτρης Ελένη Κωνσταντίνος Βασίλης Ιωάννα Χρήστος",
    "Hebrew": "אברהם יצחק משה שרה רבקה דוד מיכאל חנה",
    "Arabic": "محمد أحمد فاطمة علي خديجة يوسف عبدالله مريم",
    "Persian": "پرویز ژاله چنگیز گلناز شیرین فرهاد",
    "Thai": "สมชาย สมหญิง ประเสริฐ วิชัย สุดา อนันต์",
    "French": "Hélène François Zoë Benoît Anaïs Jérôme Gisèle Noël",
    "German": "Müller Jäger Größe Köhler Böhm Weiß Schäfer",
    "Spanish": "José Muñoz Peña Martínez Ángela Íñigo Nuñez",
    "Portuguese": "João Conceição Inês António Simões Guimarães",
    "Danish": "Søren Jørgen Åse Kjær Bjørn Mølgaard",
    "Icelandic": "Guðrún Sigurður Þór Ásdís Jón",
    "Polish": "Łukasz Paweł Kamiński Dębska Wójcik Żaneta Gałązka",
    "Czech": "Jiří Kučera Dvořák Čech Zdeněk Tomáš Hlaváček Petřík",
    "Slovak": "Ľubica Ďurica Štefánia Kôrka Mária",
    "Hungarian": "Erdős Győző László Szűcs Ágnes Őri Kőműves",
    "Romanian": "Ştefan Ioniţă Mădălina Crăciun Ţepeş Sânziana",
    "Romanian, with commas": "Ștefan Ioniță Mădălina Crăciun Țepeș",
    "Croatian": "Đorđe Čović Žarko Šime Petrić",
    "Turkish": "Çağrı Şule İbrahim Doğan Gülşen Işıl Özgür",
    "Lithuanian": "Šarūnas Živilė Jonė Eglė Rūta Mindaugas Ąžuolas",
    "Latvian": "Jānis Kārlis Ģirts Ķēniņš Zaiņa Līga Šķēle",
    "Estonian": "Tõnu Kõiv Jüri Märt Õie Šeela",
    "Vietnamese": "Đức Hà Lân Sơn Phước",
}
PAGES = [*LEGACY, *OTHERS]
HEADS = {"": "", "a Russian header": "Имя;Телефон\n", "an English header": "name;phone\n"}


def rows(names: list[str]) -> str:
    """Return a list with a name and a number a line."""
    return "".join(f"{name};+7916123{number:04d}\n" for number, name in enumerate(names))


def written(text: str, encoding: str) -> bytes | None:
    """Return a text in an encoding, ``None`` where it cannot be written in it, or needs no such encoding."""
    try:
        raw = text.encode(encoding)
    except UnicodeEncodeError:
        return None
    return None if raw.isascii() or raw.decode(encoding) != text else raw


def read(raw: bytes) -> str:
    """Return a list as it is read, and nothing where its encoding has to be named."""
    try:
        with Source(io.BytesIO(raw)) as source:
            return "".join(source.lines())
    except InvalidInput as error:
        assert "--encoding" in str(error)  # noqa: PT017 - one that is not asked for is a fault
        return ""


@pytest.mark.once
@table("head", HEADS.values(), ids=HEADS)
@table("language", NAMES)
def test_no_list_is_read_wrongly(language: str, head: str) -> None:
    """In whatever code page: its text is right, or its encoding has to be named."""
    text = head + rows(NAMES[language].split())
    wrong = {page: found for page in PAGES if (raw := written(text, page)) and (found := read(raw)) not in {"", text}}
    assert {} == wrong


@pytest.mark.once
@table("language", NAMES)
def test_no_single_name_is_read_wrongly(language: str) -> None:
    """One name that is not ASCII among others is as little guessed, in the encodings that lists are found in."""
    wrong = [
        (page, name, found.splitlines()[1])
        for name in NAMES[language].split()
        for page in (*LEGACY, *FREQUENT)
        if (raw := written(text := rows(["Anna", name, "Boris"]), page)) and (found := read(raw)) not in {"", text}
    ]
    assert [] == wrong


@table(
    "language, page",
    [
        *(("Russian", page) for page in ("cp1251", "cp866", "koi8-r")),
        *(("Ukrainian", page) for page in ("cp1251",)),
        ("Belarusian", "cp1251"),
        ("Serbian", "cp1251"),
        *((language, "cp1252") for language in ("French", "German", "Spanish", "Portuguese", "Danish", "Icelandic")),
        *((language, "iso8859-1") for language in ("German", "Spanish", "Danish")),
    ],
)
def test_lists_that_need_no_word(language: str, page: str) -> None:
    """What people in the region and in Western Europe have is read, in the encodings that they have it in."""
    text = rows(NAMES[language].split())
    raw = written(text, page)
    assert raw is not None
    assert text == read(raw)


def test_the_error_names_the_line_and_the_encoding() -> None:
    """With what a word there would read like."""
    raw = rows(["Anna", *NAMES["Greek"].split()]).encode("cp1253")
    with pytest.raises(
        InvalidInput, match=r"line \d may be in cp1251 \('\w+'\) or .*cp1253 \('Κωνσταντίνος'\).*--encoding"
    ):
        Source(io.BytesIO(raw))


def test_every_code_page_of_python_is_known() -> None:
    """Each in which a byte is a character, and ASCII is as it is."""
    ascii_ = bytes(byte for byte in range(128) if byte not in b"%")  # cp864 has its own
    found = set()
    for module in pkgutil.iter_modules(encodings.__path__):
        name = module.name
        try:
            made = importlib.import_module(f"encodings.{name}")
        except ImportError:  # of another system
            continue
        if not (hasattr(made, "decoding_table") or hasattr(made, "decoding_map")) or name in {"charmap", "rot_13"}:
            continue
        if ascii_.decode(name, "replace") == ascii_.decode():
            found.add(codecs.lookup(name).name)
    known = {codecs.lookup(page).name for page in PAGES}
    assert (set(), len(PAGES)) == (found - known, len(known))
