"""Move two million rows: apply and undo, against what people would write themselves, alone and under traffic.

    python -m benchmarks.move [--rows N] [--chart waits.svg]

On a private PostgreSQL with fsync, without an index on period. Each measurement starts from an equal vacuumed copy of
the table and a checkpoint.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.copies import Copies, copies
from benchmarks.result import Result, show
from benchmarks.traffic import KINDS, Observed, observe
from benchmarks.ways import Act, Sizes, apply, big_update, measure, one_by_one, undo

ROWS = 2_000_000
_SHARES = (0.25, 0.5, 1, 2)
_ONE_BY_ONE = 0.01
_IDLE_SECONDS = 30.0


class _Alone(NamedTuple):
    """An act without traffic, and the sizes before and after it."""

    act: Act
    before: Sizes
    after: Sizes

    @property
    def wal(self) -> float:
        """MB of WAL that it wrote."""
        return self.after.wal - self.before.wal


def run(rows: int = ROWS, chart: Path | None = None) -> list[Result]:
    """Measure on ``rows`` rows; what the application waited is printed at once and drawn to ``chart``."""
    sizes = [int(rows * share) for share in _SHARES]
    with copies(sizes) as at_hand:
        applied = {size: _alone(at_hand, size, apply) for size in sizes if size != rows}
        applied[rows] = ours = _alone(at_hand, rows, apply)
        undone = undo(at_hand)
        big = _alone(at_hand, rows, big_update)
        at_hand.fresh(rows, plan=True)
        row_by_row = one_by_one(at_hand, int(rows * _ONE_BY_ONE))
        observed = _observed(at_hand, rows)
    _show_waits(observed, chart)
    acts = [alone.act for alone in applied.values()]
    return [*_rates(ours.act, undone, big.act, row_by_row), _linear(acts), *_sizes(ours, big), *_waits(observed)]


def _alone(at_hand: Copies, rows: int, way: Callable[[Copies], Act]) -> _Alone:
    at_hand.fresh(rows, plan=way is big_update)
    before = measure(at_hand)
    act = way(at_hand)
    return _Alone(act, before, measure(at_hand))


def _observed(at_hand: Copies, rows: int) -> dict[str, Observed]:
    observed = {}
    for name, way in (("nothing", _idle), ("one big UPDATE", big_update), ("ojeon apply", apply)):
        at_hand.fresh(rows, plan=way is big_update)
        observed[name] = observe(at_hand, way)
    return observed


def _idle(_at_hand: Copies) -> Act:
    began = time.time()
    time.sleep(_IDLE_SECONDS)
    return Act(began, time.time(), 0)


def _show_waits(observed: Mapping[str, Observed], chart: Path | None) -> None:
    from benchmarks import waits  # noqa: PLC0415 - Altair only where it is used

    Console(width=140).print(waits.table(observed))
    if chart:
        waits.draw(observed, chart)


def _rates(ours: Act, undone: Act, big: Act, row_by_row: Act) -> list[Result]:
    to_big, to_file, to_apply = ours.rate / big.rate, ours.rate / row_by_row.rate, undone.rate / ours.rate
    rows = f"{ours.rows:,} rows"
    return [
        Result(f"apply {rows}", ours.rate, big.rate, "rows/s, one big UPDATE", to_big, "≥ 0.7", to_big >= 0.7),
        Result("  the same", ours.rate, row_by_row.rate, "rows/s, an UPDATE a row", to_file, "≥ 20", to_file >= 20),
        Result(f"undo {rows}", undone.rate, ours.rate, "rows/s, apply", to_apply, "≥ 0.5", to_apply >= 0.5),
    ]


def _linear(acts: list[Act]) -> Result:
    least, *_, most = sorted(1_000_000 / act.rate for act in acts)
    rows = sorted(act.rows for act in acts)
    name = f"apply {rows[0]:,} to {rows[-1]:,} rows"
    return Result(name, most, least, "s/M rows, most and least", most / least, "≤ 1.25", most <= 1.25 * least)


def _sizes(ours: _Alone, big: _Alone) -> list[Result]:
    lines = (
        ("WAL of apply", ours.wal, big.wal, "MB, one big UPDATE"),
        ("table and indexes after apply", ours.after.table, ours.before.table, "MB, before"),
        ("  after one big UPDATE", big.after.table, big.before.table, "MB, before"),
    )
    return [Result(*line, line[1] / line[2], "printed apart", ok=True) for line in lines]


def _waits(observed: Mapping[str, Observed]) -> list[Result]:
    results = []
    for kind in KINDS:
        idle, big, ours = (seen.waits(kind).p99 for seen in observed.values())
        results += [
            Result(f"{kind} p99 during apply", ours, idle, "ms, idle", ours / idle, "≤ 3", ours <= 3 * idle),
            Result("  during one big UPDATE", big, idle, "ms, idle", big / idle, "printed apart", ok=True),
        ]
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.move")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--chart", type=Path, help="write what the application waited as .svg or .png")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    sys.exit(show(run(given.rows, given.chart)))
