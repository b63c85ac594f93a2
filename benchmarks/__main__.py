"""`make bench`: every benchmark in turn, one table. Exit code 1 where a target is missed.

python -m benchmarks [startup] [peers] [extract] [normalize]
"""

import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

ALL = ("startup", "peers", "extract", "normalize")


def main() -> int:
    """Run the named benchmarks, or all."""
    table = Table(box=None, header_style="dim")
    for heading in ("benchmark", "ours", "reference", "unit", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading in {"ours", "reference", "ratio"} else "left")
    missed = 0
    for name in sys.argv[1:] or ALL:
        for result in import_module(f"benchmarks.{name}").run():
            missed += not result.ok
            figures = (f"{result.ours:,.3f}", f"{result.reference:,.3f}", result.unit, f"{result.ratio:.2f}")
            table.add_row(result.name, *figures, result.target, "ok" if result.ok else "[bold red]missed")
    Console(width=140).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
