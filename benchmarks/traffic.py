"""The application meanwhile: an open-loop client on the reservations, and how long it waited for each operation.

pgbench starts operations at moments drawn beforehand (a Poisson process of ``RATE`` a second) and counts each from the
moment it was due, so a stall counts for every operation that it kept waiting. As in an application, all of them share
one pool of connections.
"""

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import psycopg

from benchmarks.copies import Copies
from benchmarks.ways import Act

RATE = 200
_CONNECTIONS = 32
_WARM_UP, _DRAIN = 3.0, 3.0
_KNOWN_IDS = """
CREATE TABLE known_ids AS SELECT (row_number() OVER ())::integer AS n, id FROM reservations;
ALTER TABLE known_ids ADD PRIMARY KEY (n);
ANALYZE known_ids;
SELECT max(n) FROM known_ids;
"""
_DRAWN = "\\set n random(1, :rows)\n"
_ONE = "WHERE id = (SELECT id FROM known_ids WHERE n = :n);"
_SCRIPTS = {
    "SELECT": f"{_DRAWN}SELECT * FROM reservations {_ONE}",
    "UPDATE": f'{_DRAWN}UPDATE reservations SET "adminNotes" = \'called\', "updatedAt" = now() {_ONE}',
}
KINDS = tuple(_SCRIPTS)


class Operation(NamedTuple):
    """One operation: its kind, when it was due (seconds since the act began), and the wait in ms."""

    kind: str
    due: float
    milliseconds: float


class Waits(NamedTuple):
    """Waits of one kind of operation, in ms."""

    p50: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Observed:
    """What the client met while something else was done for ``seconds``."""

    operations: list[Operation]
    seconds: float

    def waits(self, kind: str) -> Waits:
        """The waits of one kind."""
        waited = [operation.milliseconds for operation in self.operations if operation.kind == kind]
        cuts = quantiles(waited, n=100)
        return Waits(cuts[49], cuts[98], max(waited))


def observe(copies: Copies, way: Callable[[Copies], Act]) -> Observed:
    """Go a way under the client's eyes: operations that were due between its beginning and its end.

    Raises:
        RuntimeError: the client failed, or did not get through what was due.
    """
    with tempfile.TemporaryDirectory(prefix="ojeon-bench-") as folder:
        with _client(copies, Path(folder)):
            time.sleep(_WARM_UP)
            act = way(copies)
            time.sleep(_DRAIN + act.seconds / 4)  # what piled up is still due, and counts
        logged = [line for log in Path(folder).glob("log.*") for line in log.read_text().splitlines()]
    operations = [_operation(line, act.began) for line in logged]
    if sum(operation.due > act.seconds for operation in operations) < RATE:
        raise RuntimeError("The client did not catch up with what was due; its waits would look too short.")
    return Observed([operation for operation in operations if 0 <= operation.due < act.seconds], act.seconds)


@contextmanager
def _client(copies: Copies, folder: Path) -> Iterator[None]:
    scripts = []
    for kind, script in _SCRIPTS.items():
        (folder / kind).write_text(script)
        scripts += ["-f", str(folder / kind)]
    pgbench = [str(copies.server.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(_CONNECTIONS)]
    pace = ["-R", str(RATE), "-T", "86400", "--random-seed=1", "-l", f"--log-prefix={folder / 'log'}"]
    drawn = ["-D", f"rows={_number_ids(copies.url)}"]
    client = subprocess.Popen(
        [*pgbench, *pace, *drawn, *scripts, copies.url], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield
    finally:
        client.send_signal(signal.SIGALRM)  # to pgbench, the end of its time
        _, said = client.communicate(timeout=60)
    if client.returncode:
        raise RuntimeError(f"The client failed: {said.decode(errors='replace')[-300:]}")


def _number_ids(url: str) -> int:
    """Number the ids, so that the client can draw one evenly; return how many there are."""
    with psycopg.connect(url, autocommit=True) as connection:
        *_, last = connection.execute(_KNOWN_IDS).results()
        (ids,) = last.fetchone() or (0,)
        connection.execute("CHECKPOINT")
    return int(ids)


def _operation(line: str, began: float) -> Operation:
    """Read a line of the log: client, number, µs since due, script, second and µs when it ended, µs late."""
    _, _, waited, script, second, microsecond, *_ = line.split()
    microseconds = float(waited)
    ended = int(second) + int(microsecond) / 1e6
    return Operation(KINDS[int(script)], ended - microseconds / 1e6 - began, microseconds / 1000)
