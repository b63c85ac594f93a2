"""`ojeon --help` against importing the two libraries it cannot do without."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.result import Result

_TIMES = 7


def run() -> list[Result]:
    """The best of several starts each, taken in turns."""
    ours, reference = [], []
    for _ in range(_TIMES):
        reference.append(_seconds([sys.executable, "-c", "import typer, rich"]))
        ours.append(_seconds([str(Path(sys.executable).with_name("ojeon")), "--help"]))
    ratio = min(ours) / min(reference)
    return [Result("ojeon --help", min(ours), min(reference), "s, import typer, rich", ratio, "< 3", ratio < 3)]


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started
