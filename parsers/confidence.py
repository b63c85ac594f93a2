"""How sure a rule is: how often it was right on labelled texts, and how far that held on texts it was not counted on.

``calibration.json`` is written by ``python -m fixtures.corpus.calibrate``, which documents the method.
"""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class ReliabilityBin(NamedTuple):
    """Held-out labelled texts of about the same confidence: how many, its mean, and the share that was right."""

    texts: int
    confidence: float
    right: float


def probability(right: int, total: int) -> float:
    """Mean of a Jeffreys prior updated with ``right`` of ``total``; the prior alone where nothing was counted.

    >>> probability(0, 0), probability(9, 9), probability(8, 9)
    (0.5, 0.95, 0.85)
    """
    return round((right + 0.5) / (total + 1), 4)


@cache
def confidence(rule: str, disposition: str) -> float:
    """Probability that the period a rule answers with ``disposition`` is what the writer meant."""
    right, total = _calibration()["rules"].get(f"{rule}/{disposition}", (0, 0))
    return probability(right, total)


def reliability() -> tuple[ReliabilityBin, ...]:
    """Confidence against truth on the labelled texts that no rule's confidence was counted on, the least sure first."""
    return tuple(ReliabilityBin(*cut) for cut in _calibration()["held_out"])


def calibration_error(bins: Iterable[ReliabilityBin]) -> float:
    """Expected distance of confidence and truth, 0 to 1: the mean over the bins, weighed by their texts.

    >>> calibration_error([ReliabilityBin(3, 0.9, 1.0), ReliabilityBin(1, 0.5, 0.0)])
    0.2
    """
    distances = [(cut.texts, abs(cut.confidence - cut.right)) for cut in bins]
    return round(sum(texts * distance for texts, distance in distances) / sum(texts for texts, _ in distances), 6)


@cache
def _calibration() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files(__package__).joinpath("calibration.json").read_text(encoding="utf-8"))
    return content
