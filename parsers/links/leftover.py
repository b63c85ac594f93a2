"""The end of the chain: texts with a piece that nothing explains, and texts without any time."""

from parsers.phrases import read_any
from parsers.policy import Policy
from parsers.sentence import Sentence
from parsers.types import Period, Reason
from parsers.verdict import Verdict, review


def unexplained(sentence: Sentence, policy: Policy) -> Verdict:
    """Claim a text that says something about time and something nobody understands; suggest by what is known."""
    verdict = read_any(sentence.known_items(), policy)
    suggestion = verdict.period if verdict else _agreed(sentence, policy)
    return review("unexplained", Reason.UNEXPLAINED_TEXT, suggestion)


def _agreed(sentence: Sentence, policy: Policy) -> Period | None:
    """The half that every term of the text lies in by itself, where nothing else can be made of it."""
    found = {read_any([item], policy) for item in sentence.items if item.symbol == "t"}
    periods = {verdict.period if verdict else None for verdict in found}
    return periods.pop() if len(periods) == 1 else None


def no_time(sentence: Sentence, policy: Policy) -> Verdict:
    """Claim everything else: names, dates, greetings, phone numbers."""
    del policy
    if "n" in sentence.symbols and "?" in sentence.symbols and len(sentence.symbols) > 1:
        numbers = [item for item in sentence.items if item.symbol == "n"]
        if len(numbers) == 1 and numbers[0].term is not None:
            return review("unexplained", Reason.UNEXPLAINED_TEXT)
    return review("no_time", Reason.NO_TIME)
