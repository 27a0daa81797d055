"""The command line speaks Russian to whoever asks for it, and to machines as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from devinotify.translation import _, ngettext, number, of_environment, preferred, speaking, told
from tests.tables import table

if TYPE_CHECKING:
    import pytest

    from tests.cli.conftest import Run

USAGE = "Использование:"


@table(
    "variables, language",
    [
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru"}, "ru"),
        ({"LANG": "ru_RU.KOI8-R@x"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LANGUAGE": "en:ru"}, "en"),
        ({"LANG": "C", "LANGUAGE": "kk:ru:en"}, "ru"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_locale_names_the_language(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variables of gettext, in their order; whether it is installed does not matter."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language == of_environment()


@table(
    "arguments",
    [
        ("--lang", "ru", "send", "--help"),
        ("send", "--lang", "ru", "--help"),
        ("send", "--help", "--lang=ru"),
        ("outbox", "list", "--lang", "ru", "--help"),
        ("bulk", "status", "--lang", "ru", "--help"),
        ("--lang", "ru", "--help"),
        ("--lang", "ru"),
    ],
)
def test_the_option_stands_before_or_behind_the_command(arguments: tuple[str, ...], run: Run) -> None:
    """As people type it."""
    assert (0, True) == ((result := run(*arguments)).exit_code, result.output.startswith(USAGE))


def test_a_text_is_no_option(run: Run) -> None:
    """What stands behind -- is a text, whatever it looks like."""
    assert "Использование" not in run("segments", "--", "--lang", "ru").output


def test_another_language_is_refused(run: Run) -> None:
    """There are two."""
    result = run("balance", "--lang", "de")
    assert (2, True) == (result.exit_code, "'de' is not one of 'en', 'ru'" in result.stderr)


def test_what_is_said_ends_with_the_command(run: Run) -> None:
    """One command in Russian leaves the next in English, in one process."""
    russian = run("--lang", "ru", "send", "--help").output
    assert (True, True) == (russian.startswith(USAGE), run("send", "--help").output.startswith("Usage:"))


def test_the_locale_need_not_be_installed() -> None:
    """A process with LANG of a locale that the machine does not have speaks Russian."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LANG", "LC_"))}
    environment |= {"LANG": "ru_RU.UTF-8", "PYTHONUTF8": "1"}
    result = subprocess.run(
        [sys.executable, "-c", "from devinotify.cli import main; main()", "send", "--help"],
        env=environment,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.decode().startswith(USAGE)


@table(
    "arguments",
    [
        ("phone", "--json", "89161234567", "12"),
        ("segments", "--json", "Привет"),
        ("send", "--json", "Hello"),
        ("balance", "--json"),
        ("nothing", "--json"),
        ("outbox", "list", "--json", "--outbox", "/nowhere/at/all"),
        ("bulk", "--json", "/nowhere/list.csv", "--text", "Hello", "--dry-run"),
        ("bulk", "status", "/nowhere/journal.db", "--json", "--no-poll"),
        ("state", "1", "--json", "--url", "devino://demo@X"),
    ],
)
def test_machines_read_the_same_in_each_language(arguments: tuple[str, ...], run: Run) -> None:
    """JSON is the same to the byte, and so is the exit code."""
    english, russian = run(*arguments), run(*arguments, "--lang", "ru")
    assert (english.stdout_bytes, english.exit_code) == (russian.stdout_bytes, russian.exit_code)


def test_a_page_is_for_people_all_the_same() -> None:
    """Who asks for JSON, and reads Russian, gets a page in Russian."""
    with speaking("ru", to_machines=True):
        assert ("ru", "The account's login.") == (preferred(), _("The account's login."))


@table(
    "count, told",
    [
        (1, "1 получатель за"),
        (2, "2 получателя"),
        (5, "5 получателей"),
        (21, "21 получатель за"),
        (1112, "1\xa0112 получателей"),
    ],
)
def test_plurals(count: int, told: str) -> None:
    """Russian has three, and thousands apart by a space."""
    with speaking("ru"):
        assert told in ngettext("{count:,} recipient in {time}", "{count:,} recipients in {time}", count, time="1 с")


def test_an_empty_text_stays_empty() -> None:
    """Gettext would give the head of its catalogue for it."""
    with speaking("ru"):
        assert "" == _("")


def test_numbers_have_a_decimal_comma() -> None:
    """As Russian writes them."""
    with speaking("ru"):
        assert "12\xa0345,5" == number(12345.5)


@table(
    "error, russian",
    [
        ("the text is empty", "текст пуст"),
        ("+7*: it is too short: digits are missing", "+7*: номер слишком короткий: не хватает цифр"),
        ("outbox /x.db: it is damaged; it was left untouched", "очередь /x.db: файл повреждён; он оставлен как есть"),
        ("what nobody has ever said", "what nobody has ever said"),
        (
            "the columns 'a b', 'телефон' may hold the numbers, and none is guessed: name the one with --column",
            "номера могут быть в любом из столбцов 'a b', 'телефон', угадывать нельзя: укажите нужный в --column",
        ),
        (
            "the limit 5 segments/day leaves no room before 00:00 on 2036-02-01 (UTC)",
            "лимит «5 segments/day» исчерпан до 00:00 2036-02-01 (UTC)",
        ),
        (
            "c.toml:4: a.to: the text is empty; 2 further mistakes; `devinotify config check` names all of them",
            "c.toml:4: a.to: текст пуст; есть и другие ошибки (2): все покажет `devinotify config check`",
        ),
        (
            "pip install 'devinotify[keyring]' (in a clone of its repository: pip install '.[keyring]')",
            "pip install 'devinotify[keyring]' (в клоне репозитория: pip install '.[keyring]')",
        ),
        ("stored by devinotify login: /home/x/key", "сохранил devinotify login: /home/x/key"),
        (
            "row 7 is not_sent and cannot be sent again",
            "запись 7 в состоянии «не отправлено», отправить её ещё раз нельзя",
        ),
        (
            "x.db cannot be used as a journal: its folder does not exist",
            "x.db нельзя использовать как журнал: такого каталога нет",
        ),
        (
            "x.db cannot be used as a journal: nobody has said so",
            "x.db cannot be used as a journal: nobody has said so",
        ),
        ("the text is empty; and nobody knows why", "the text is empty; and nobody knows why"),
        ("", ""),
    ],
)
def test_errors_of_the_library_are_recognised(error: str, russian: str) -> None:
    """By the patterns of the catalogue, what was put together of several included; what is not known stays."""
    with speaking("ru"):
        assert russian == told(ValueError(error))
    assert error == told(ValueError(error))


def test_a_language_without_a_catalogue_is_english() -> None:
    """Nothing breaks where the catalogue is missing, as in a package that was cut down."""
    with speaking("xx"):
        assert ("Send?", "an error") == (_("Send?"), told("an error"))
