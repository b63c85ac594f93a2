"""`make bench`: every benchmark in turn, one table. Exit code 1 where a target is missed.

python -m benchmarks [startup] [peers] [extract] [normalize] [move]
"""

import sys
from importlib import import_module

from benchmarks.result import show

ALL = ("startup", "peers", "extract", "normalize", "move")


def main() -> int:
    """Run the named benchmarks, or all."""
    return show(result for name in sys.argv[1:] or ALL for result in import_module(f"benchmarks.{name}").run())


if __name__ == "__main__":
    sys.exit(main())
