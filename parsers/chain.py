"""The chain of parsers: one visible list, tried in order; the first claim decides."""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

from parsers.confidence import confidence
from parsers.links import blank, fallback, grammar, leftover, mistyped, numbers, words
from parsers.policy import Policy
from parsers.readings import weighed
from parsers.sentence import Sentence
from parsers.types import Decision, Disposition, Reason
from parsers.verdict import Verdict


class Parser(NamedTuple):
    """A named link of the chain; it is asked only about texts whose symbols start with a match of its ``shape``."""

    name: str
    shape: re.Pattern[str]
    parse: Callable[[Sentence, Policy], Verdict | None]


def _link(name: str, shape: str, parse: Callable[[Sentence, Policy], Verdict | None]) -> Parser:
    return Parser(name, re.compile(shape), parse)


_KNOWN = r"(?!.*\?)"  # nothing unknown in it

# Order is meaning. What is not read at all comes first, then words that settle a text whatever stands beside them, then
# digits that are no clock, then the grammar, which must account for every character. Only what is left reaches the
# links that suggest and never decide; the last one claims everything.
CHAIN: tuple[Parser, ...] = (
    _link("blank", r"$", blank.parse),
    _link("negation", r".*N|!|.*!$", words.negation),
    _link("placeholder", _KNOWN + r"(?:.*P|[~,]+$)", words.placeholder),
    _link("duration", _KNOWN + r".*[DR]", words.duration),
    _link("no_preference", _KNOWN + r".*X", words.no_preference),
    _link("vague", _KNOWN + r"(?!.*t).*V", words.vague),
    _link("second_day", _KNOWN + r".*t.*d", words.second_day),
    _link("numbers", r"(?=.*[ne])[neo~,&|fFuUwWaAbB]+$", numbers.parse),
    _link("phrase", _KNOWN + r".*t", grammar.phrase),
    _link("alternatives", _KNOWN + r".*t.*t", grammar.alternatives),
    _link("mistyped", r".*\?", mistyped.parse),
    _link("fallback", r".*\?", fallback.parse),
    _link("unexplained", r".*[tVXPDR]|" + _KNOWN + r".*[neFUAB]", leftover.unexplained),
    _link("no_time", r"", leftover.no_time),
)


@lru_cache(maxsize=4096)
def _asked(symbols: str) -> tuple[Parser, ...]:
    """The parsers that may claim a text of these symbols."""
    return tuple(parser for parser in CHAIN if parser.shape.match(symbols))


class Step(NamedTuple):
    """What one parser said of a text; ``decision`` is None where it had nothing to say."""

    parser: str
    decision: Decision | None


class Explanation(NamedTuple):
    """How a text came to its decision: its tokens, the readings of each term in it, and what every parser said."""

    raw: str | None
    text: str
    tokens: tuple[tuple[str, str], ...]
    symbols: str
    weighed: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    decision: Decision


def decide(raw: str | None, policy: Policy) -> Decision:
    """Decide one text: total (any string, any length) and deterministic.

    >>> decision = decide("오후 3시쯤 부탁드려요", Policy())
    >>> decision.disposition.value, decision.period.value, decision.start, decision.rule
    ('AUTO', 'AFTERNOON', '15:00', 'halfday_clock')
    >>> decide("8시", Policy()).reason.value
    'ambiguous_hour'
    """
    sentence = Sentence(raw)
    return _decision(_first_claim(sentence, policy), sentence, policy)


def parse(raw: str | None, policy: Policy) -> Verdict:
    """The first claim on a text, before confidence is weighed: what calibration counts."""
    return _first_claim(Sentence(raw), policy)


def _first_claim(sentence: Sentence, policy: Policy) -> Verdict:
    for parser in _asked(sentence.symbols):
        verdict = parser.parse(sentence, policy)
        if verdict is not None:
            return verdict
    raise AssertionError("the last parser claims every text")


