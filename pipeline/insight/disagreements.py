"""Where parsers of the chain would answer differently: the first claim decides, and this tells whom it overruled.

A parser that names no half of the day has nothing to be overruled in.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from parsers import Decision, Disposition, Policy, explain
from pipeline.insight.listing import readable
from pipeline.insight.open_texts import OpenText


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Texts that ``parser`` decided as ``said``, and in which ``overruled`` saw ``instead``.

    An answer is a period, with a question mark where it is only suggested, or a reason for review. ``auto`` tells
    whether the texts are decided without a person; ``example`` is the most frequent of them, masked.
    """

    auto: bool
    parser: str
    said: str
    overruled: str
    instead: str
    rows: int
    texts: int
    example: str


def disagreements(texts: Iterable[OpenText], policy: Policy) -> tuple[Disagreement, ...]:
    """Every pair of parsers that disagree about some text: first about what is decided alone, then by rows."""
    found: defaultdict[tuple[bool, str, str, str, str], list[OpenText]] = defaultdict(list)
    for text in texts:
        for pair in _differing(text.raw, policy):
            found[pair].append(text)
    lines = (
        Disagreement(*pair, sum(text.rows for text in those), len(those), readable(max(those, key=_rows).raw))
        for pair, those in found.items()
    )
    return tuple(sorted(lines, key=lambda line: (not line.auto, -line.rows, line.parser, line.overruled)))


def _differing(raw: str | None, policy: Policy) -> Iterator[tuple[bool, str, str, str, str]]:
    claims = [(step.parser, step.decision) for step in explain(raw, policy).steps if step.decision]
    (parser, decision), *others = claims
    for overruled, other in others:
        if other.period and other.period is not decision.period:
            yield decision.disposition is Disposition.AUTO, parser, _answer(decision), overruled, _answer(other)


def _answer(decision: Decision) -> str:
    if decision.period is None:
        return str(decision.reason)
    return decision.period.value + ("" if decision.disposition is Disposition.AUTO else "?")


def _rows(text: OpenText) -> int:
    return text.rows
