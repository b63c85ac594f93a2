"""The general-purpose date library, last in the chain and never more than a suggestion."""

import re

from parsers.foreign import minute_of
from parsers.policy import Policy
from parsers.readings import half_of
from parsers.sentence import Sentence
from parsers.types import Reason
from parsers.verdict import Verdict, review

_LONGEST = 40
_WORD = re.compile(r"[^\W\d_]{2}|[^\W\d_a-z]")
_HANGUL_OR_HAN = re.compile(r"[\u1100-\u11ff\u3040-\u9fff\uac00-\ud7a3]")


def parse(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim a short text with a digit, foreign words and no word of ours that the library reads as a time of day."""
    if len(sentence.text) > _LONGEST or _speaks_ours(sentence) or not _foreign(sentence):
        return None
    minute = minute_of(sentence.text, policy.timezone)
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
    if not _WORD.search(sentence.text):
        return False  # the t and z of timestamps: no language, and slow to be asked in all
    unknown = [sentence.text[item.token.start] for item in sentence.items if item.symbol == "?"]
    return any(char.isdigit() for char in sentence.text) and any(
        char.isalpha() and not _HANGUL_OR_HAN.match(char) for char in unknown
    )
