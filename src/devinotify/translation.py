"""What the command line says, in the language of whoever reads it: English as it is written, Russian by a catalogue.

The catalogue is ``locale/ru/LC_MESSAGES/devinotify.po`` and its compiled form beside it; ``python -m
tests.cli.catalogue`` brings both up to date. It is read when something is first said in Russian. Nothing but what
people read from the command line is translated: JSON, exit codes, logs, and the texts of errors in Python stay.

A plugin brings a catalogue of its own in the folder ``locale`` of its package, by whose name it goes:
``devinotify_rota/locale/ru/LC_MESSAGES/devinotify_rota.mo``. It is looked into for what ours does not have. The names
in ``__all__`` are for plugins' commands too.
"""

from __future__ import annotations

import gettext
import os
import re
import string
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["N_", "_", "ngettext", "told"]

LANGUAGES = ("en", "ru")
"""The languages that the command line speaks; the first is the one that it is written in."""

DOMAIN = "devinotify"
FOLDER: Path = Path(__file__).parent / "locale"
"""Where the catalogues are."""

ERROR = "error"
"""The context of the catalogue's entries for errors of the library, which come as finished texts."""

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # in gettext's order
_HARD = "\N{NO-BREAK SPACE}"
_FIELD = re.compile(r"\{(\w+)\}")
_DEEPEST = 6  # patterns within a pattern's fields
_BETWEEN = (": ", "; ", ". ", ", ")
_DATA = frozenset({"description", "path", "name", "file", "strerror", "error_text"})
"""Fields whose values are somebody else's words, whatever they look like."""
_NAMES = frozenset({"state"})
"""Fields whose values are names of states, which the catalogue has by themselves."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|pip install \S+")
_SENTENCE = re.compile(r"(?<![\w./:-])[a-z]{2,} [a-z]{2,}(?![\w/])")
"""Two English words in a row, beside what is quoted: no number, no path and no list of names has them."""


class _Speech:
    preferred = LANGUAGES[0]
    spoken = LANGUAGES[0]


def of_environment() -> str:
    """Return the language that the environment asks for, English where it asks for none that there is.

    The locale need not be installed: its name tells enough.
    """
    named = next(filter(None, map(os.environ.get, _VARIABLES)), "")
    codes = (re.split(r"[._@]", each)[0].lower() for each in named.split(":"))
    return next((code for code in codes if code in LANGUAGES), LANGUAGES[0])


def preferred() -> str:
    """Return the language of whoever called the command, even where machines are spoken to: that of a page, say."""
    return _Speech.preferred


@contextmanager
def speaking(language: str, *, to_machines: bool = False) -> Iterator[None]:
    """Let everything be said in a language while this lasts; what is said to machines is always in English.

    Click translates its own words by the functions of ``gettext`` itself: they are pointed to our catalogue.
    """
    before = _Speech.preferred, _Speech.spoken
    domain, folder, variable = gettext.textdomain(), gettext.bindtextdomain(DOMAIN), os.environ.get("LANGUAGE")
    _Speech.preferred = language
    _Speech.spoken = LANGUAGES[0] if to_machines else language
    try:
        if _Speech.spoken != LANGUAGES[0]:
            gettext.bindtextdomain(DOMAIN, str(FOLDER))
            gettext.textdomain(DOMAIN)
            os.environ["LANGUAGE"] = language  # the one way to tell these functions which
        yield
    finally:
        _Speech.preferred, _Speech.spoken = before
        gettext.textdomain(domain)
        gettext.bindtextdomain(DOMAIN, folder)
        os.environ.pop("LANGUAGE", None)
        if variable is not None:
            os.environ["LANGUAGE"] = variable


def _(message: str, **fields: object) -> str:
    """Return a message in the language that is spoken, with its ``fields`` put in as ``str.format`` does."""
    # An empty text is not a message: gettext has the head of the catalogue under it.
    said = not message or _Speech.spoken == LANGUAGES[0]
    texts = () if said else (each.gettext(message) for each in _catalogues(_Speech.spoken))
    found = next((text for text in texts if text != message), message)
    return _filled(found, fields) if fields else found


def ngettext(one: str, many: str, count: int, **fields: object) -> str:
    """Return the one of two messages that fits a number, with ``count`` and ``fields`` put in."""
    said = _Speech.spoken == LANGUAGES[0]
    texts = () if said else (each.ngettext(one, many, count) for each in _catalogues(_Speech.spoken))
    found = next((text for text in texts if text not in (one, many)), one if count == 1 else many)
    return _filled(found, {"count": count, **fields})


def N_(message: str) -> str:  # noqa: N802 - what gettext's tools and readers know it by
    """Return a message as it is: it stands in the catalogue, and is translated where it is said."""
    return message


def number(value: object) -> str:
    """Return a number with its thousands apart."""
    return _filled("{value:,}", {"value": value})


def told(error: object) -> str:
    """Return what an error of the library says, in the language that is spoken; what is not known stays as it is.

    The library's errors come as finished texts in English. The catalogue has a pattern of each (``"{path} is not a
    journal of a campaign"``), by which they are recognised here, at the edge, and by nothing that decides anything.
    """
    if _Speech.spoken == LANGUAGES[0]:
        return str(error)
    found = _recognised(str(error), _Speech.spoken, _DEEPEST)
    return str(error) if found is None else found


def _recognised(text: str, language: str, depth: int) -> str | None:
    """Return a text in a language; ``None`` where a part of it is a sentence that is not known.

    The whole is better in English than half of it.
    """
    core = text.strip()
    for beginning, pattern, translated in _patterns(language):
        found = pattern.fullmatch(core) if core.startswith(beginning) else None
        if found is not None:
            values = {
                name: _value(name.rstrip("0123456789"), value, language, depth)
                for name, value in found.groupdict().items()
            }
            if None not in values.values():
                return text.replace(core, _filled(translated, dict(values)))
    for between in _BETWEEN:  # what was put together of two
        first, found_between, second = text.partition(between)
        if found_between and depth:
            parts = [_recognised(part, language, depth - 1) for part in (first, second)]
            known_parts = [part for part in parts if part is not None]
            return between.join(known_parts) if len(known_parts) == len(parts) else None
    return None if _SENTENCE.search(_QUOTED.sub("", text)) else text


def _value(name: str, value: str, language: str, depth: int) -> str | None:
    """Return what a pattern's field holds in a language; ``None`` as of the whole."""
    if name in _NAMES:
        return _catalogue(language).gettext(value.replace("_", " "))
    known = _recognised(value, language, depth - 1) if depth else value
    return value if known is None and name in _DATA else known


