"""Where the audit of a run stands: what reviewers said of its sample, and the bound on wrong AUTO rows that follows.

``pipeline.audit_sample`` tells how the sample is drawn, ``pipeline.audit_bound`` where the bound comes from. The
report, the command line and the gate of apply all ask ``standing``::

    sample = audit_sample.read(workbench)  # None: the run drew none, as those before there were audits
    told = audit.standing(sample, answers.standing(), settings.audit)  # NOTHING where there is no store yet
    told.state, told.judged, told.texts, told.draws, told.errors, told.bound, told.sentence
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from pipeline import answers
from pipeline.answers import Purpose, Verdict
from pipeline.audit_bound import upper_bound
from pipeline.audit_sample import Sample, Sampled
from pipeline.settings import AuditSettings


class State(StrEnum):
    """PENDING while a text is open, FAILED as soon as reviewers disagree with one, else PASSED."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A text whose decision is wrong by what all its reviewers say; ``reviewers`` are their names."""

    sampled: Sampled
    verdict: Verdict
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An audit at one instant.

    ``rows`` is the population: the AUTO rows that the run would fill. Of the sample's ``texts`` so many are ``judged``,
    ``known`` of these because reviewers decided them before the run; ``conflicts`` of the rest are texts about which
    reviewers differ, ``unfounded`` those whose deciding answer is no longer in force, which only a new run can mend.
    ``draws`` is the sample's size in rows, ``errors`` of them are known to be wrong and ``open_draws`` not judged.
    ``bound`` (0 to 1) is the most that may be wrong of the population with ``confidence``, where what is open counts as
    wrong: it falls as people judge, whatever they judge first. A census knows the share itself, so its bound is exact.
    """

    state: State
    rows: int
    texts: int
    judged: int
    conflicts: int
    draws: int
    errors: int
    open_draws: int
    bound: float
    max_error: float
    confidence: float
    is_census: bool
    disagreements: tuple[Disagreement, ...]
    known: int = 0
    unfounded: int = 0

    @property
    def open(self) -> int:
        """Texts still to be judged."""
        return self.texts - self.judged

    @property
    def sentence(self) -> str:
        """The bound in words."""
        if not self.rows:
            return "the run would fill no row, so none can be wrong"
        share = f"at most {_percent(self.bound)} of the AUTO rows are wrong"
        told = share if self.is_census else f"with {self.confidence * 100:g} % confidence {share}"
        return f"{told} (what is open counts as wrong)" if self.open else told


def standing(sample: Sample, words: answers.Standing, limits: AuditSettings) -> Standing:
    """Compare a run's sample with what reviewers say now; ``limits`` are the settings of the run itself.

    A text is judged when all reviewers who have a word about it say the same and one of them saw it blind, in this
    run's audit or another's. A word given while reviewing is not blind: it can only tell that a decision is wrong. A
    text that reviewers decided before the run is judged as long as their answer stands, however it was given.
    """
    wrong = tuple(_disagreements(sample, words))
    amiss = {found.sampled.raw for found in wrong}
    judged = {line.raw for line in sample.lines if line.raw in amiss or _is_judged(line, words)}
    errors = sum(found.sampled.draws for found in wrong)
    open_draws = sum(line.draws for line in sample.lines if line.raw not in judged)
    everything = len(judged) == len(sample.lines)
    return Standing(
        state=State.FAILED if wrong else State.PASSED if everything else State.PENDING,
        rows=sample.rows,
        texts=len(sample.lines),
        judged=len(judged),
        conflicts=sum(line.raw in words.conflicts for line in sample.lines),
        draws=sample.draws,
        errors=errors,
        open_draws=open_draws,
        bound=_bound(sample, judged, amiss, limits.confidence),
        max_error=limits.max_error,
        confidence=limits.confidence,
        is_census=sample.is_census,
        disagreements=wrong,
        known=sum(line.is_reviewed and line.raw in judged - amiss for line in sample.lines),
        unfounded=sum(line.is_reviewed and line.raw not in judged for line in sample.lines),
    )


def _is_judged(line: Sampled, words: answers.Standing) -> bool:
    settled = words.settled.get(line.raw)
    if settled is None:
        return False
    return line.is_reviewed or any(answer.purpose is Purpose.AUDIT for answer in settled.answers)


def _disagreements(sample: Sample, words: answers.Standing) -> list[Disagreement]:
    """Those with the most rows first."""
    found = [
        Disagreement(line, settled.verdict, tuple(answer.reviewer for answer in settled.answers))
        for line in sample.lines
        if (settled := words.settled.get(line.raw)) and settled.verdict != line.period
    ]
    return sorted(found, key=lambda disagreement: (-disagreement.sampled.rows, disagreement.sampled.raw))


def _bound(sample: Sample, judged: set[str], amiss: set[str], confidence: float) -> float:
    wrong_or_open = [line for line in sample.lines if line.raw in amiss or line.raw not in judged]
    if sample.is_census:
        return sum(line.rows for line in wrong_or_open) / sample.rows if sample.rows else 0.0
    return upper_bound(sum(line.draws for line in wrong_or_open), sample.draws, confidence)


def _percent(share: float) -> str:
    """A share in percent, to two digits and never told smaller than it is.

    >>> _percent(0.00099976), _percent(0.0015827), _percent(0.431), _percent(1.0), _percent(0.0)
    ('0.1 %', '0.16 %', '44 %', '100 %', '0 %')
    """
    percent = Decimal(str(share)) * 100
    if not percent:
        return "0 %"
    rounded = percent.quantize(Decimal(1).scaleb(percent.adjusted() - 1), ROUND_CEILING)
    return f"{rounded.normalize():f} %"
