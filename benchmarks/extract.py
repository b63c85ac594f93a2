"""Extract two million generated reservations: against psql copying the same columns to nowhere, in binary.

The two are taken in turns and the best of each is compared. Ours is the whole step: discovery, counting the rows,
streaming them into the workbench, grouping the texts.
"""

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.result import Result
from pipeline.embedded import Server, embedded_postgres

ROWS = 2_000_000
_TIMES = 3
_COLUMNS = 'id, "preferredTime", "preferredDate", "createdAt", period'
_COPY = f"COPY (SELECT {_COLUMNS} FROM reservations) TO STDOUT (FORMAT binary)"


def run() -> list[Result]:
    """Measure on ``ROWS`` generated reservations."""
    from fixtures.clinic.generate import generate  # noqa: PLC0415 - numpy only where it is used
    from fixtures.clinic.load import create, load  # noqa: PLC0415

    with embedded_postgres() as server:
        create(server.url)
        load(server.url, generate(ROWS))
        turns = [(_copying(server), _extracting(server)) for _ in range(_TIMES)]
    reference, ours = (min(seconds) for seconds in zip(*turns, strict=True))
    rate = reference / ours
    name = f"extract {ROWS // 1_000_000} M rows"
    return [Result(name, ours, reference, "s, psql COPY in binary", rate, "rate ≥ 0.3", rate >= 0.3)]


def _copying(server: Server) -> float:
    started = time.perf_counter()
    subprocess.run([server.psql, server.url, "-qXc", _COPY], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _extracting(server: Server) -> float:
    from pipeline.extract import extract, source_of  # noqa: PLC0415 - not part of what is timed
    from pipeline.settings import TableNames  # noqa: PLC0415
    from pipeline.workbench import open_workbench  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="ojeon-bench-") as folder, open_workbench(Path(folder)) as workbench:
        started = time.perf_counter()
        extract(source_of(server.url, None), workbench, TableNames())
        return time.perf_counter() - started
