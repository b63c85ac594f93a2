"""How sure a rule is: how often it was right on the labelled texts.

The confidence of a rule is ``(right + 1/2) / (all + 1)``, the mean of a Jeffreys prior updated with the rule's counts
on the labelled texts (``calibration.json``, rewritten by ``python -m fixtures.corpus.calibrate``). A rule that no
labelled text reached has the prior alone.
"""

import json
from functools import cache
from importlib.resources import files

_UNSEEN = 0.5


@cache
def _counts() -> dict[str, tuple[int, int]]:
    counts = json.loads(files(__package__).joinpath("calibration.json").read_text(encoding="utf-8"))
    return {rule: (right, total) for rule, (right, total) in counts.items()}


@cache
def confidence(rule: str, disposition: str) -> float:
    """Probability that the period a rule answers with ``disposition`` is what the writer meant."""
    right, total = _counts().get(f"{rule}/{disposition}", (0, 0))
    return round((right + 0.5) / (total + 1), 4) if total else _UNSEEN
