"""The general-purpose date library, last in the chain and never more than a suggestion."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from parsers.policy import Policy
from parsers.readings import half_of
from parsers.sentence import Sentence
from parsers.types import Reason
from parsers.verdict import Verdict, review

# The library tries every language it is given on every text, so only the clinic's likelier guests are listed.
_LANGUAGES = ["fr", "de", "es", "it", "pt", "ru", "vi", "th", "id", "tr", "ar", "mn"]
_LONGEST = 40
_HANGUL_OR_HAN = re.compile(r"[\u1100-\u11ff\u3040-\u9fff\uac00-\ud7a3]")
# The library dates what it reads; the day does not matter here, but it must be the same one every time.
_BASE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@cache
def _library() -> Any:
    import dateparser.date  # noqa: PLC0415 - costs half a second; most runs never come here

    return dateparser.date.DateDataParser(
        languages=_LANGUAGES,
        try_previous_locales=False,
        settings={
            "RETURN_TIME_AS_PERIOD": True,
            "TIMEZONE": "UTC",
            "PARSERS": ["absolute-time"],
            "RELATIVE_BASE": _BASE,
        },
    )


def parse(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim a short text with a digit, foreign words and no word of ours that the library reads as a time of day."""
    symbols = sentence.symbols
    if "?" not in symbols or len(sentence.text) > _LONGEST or _speaks_ours(sentence) or not _foreign(sentence):
        return None
    minute = _minute(sentence.text)
    if minute is None:
        return None
    lo, hi = policy.plausible
    return review("fallback", Reason.FALLBACK_ONLY, half_of(minute, policy) if lo <= minute < hi else None)


def _speaks_ours(sentence: Sentence) -> bool:
    """Whether a half-day word or a spoken hour tells that the text is in a language of ours."""
    terms = [item.term for item in sentence.items if item.term]
    return any(term.halves or term.instant or (term.clock and term.clock.style == "bare") for term in terms)


def _foreign(sentence: Sentence) -> bool:
    """Digits beside an unknown word in a script that the library's languages are written in."""
    unknown = [sentence.text[item.token.start] for item in sentence.items if item.symbol == "?"]
    return any(char.isdigit() for char in sentence.text) and any(
        char.isalpha() and not _HANGUL_OR_HAN.match(char) for char in unknown
    )


def _minute(text: str) -> int | None:
    try:
        found = _library().get_date_data(text)
    except Exception:  # noqa: BLE001 - the library raises many kinds on odd texts; then it has no answer
        return None
    if found is None or found.date_obj is None or found.period != "time":
        return None
    return int(found.date_obj.hour) * 60 + int(found.date_obj.minute)
