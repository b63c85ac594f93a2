"""The general-purpose date library, asked only in the languages that may read a text.

The library tries a text in every language it is given, a tenth of a millisecond each, though most texts hold a word
that most languages lack. Which ones know a word is told here from the library's own data, so leaving a language out
changes no answer: a language reads a text only if it knows every piece, it cuts pieces at word boundaries, and so each
run of letters stands in one of its words or in one of its patterns, or is a time zone's name, or was swallowed by an
offset. Where this cannot tell (letters that a pattern may join), the language is asked. One of whose words none stands
in the text (15:00 KST) is not: it would read zones alone, and a month (set) as one. PM is everybody's and tells none.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

# Only the clinic's likelier guests.
LANGUAGES = ("fr", "de", "es", "it", "pt", "ru", "vi", "th", "id", "tr", "ar", "mn")
# The library dates what it reads; the day does not matter here, but it must be the same one every time.
_BASE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)

_LETTERS = re.compile(r"[^\W\d_]+")
# An offset may be glued to the word in front of it, and one of four digits swallows all that is written behind it.
_OFFSET = re.compile(r"\w*(?:utc|gmt)[+-](?:\d\d:?\d\d.*|[\d:]*$)")
# The library takes Persian yeh and kaf for the Arabic ones, and ignores case, which joins both i of Turkish.
_ALIKE = str.maketrans("یکı", "يكi")
_ORDINALS = ("st", "nd", "rd", "th")
_MERIDIEMS = {"am", "pm"}


def minute_of(text: str, zone: str) -> int | None:
    """Minutes since midnight of the time of day that the library reads in a cleaned text; None where it reads none.

    A time with an offset is told in ``zone``, an IANA name.

    >>> minute_of("9.30 uhr", "Asia/Seoul"), minute_of("15:00 xyz", "Asia/Seoul")
    (570, None)
    >>> minute_of("1. dezember 2025, 20:00 gmt+9", "Asia/Seoul")
    1200
    """
    languages = readers(text)
    return minute_in(languages, text, zone) if languages else None


def minute_in(languages: tuple[str, ...], text: str, zone: str) -> int | None:
    """The same, asked in the given languages only."""
    try:
        found = _library(languages, zone).get_date_data(text)
    except Exception:  # noqa: BLE001 - the library raises many kinds on odd texts; then it has no answer
        return None
    if found is None or found.date_obj is None or found.period != "time":
        return None
    return int(found.date_obj.hour) * 60 + int(found.date_obj.minute)


def readers(text: str) -> tuple[str, ...]:
    """The languages in which the library may read a cleaned text.

    >>> readers("15 uhr"), readers("9 eylül 18:00 kst"), readers("15:00 xyz")
    (('de',), ('tr',), ())
    """
    from dateparser.date import sanitize_date  # noqa: PLC0415 - the library costs half a second; most runs never come

    runs = set(_LETTERS.findall(_spelled(_OFFSET.sub("", sanitize_date(text)))))
    foreign = {run for run in runs if run.isalpha()}  # digits that are no letters (፩) pass for numbers
    return tuple(
        language
        for language, owns in _vocabularies().items()
        if all(owns(run) or run in _universal() for run in foreign) and any(map(owns, foreign - _MERIDIEMS))
    )


@cache
def _library(languages: tuple[str, ...], zone: str) -> Any:
    from dateparser.date import DateDataParser  # noqa: PLC0415

    return DateDataParser(
        languages=list(languages),
        try_previous_locales=False,
        settings={
            "RETURN_TIME_AS_PERIOD": True,
            "TIMEZONE": zone,
            "PARSERS": ["absolute-time"],
            "RELATIVE_BASE": _BASE,
        },
    )


@cache
def _vocabularies() -> dict[str, Callable[[str], bool]]:
    """For each language, whether a run of letters may be of it."""
    from dateparser.languages.loader import default_loader  # noqa: PLC0415

    return {locale.shortname: _vocabulary(locale.info) for locale in default_loader.get_locales(languages=LANGUAGES)}


def _vocabulary(info: dict[str, Any]) -> Callable[[str], bool]:
    patterns = [pattern for some in info.get("relative-type-regex", {}).values() for pattern in some]
    patterns += [pattern for rule in info.get("simplifications", []) for pattern in rule]
    words = _runs(_strings(info))
    joined = re.compile("|".join(sorted({_joined(pattern) for pattern in patterns})))
    return lambda run: run in words or joined.fullmatch(run) is not None


def _runs(words: Iterable[str]) -> set[str]:
    return {run for word in words for run in _LETTERS.findall(_spelled(word))}


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from _strings(list(data.values()))
    elif isinstance(data, list):
        for part in data:
            yield from _strings(part)


@cache
def _universal() -> set[str]:
    """Runs of letters that the library reads in any language: its own tokens, English ordinals, names of time zones."""
    from dateparser.conf import settings  # noqa: PLC0415
    from dateparser.languages.dictionary import PARSER_KNOWN_TOKENS  # noqa: PLC0415
    from dateparser.timezones import timezone_info_list  # noqa: PLC0415

    zones = [name for family in timezone_info_list for name, _ in family["timezones"]]
    return _runs((*PARSER_KNOWN_TOKENS, *_ORDINALS, *settings.SKIP_TOKENS, *zones))


def _joined(pattern: str) -> str:
    """Every run of letters that a pattern of the library can match, and more: its runs of letters, joined at will."""
    plain = re.sub(r"\\[a-zA-Z]", " ", pattern)
    plain = re.sub(r"\[([^]]*)\]", lambda chars: " ".join(chars[1]), plain)
    runs = sorted(set(_LETTERS.findall(_spelled(re.sub(r"(\w)\?", r" \1 ", plain)))))
    return f"(?:{'|'.join(runs)})+"


def _spelled(text: str) -> str:
    """A text as the library compares it: lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn").translate(_ALIKE)
