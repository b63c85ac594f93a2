"""What reviewers' answers buy: the rows each answered text settles, in the order in which the answers came.

An answer settles the rows of one run that no parser decides alone; what was asked for an audit settles nothing there.
A text counts from the first word on that still stands; one about which reviewers differ does not count at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import NamedTuple, TypeVar

from parsers import Disposition, Policy, decide
from pipeline.answers import Answer, Standing, Verdict
from pipeline.insight.open_texts import OpenText

_Name = TypeVar("_Name")
_PERIODS = frozenset({Verdict.MORNING, Verdict.AFTERNOON})


class Share(NamedTuple):
    """Distinct texts, and the rows they stand in."""

    texts: int
    rows: int


@dataclass(frozen=True, slots=True)
class Settling:
    """One text that was settled: by whom first, when, as what, and how many rows had been settled by then."""

    raw: str | None
    reviewer: str
    at: datetime
    verdict: Verdict
    rows: int
    so_far: int


@dataclass(frozen=True, slots=True)
class Yield:
    """Of ``rows`` without a period ``alone`` are decided by the parsers; the others wait for people.

    ``settled`` are the answered ones in order of time, ``conflicts`` those about which reviewers differ, ``left`` those
    that nobody has answered, most rows first.
    """

    rows: int
    alone: int
    settled: tuple[Settling, ...]
    conflicts: tuple[tuple[OpenText, tuple[Answer, ...]], ...]
    left: tuple[OpenText, ...]

    @property
    def before(self) -> float:
        """Share of the rows that get their period without any answer, 0 to 1."""
        return self.alone / self.rows if self.rows else 0.0

    @property
    def after(self) -> float:
        """Share of the rows that get their period with the answers."""
        return (self.alone + self.with_period) / self.rows if self.rows else 0.0

    @property
    def settled_share(self) -> float:
        """Share of the rows that nobody need look at any more, those settled without a period included."""
        return (self.alone + sum(step.rows for step in self.settled)) / self.rows if self.rows else 0.0

    @property
    def with_period(self) -> int:
        """Rows that got a period from an answer; NEITHER settles a text without one."""
        return sum(step.rows for step in self.settled if step.verdict in _PERIODS)

    @property
    def best(self) -> tuple[int, ...]:
        """Rows settled after 1, 2, … texts, had the most frequent of all that waited been asked first."""
        rows = [step.rows for step in self.settled]
        rows += [text.rows for text, _ in self.conflicts] + [text.rows for text in self.left]
        return tuple(accumulate(sorted(rows, reverse=True)[: len(self.settled)]))


def review_yield(texts: Iterable[OpenText], standing: Standing, policy: Policy) -> Yield:
    """Hold what reviewers agree on against the open texts of a run, decided by the parsers alone under ``policy``."""
    rows = alone = 0
    waiting: list[OpenText] = []
    for text in texts:
        rows += text.rows
        if decide(text.raw, policy).disposition is Disposition.AUTO:
            alone += text.rows
        else:
            waiting.append(text)
    conflicts = [(text, tuple(standing.conflicts[text.raw])) for text in waiting if text.raw in standing.conflicts]
    left = [text for text in waiting if text.raw not in standing.conflicts and text.raw not in standing.settled]
    return Yield(rows, alone, tuple(_settlings(waiting, standing)), tuple(conflicts), tuple(left))


def _settlings(waiting: Iterable[OpenText], standing: Standing) -> Iterator[Settling]:
    rows = {text.raw: text.rows for text in waiting if text.raw in standing.settled}
    first = [min(standing.settled[raw].answers, key=_moment) for raw in rows]
    answers = sorted(first, key=_moment)
    sums = accumulate(rows[answer.text] for answer in answers)
    for answer, so_far in zip(answers, sums, strict=True):
        yield Settling(answer.text, answer.reviewer, answer.at, answer.verdict, rows[answer.text], so_far)


def by_reviewer(settled: Iterable[Settling]) -> dict[str, Share]:
    """What each reviewer was the first to settle, most rows first."""
    return _shares((step.reviewer, step.rows) for step in settled)


def by_day(settled: Iterable[Settling]) -> dict[tuple[date, str], Share]:
    """What each reviewer was the first to settle on each day (UTC), in the order of time."""
    shares = _shares(((step.at.date(), step.reviewer), step.rows) for step in settled)
    return dict(sorted(shares.items()))


def left_by_reason(left: Iterable[OpenText], policy: Policy) -> dict[str, Share]:
    """What nobody has answered, by the reason why it waits, most rows first."""
    return _shares((str(decide(text.raw, policy).reason), text.rows) for text in left)


def _shares(lines: Iterable[tuple[_Name, int]]) -> dict[_Name, Share]:
    """Texts and rows by name, most rows first; of equals the one that came first."""
    sums: dict[_Name, Share] = {}
    for name, rows in lines:
        share = sums.get(name, Share(0, 0))
        sums[name] = Share(share.texts + 1, share.rows + rows)
    return dict(sorted(sums.items(), key=lambda item: -item[1].rows))


def _moment(answer: Answer) -> datetime:
    return answer.at
