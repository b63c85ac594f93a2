"""One line of the benchmark table, and the table."""

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Result(NamedTuple):
    """Ours against a reference measured in the same run; ``ratio`` is held to ``target``."""

    name: str
    ours: float
    reference: float
    unit: str
    ratio: float
    target: str
    ok: bool


def show(results: Iterable[Result]) -> int:
    """Print the table when all is measured; return 1 where a target is missed, else 0."""
    table = Table(box=None, header_style="dim")
    for heading in ("benchmark", "ours", "reference", "unit", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading in {"ours", "reference", "ratio"} else "left")
    missed = 0
    for result in results:
        missed += not result.ok
        figures = (f"{result.ours:,.3f}", f"{result.reference:,.3f}", result.unit, f"{result.ratio:.2f}")
        table.add_row(result.name, *figures, result.target, "ok" if result.ok else "[bold red]missed")
    Console(width=140).print(table)
    return 1 if missed else 0
