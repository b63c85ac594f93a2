"""What if the policy were another one: a run's open texts decided again, and what that does to its rows.

The risk is how many of the rows decided alone may be expected to be wrong: for each the probability, by its rule's
confidence, that its writer meant something else. It rests on labelled texts and not on this run's own truth, which only
an audit can measure. Texts that people have answered are left out: their answers hold under every policy.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from parsers import Decision, Disposition, Policy, decide
from parsers.policy import Slot
from pipeline.insight.open_texts import OpenText


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of ``rows``, those decided alone, and of these the number to be expected wrong."""

    rows: int
    auto: int
    wrong: float

    @property
    def auto_share(self) -> float:
        """Share of the rows decided alone, 0 to 1 (0 where there are none)."""
        return self.auto / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """What would be decided alone if no less confidence than this were enough; ``rules`` just reach it."""

    confidence: float
    outcome: Outcome
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What another policy makes of the rows: ``gained`` are decided alone only there, ``lost`` only here.

    ``turned`` are decided alone under both, and for the other half of the day.
    """

    name: str
    outcome: Outcome
    gained: int
    lost: int
    turned: int


def outcome(texts: Iterable[OpenText], policy: Policy) -> Outcome:
    """What ``policy`` decides alone."""
    return _summed(_decided(texts, policy))


def thresholds(texts: Iterable[OpenText], policy: Policy) -> tuple[Threshold, ...]:
    """The outcome at every threshold that makes a difference, the least first."""
    decided = _decided(texts, replace(policy, auto_threshold=0.0))
    rules: defaultdict[float, set[str]] = defaultdict(set)
    for _, decision in decided:
        if decision.disposition is Disposition.AUTO:
            rules[decision.confidence].add(decision.rule)
    return tuple(Threshold(least, _summed(decided, least), tuple(sorted(rules[least]))) for least in sorted(rules))


def changes(texts: Sequence[OpenText], policy: Policy, others: Mapping[str, Policy]) -> tuple[Change, ...]:
    """What each of ``others``, by name, would change."""
    texts = [text for text in texts if not text.reviewed]
    here = _decided(texts, policy)
    return tuple(_compared(name, here, _decided(texts, other)) for name, other in others.items())


def opening(policy: Policy, *, start: int | None = None, end: int | None = None) -> Policy:
    """The policy of a clinic that opens its first slots at ``start`` and closes its last ones at ``end`` (minutes).

    Every slot that begins when the clinic opens, or ends when it closes, is moved; the others stay.

    Raises:
        ValueError: a slot would end before it starts.
    """
    opens, closes = policy.opening

    def moved(slot: Slot) -> Slot:
        return Slot(
            slot.weekday,
            start if start is not None and slot.start == opens else slot.start,
            end if end is not None and slot.end == closes else slot.end,
        )

    return replace(policy, slots=tuple(moved(slot) for slot in policy.slots))


def _decided(texts: Iterable[OpenText], policy: Policy) -> list[tuple[int, Decision]]:
    return [(text.rows, decide(text.raw, policy)) for text in texts if not text.reviewed]


def _summed(decided: Iterable[tuple[int, Decision]], least: float = 0.0) -> Outcome:
    rows, auto, wrong = 0, 0, 0.0
    for its_rows, decision in decided:
        rows += its_rows
        if decision.disposition is Disposition.AUTO and decision.confidence >= least:
            auto += its_rows
            wrong += its_rows * (1 - decision.confidence)
    return Outcome(rows, auto, wrong)


def _compared(name: str, here: Sequence[tuple[int, Decision]], there: Sequence[tuple[int, Decision]]) -> Change:
    gained = lost = turned = 0
    for (rows, one), (_, other) in zip(here, there, strict=True):
        was, is_now = (decision.disposition is Disposition.AUTO for decision in (one, other))
        gained += rows * (is_now and not was)
        lost += rows * (was and not is_now)
        turned += rows * (was and is_now and one.period is not other.period)
    return Change(name, _summed(there), gained, lost, turned)