def explain(raw: str | None, policy: Policy) -> Explanation:
    """Replay the chain and keep what every parser said, the deciding one's successors included."""
    sentence = Sentence(raw)
    first = decide(raw, policy)
    if first.rule in ("blank", "too_long"):
        return Explanation(raw, "", (), "", (), (Step("blank", first),), first)
    steps, asked = [], _asked(sentence.symbols)
    for parser in CHAIN:
        verdict = parser.parse(sentence, policy) if parser in asked else None
        steps.append(Step(parser.name, None if verdict is None else _decision(verdict, sentence, policy)))
    tokens = tuple((token.kind, sentence.text[token.start : token.end]) for token in sentence.tokens)
    readings = tuple(
        (sentence.text[item.start : item.end], _readings(weighed(item.term, policy)))
        for item in sentence.items
        if item.symbol == "t" and item.term
    )
    return Explanation(raw, sentence.text, tokens, sentence.symbols, readings, tuple(steps), first)


def _readings(found: tuple[tuple[int, int], ...] | Reason) -> str:
    """The readings of one term in words: 03:00 or 15:00."""
    if isinstance(found, Reason):
        return f"none: {found}"
    times = (_clock(lo) if hi - lo == 1 else f"{_clock(lo)} to {_clock(hi)}" for lo, hi in found)
    return " or ".join(time for time in times if time)


_KIND_NAMES = {
    "t": "time", "n": "number", "~": "~", ",": ",", "|": "or", "!": "or else", "&": "and", "F": "from", "f": "from",
    "U": "until", "u": "until", "A": "after", "a": "after", "B": "before", "b": "before", "I": "within", "o": "to",
    "w": "between", "W": "between", "X": "any time", "P": "placeholder", "N": "negation", "V": "vague", "D": "duration",
    "R": "relative", "e": "timestamp", "d": "day", "?": "unknown",
}  # fmt: skip


def sketch(raw: str | None) -> str:
    """The shape of a text by meaning: the kinds of its parts in order, dates and fillers read over.

    >>> sketch("오후 2시~4시 부탁드려요"), sketch("14:00"), sketch("홍길동 오전"), sketch(" ")
    ('half-day clock ~ clock', 'clock', 'unknown half-day', 'blank')
    """
    sentence = Sentence(raw)
    verdict = blank.parse(sentence, Policy())
    if verdict is not None:
        return verdict.rule.replace("_", " ")
    parts: list[str] = []
    for item in sentence.items:
        name = _term_name(item.symbol, item)
        if name != "unknown" or not parts or parts[-1] != "unknown":
            parts.append(name)
    return " ".join(parts) or "fillers only"


def _term_name(symbol: str, item: object) -> str:
    term = getattr(item, "term", None)
    if symbol != "t" or term is None:
        return _KIND_NAMES[symbol]
    if term.instant:
        return str(term.instant)
    if term.clock is None:
        return "half-day"
    clock = "timestamp" if term.clock.day else "clock"
    return f"half-day {clock}" if term.halves else clock


def _decision(verdict: Verdict, sentence: Sentence, policy: Policy) -> Decision:
    """Turn a verdict into a decision; an AUTO less sure than the policy wants goes to review."""
    rule, period, reason, start, end, span = verdict
    sure = confidence(rule, "REVIEW" if reason else "AUTO") if period else 0.0
    if reason is None and sure < policy.auto_threshold:
        reason = Reason.LOW_CONFIDENCE
    disposition = Disposition.REVIEW if reason else Disposition.AUTO
    seen = sentence.text[span[0] : span[1]] if span else ""
    return Decision(disposition, period, _clock(start), _clock(end), sure, rule, reason, seen)


@cache
def _clock(minute: int | None) -> str | None:
    return None if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def without_unknown(raw: str | None) -> tuple[str, str] | None:
    """The one piece of a text that nothing explains, and the cleaned text without it; None where it is not just one.

    >>> without_unknown("오전 10시 보톡스")
    ('보톡스', '오전 10시  ')
    """
    sentence = Sentence(raw)
    spans: list[tuple[int, int]] = []
    for token in sentence.tokens:
        if token.kind != "unknown":
            continue
        if spans and spans[-1][1] == token.start:
            spans[-1] = (spans[-1][0], token.end)
        else:
            spans.append((token.start, token.end))
    if len(spans) != 1:
        return None
    start, end = spans[0]
    return sentence.text[start:end], f"{sentence.text[:start]} {sentence.text[end:]}"
