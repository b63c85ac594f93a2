"""Texts that are not read at all: missing, blank, or too long."""

import unicodedata

from parsers.policy import Policy
from parsers.sentence import MAX_LENGTH, Sentence
from parsers.types import Reason
from parsers.verdict import Verdict, review


def parse(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim NULL, blank texts and texts over 200 code points, before anything is lexed."""
    del policy
    raw = sentence.raw
    if raw is None:
        return review("blank", Reason.EMPTY)
    if len(raw) > MAX_LENGTH:
        return review("too_long", Reason.TOO_LONG)
    if not sentence.text:
        return _without_text(raw)
    return None


def _without_text(raw: str) -> Verdict:
    """Nothing is left after clean-up: blank, a lone dash or dot, or only emoji."""
    left = [char for char in unicodedata.normalize("NFKC", raw) if not char.isspace() and char.isprintable()]
    if not left:
        return review("blank", Reason.EMPTY)
    if all(char in ".,?!…·・。、-~_/*" for char in left):
        return review("placeholder", Reason.PLACEHOLDER)
    return review("no_time", Reason.NO_TIME)
