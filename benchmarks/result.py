"""One line of the benchmark table."""

from typing import NamedTuple


class Result(NamedTuple):
    """Ours against a reference measured in the same run; ``ratio`` is held to ``target``."""

    name: str
    ours: float
    reference: float
    unit: str
    ratio: float
    target: str
    ok: bool
