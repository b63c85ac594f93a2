"""The words of every language, merged from the TOML files beside this one.

A new language is a new file: it is found by listing this folder. An entry is cleaned exactly as a text is, and a space
inside it may be missing in the text.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from parsers.clean import clean


@dataclass(frozen=True)
class Lexicon:
    """All languages' words.

    ``words`` maps a cleaned word without spaces to its one token kind; ``phrases`` holds the cleaned words as written,
    spaces included. The rest feeds the shapes of numbers, clocks, dates and zones.
    """

    words: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    numerals: dict[str, int] = field(default_factory=dict)
    minute_numerals: dict[str, int] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    quarters: dict[str, int] = field(default_factory=dict)
    zones: dict[str, int] = field(default_factory=dict)


# Sections whose lists become word tokens; the token kind is the last part of the name unless given here.
_WORD_SECTIONS = ("halfday", "instant", "marks", "words", "words.vague", "words.outing", "words.modifier")
_KIND_PREFIX = {"halfday": "half_", "words.vague": "vague_", "words.outing": "outing_", "instant": "instant_"}
# Lists that become word tokens among others that do not: (section, list, token kind).
_LONE_LISTS = (
    ("date", "words", "date"),
    ("date", "weekday_short", "weekday_short"),
    ("numbers", "at", "at"),
    ("duration", "relative", "relative"),
)
# Sections the clock, duration and date patterns are built from.
_UNIT_SECTIONS = ("clock", "duration", "date", "numbers")


def _lists(table: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    return ((name, value) for name, value in table.items() if isinstance(value, list))


def _section(language: dict[str, Any], path: str) -> dict[str, Any]:
    for part in path.split("."):
        language = language.get(part, {})
    return language


@cache
def lexicon() -> Lexicon:
    """Read and merge the language files, once.

    Raises:
        ValueError: an entry is empty after clean-up, so it would match everywhere, or has two kinds.
    """
    merged = Lexicon()
    for file in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            _merge(merged, tomllib.loads(file.read_text(encoding="utf-8")))
    return merged


def _merge(merged: Lexicon, language: dict[str, Any]) -> None:
    for entry, kind in _worded(language):
        _add(merged, entry, kind)
    for section in _UNIT_SECTIONS:
        for name, entries in _lists(_section(language, section)):
            merged.units.setdefault(f"{section}.{name}", []).extend(clean(entry) for entry in entries)
    for table, path in (
        (merged.numerals, "numerals.hours"),
        (merged.minute_numerals, "numerals.minutes"),
        (merged.quarters, "clock.quarters"),
    ):
        table.update({clean(word): value for word, value in _section(language, path).items()})
    merged.minute_numerals.update(_composed(language))
    # A space inside an entry may be missing in the text.
    merged.minute_numerals.update({word.replace(" ", ""): value for word, value in merged.minute_numerals.items()})
    merged.zones.update({clean(name).replace(" ", ""): offset for name, offset in _section(language, "zones").items()})


def _composed(language: dict[str, Any]) -> dict[str, int]:
    """Minutes said as tens and ones (이십삼, 二十三), where a language lists both."""
    tens, ones = _section(language, "numerals.tens"), _section(language, "numerals.ones")
    both = {f"{ten}{gap}{one}": tens[ten] + ones[one] for ten in tens for one in ones for gap in (" ", "")}
    return {clean(word): value for word, value in (tens | ones | both).items()}


def _worded(language: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(entry, kind) of everything that becomes a word token."""
    for path in _WORD_SECTIONS:
        for name, entries in _lists(_section(language, path)):
            yield from ((entry, _KIND_PREFIX.get(path, "") + name) for entry in entries)
    for path, name, kind in _LONE_LISTS:
        yield from ((entry, kind) for entry in _section(language, path).get(name, []))
    yield from ((name, "zone") for name in _section(language, "zones"))


def _add(merged: Lexicon, entry: str, kind: str) -> None:
    phrase = clean(entry)
    key = phrase.replace(" ", "")
    if not key:
        raise ValueError(f"lexicon entry {entry!r} ({kind}) is empty after clean-up")
    if merged.words.setdefault(key, kind) != kind:
        raise ValueError(f"lexicon entry {entry!r} is both {merged.words[key]} and {kind}")
    if len(phrase) >= len(merged.phrases.get(key, "")):
        merged.phrases[key] = phrase
