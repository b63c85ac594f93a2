"""Texts that the grammar accounts for to the last character: one phrase, or alternatives that agree."""

from parsers.phrases import read_one, read_several
from parsers.policy import Policy
from parsers.sentence import Sentence
from parsers.verdict import Verdict


def phrase(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim a text that is one phrase: a clock, a word, a range or a bound."""
    return read_one(sentence.items, policy)


def alternatives(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim phrases joined by "or", commas or nothing (14:00 오후 2시)."""
    return read_several(sentence.items, policy)