@cache
def _catalogue(language: str) -> gettext.GNUTranslations | gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, [language], fallback=True)


@cache
def _of_plugins(language: str) -> list[gettext.NullTranslations]:
    """Return the catalogues of the installed plugins, whether they are loaded or not."""
    from importlib import metadata, util  # not what every start pays for

    found: list[gettext.NullTranslations] = []
    try:
        packages = sorted({point.module.partition(".")[0] for point in metadata.entry_points(group=DOMAIN)})
    except Exception:  # noqa: BLE001 - one broken distribution must not keep anything from being said
        return found
    for package in packages:
        try:
            spec = util.find_spec(package)
            for folder in (spec.submodule_search_locations if spec else None) or ():
                found += [gettext.translation(package, Path(folder) / FOLDER.name, [language])]
        except Exception:  # noqa: BLE001, S112 - a plugin without a catalogue, or whose own is damaged, is in English
            continue
    return found


def _catalogues(language: str) -> Iterator[gettext.NullTranslations]:
    """Yield ours, and those of plugins only where it is not enough."""
    yield _catalogue(language)
    yield from _of_plugins(language)


@cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return how each pattern of an error begins, the pattern, and its translation; those that say most come first."""
    context = f"{ERROR}\x04"
    templates = [
        (key.removeprefix(context), text)
        for catalogue in _catalogues(language)
        for key, text in getattr(catalogue, "_catalog", {}).items()  # there is no public way to walk one
        if str(key).startswith(context) and text
    ]
    templates.sort(key=lambda each: -len(_FIELD.sub("", each[0])))
    return [(re.split(_FIELD, template)[0], _pattern(template), text) for template, text in templates]


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(_FIELD, template)
    source = "".join(f"(?P<{part}>.*?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile(source, re.DOTALL)


class _Russian(string.Formatter):
    """``str.format`` with thousands apart by a space, and a decimal comma, as Russian has them."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - anything that can be formatted
        """Return a value in its form."""
        shown = str(super().format_field(value, format_spec))
        return shown.translate({ord(","): _HARD, ord("."): ","}) if "," in format_spec else shown


def _filled(message: str, fields: dict[str, object]) -> str:
    return message.format(**fields) if _Speech.spoken == LANGUAGES[0] else _Russian().vformat(message, (), fields)
