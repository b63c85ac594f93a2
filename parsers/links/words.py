"""Texts settled by a word, whatever stands beside: negation, placeholder, duration, no preference, vague, two days."""

from parsers.phrases import read_any, read_one
from parsers.policy import Policy
from parsers.sentence import Sentence
from parsers.types import Period, Reason
from parsers.verdict import Verdict, review

_CODE_SIGNS = set("%+=&<>\\")
_VAGUE = {
    "vague_morning": Period.MORNING,
    "vague_afternoon": Period.AFTERNOON,
    "outing_morning": Period.MORNING,
    "outing_afternoon": Period.AFTERNOON,
}


def negation(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim any text with a negation or condition; what it denies is for a person to say."""
    del policy
    symbols = sentence.symbols
    if "?" in symbols and any(sentence.text[item.token.start] in _CODE_SIGNS for item in sentence.items):
        return None  # a formula or markup: its words say nothing
    return review("negation", Reason.NEGATION)


def placeholder(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim 미정, TBD, N/A, a lone dash; beside a time the time is the suggestion."""
    return review("placeholder", Reason.PLACEHOLDER, _suggestion(sentence, policy, "P"))


def duration(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim 3시간, 30분, in 2 hours, 지금."""
    return review("duration", Reason.RELATIVE_OR_DURATION, _suggestion(sentence, policy, "DR"))


def no_preference(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim 아무때나 alone or beside both halves; within one half it narrows nothing and the phrase decides."""
    if "t" in sentence.symbols and not sentence.speaks_of_days and read_one(sentence.items, policy) is not None:
        return None
    return review("no_preference", Reason.NO_PREFERENCE)


def vague(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim 첫 타임, 퇴근 후 where no half-day word settles them."""
    del policy
    halves = {_VAGUE[item.token.kind] for item in sentence.items if item.symbol == "V"}
    return review("vague_word", Reason.AMBIGUOUS_WORD, halves.pop() if len(halves) == 1 else None)


def second_day(sentence: Sentence, policy: Policy) -> Verdict:
    """Claim a time of one day beside another day of which none is said; the time is the suggestion."""
    return review("second_day", Reason.CONFLICTING, _suggestion(sentence, policy, "d,|&"))


def _suggestion(sentence: Sentence, policy: Policy, symbols: str) -> Period | None:
    rest = [item for item in sentence.items if item.symbol not in symbols]
    verdict = read_any(rest, policy)
    return verdict.period if verdict else None
