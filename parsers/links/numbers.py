"""Digits that nothing makes a clock: 9, 930, 0.625, 10-12, 1954, epoch seconds."""

from parsers.policy import MINUTES_A_DAY, Policy
from parsers.readings import between, point
from parsers.sentence import Item, Sentence, Term
from parsers.types import Period, Reason
from parsers.verdict import Verdict, review


def parse(sentence: Sentence, policy: Policy) -> Verdict:
    """Claim texts of numbers alone, with the suggestion they would be as a clock, a day's fraction or a timestamp."""
    return review("bare_number", Reason.BARE_NUMBER, _suggestion(sentence, policy))


def _suggestion(sentence: Sentence, policy: Policy) -> Period | None:
    items, symbols = sentence.items, sentence.symbols
    if symbols == "e":
        return _of_epoch(items[0].token.value, policy)
    if symbols == "n":
        return _of_number(items[0], sentence.text[items[0].start : items[0].end], policy)
    terms = [_term(item) for item in items if item.symbol == "n"]
    if symbols == "n~n" and terms[0] and terms[1]:
        return between(terms[0], terms[1], policy).period(policy)
    return None


def _term(item: Item) -> Term | None:
    clock = item.term.clock if item.term else None
    if clock is None:
        return None
    return Term(clock._replace(style="padded" if clock.hour > 12 else "bare"))


def _of_number(item: Item, digits: str, policy: Policy) -> Period | None:
    if digits.startswith("0.") and digits.count(".") == 1:
        return _of_fraction(digits, policy)
    term = _term(item)
    if term is not None and item.token.kind == "number":
        reading = point(term, policy)
        return reading.period(policy) or reading.suggestion
    if term is not None and term.clock and term.clock.style == "bare" and item.token.value.style == "dotted":
        return point(term, policy).period(policy)
    return None


def _of_fraction(digits: str, policy: Policy) -> Period | None:
    """A spreadsheet's time: the fraction of a day (0.625 is 15:00)."""
    minute = round(float(digits) * MINUTES_A_DAY)
    lo, hi = policy.plausible
    return (Period.MORNING if minute < policy.noon else Period.AFTERNOON) if lo <= minute < hi else None


def _of_epoch(digits: str, policy: Policy) -> Period | None:
    """Seconds or milliseconds since 1970, in the clinic's zone."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only timestamps pay for it
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    whole = digits.partition(".")[0]
    seconds = int(whole) // (1000 if len(whole) == 13 else 1)
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(policy.timezone))
    minute = moment.hour * 60 + moment.minute
    lo, hi = policy.plausible
    return (Period.MORNING if minute < policy.noon else Period.AFTERNOON) if lo <= minute < hi else None
