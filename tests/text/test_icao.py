"""Cyrillic in Latin letters, held against the document's own examples and rows."""

from __future__ import annotations

import unicodedata

import pytest

from devinotify.text import convert, cyrillic, is_gsm7, to_gsm7
from devinotify.text.icao import CYRILLIC, latin
from tests.tables import table


def test_russian_follows_icao_doc_9303() -> None:
    """The whole alphabet, in order, as part 3, section 6 B gives it."""
    alphabet = "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы э ю я"
    expected = "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y e iu ia"
    assert expected == cyrillic(alphabet)


@table(
    "text, expected",
    [
        pytest.param("Щукин Юрий", "Shchukin Iurii", id="a capital before a small letter"),
        pytest.param("ЩУКИН ЮРИЙ", "SHCHUKIN IURII", id="a capital before a capital"),
        pytest.param("БОРЩ И ЩИ", "BORSHCH I SHCHI", id="a capital at the end of a word in capitals"),
        pytest.param("Я и Ю", "Ia i Iu", id="a capital by itself"),
        pytest.param("объезд, Ольга", "obieezd, Olga", id="hard and soft sign"),
        pytest.param("Їжак, Євген, Ґанок", "Izhak, Ievgen, Ganok", id="Ukrainian"),
        pytest.param("Ўладзімір", "Uladzimir", id="Belarusian"),
        pytest.param("Әлем, Ғалым, Қазақ, Өң, Ұлт, Үй, Һ", "Alem, Galym, Kazak, On, Ult, Ui, H", id="Kazakh"),
        pytest.param("Башҡорт, ҙур, ҫәй, Өфө, һыу", "Bashkort, zur, sai, Ofo, hyu", id="Bashkir"),
        pytest.param("Җәмилә, ЯҢА", "Jamila, IANA", id="Tatar"),
        pytest.param("Тоҷик, Ҳисор, Ғафур, қӣ, Ӯ", "Tojik, Hisor, Gafur, ki, U", id="Tajik"),
        pytest.param("Ўзбек, Қўқон, Ҳамза", "Uzbek, Kukon, Hamza", id="Uzbek"),
        pytest.param("Гүлҹан, Ҝәнҹә", "Guljan, Ganja", id="Azeri"),
        pytest.param("Аҧсуа, ҵәа, ҽы, Ӡиӡлан", "Apsua, tsaa, chy, Dzidzlan", id="Abkhaz"),
        pytest.param("Нохчийн, ГӀалгӀай, КЪАЬӀ", "Nokhchiin, G'alg'ai, KIEA'", id="Chechen and Ingush"),
        pytest.param("Таҥара, ҔААР, ҥ", "Tangara, GAAR, ng", id="Yakut"),
        pytest.param("Ирӕ, Ӕхсар", "Irae, Aekhsar", id="Ossetic"),
        pytest.param("Чӑваш ҫӳп", "Chavash sup", id="Chuvash"),
        pytest.param("ӇАНИ, Ӈани", "NGANI, Ngani", id="capitals of several letters"),
        pytest.param("ѝ Ѐ", "i E", id="letters with a grave accent"),
        pytest.param("ЩUK", "SHCHUK", id="a neighbour in Latin counts, too"),
    ],
)
def test_words_are_spelled_in_their_case(text: str, expected: str) -> None:
    """A letter that takes several is written as its neighbours are."""
    assert expected == cyrillic(text)


def test_every_spelling_is_gsm7() -> None:
    """Every row of the table, capitals included."""
    assert [] == [letter for letter, spelled in CYRILLIC.items() if not is_gsm7(spelled)]


@table("character", ["a", "\u0482", "漢"])
def test_what_is_no_letter_of_the_table_has_no_spelling(character: str) -> None:
    """Latin, the Cyrillic thousands sign and an ideograph."""
    assert latin(character) is None


BLOCKS = [(0x400, 0x52F), (0x1C80, 0x1C8A), (0x1D2B, 0x1D2B), (0x1D78, 0x1D78), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)]


@table("first, last", BLOCKS, ids=[f"{first:04X}" for first, _ in BLOCKS])
def test_no_cyrillic_letter_is_lost(first: int, last: int) -> None:
    """Every character of the Cyrillic blocks of Unicode: letters, letters above letters, titlos, signs."""
    assert [] == [f"{code:04X}" for code in range(first, last + 1) if convert(chr(code)).lost]


@table("first, last", BLOCKS, ids=[f"{first:04X}" for first, _ in BLOCKS])
def test_every_cyrillic_letter_has_latin_letters_in_its_case(first: int, last: int) -> None:
    """But the hard and soft signs, the palochka and what Latin writes as a sign."""
    silent = {"SOFT", "HARD", "SEMISOFT", "YER", "PALOCHKA", "PAYEROK", "KAVYKA"}
    for letter in map(chr, range(first, last + 1)):
        words = set(unicodedata.name(letter, "").split())
        if not unicodedata.category(letter).startswith("L") or (silent & words and "WITH" not in words):
            continue
        spelled = to_gsm7(letter)
        assert (True, letter.isupper()) == (spelled.isalpha() and spelled.isascii(), spelled[0].isupper())
