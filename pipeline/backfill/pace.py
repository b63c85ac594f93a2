"""How many rows the next batch takes: as many as fit into the time the application can bear to wait for a row."""

from dataclasses import dataclass

FEWEST, MOST = 50, 20_000
_GROWTH, _SHRINKAGE = 1.5, 0.5


@dataclass(slots=True)
class Pace:
    """A batch size that follows the measured time of batches towards ``target_seconds``.

    It grows by at most half at a time and shrinks at once, so that a slow moment is answered at once and a quick one
    trusted slowly.

    >>> pace = Pace(1_000, 0.075)
    >>> pace.took(1_000, 0.025); pace.rows
    1500
    >>> pace.took(1_500, 0.300); pace.rows
    750
    """

    rows: int
    target_seconds: float

    def took(self, rows: int, seconds: float) -> None:
        """Take in that a batch over ``rows`` rows of the table lasted ``seconds``."""
        if rows < self.rows or seconds <= 0:
            return  # the end of the table: too few rows to learn from
        factor = min(max(self.target_seconds / seconds, _SHRINKAGE), _GROWTH)
        self.rows = min(max(round(self.rows * factor), FEWEST), MOST)

    def halve(self) -> bool:
        """Answer a statement time-out; False where there is nothing left to halve."""
        smaller = max(self.rows // 2, FEWEST)
        halved, self.rows = smaller < self.rows, smaller
        return halved
