"""The figures of a move as a text file for the node exporter's textfile collector; nothing but numbers and states."""

import time
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, write_to_textfile

from pipeline.backfill.states import State
from pipeline.backfill.throttle import Hold, Why
from pipeline.backfill.worker import Batch
from pipeline.errors import RunError

_WRITE_SECONDS = 1.0
_SECONDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counts since this process began; the file is replaced whole, at most once a second while batches run.

    Without a ``path`` nothing is written.
    """

    def __init__(self, path: Path | None, run_id: str) -> None:
        self._path, self._written, self._left = path, 0.0, 0
        self._registry = registry = CollectorRegistry()
        Info("ojeon_move", "The run that is moved", registry=registry).info({"run": run_id})
        self._changed = Counter("ojeon_move_rows_changed", "Rows that batches changed", registry=registry)
        self._to_do = Gauge("ojeon_move_rows_to_do", "Rows that still wait", registry=registry)
        self._seconds = Histogram(
            "ojeon_move_batch_seconds", "How long batches lasted", buckets=_SECONDS, registry=registry
        )
        self._past_locks = Counter(
            "ojeon_move_batches_past_locks", "Batches that passed over rows which others held", registry=registry
        )
        self._state = Enum("ojeon_move_state", "Where the move stands", states=list(State), registry=registry)
        self._waits = Counter("ojeon_move_waits", "How often the worker was held back", ["why"], registry=registry)
        self._waiting = Gauge("ojeon_move_waiting", "1 while the worker is held back", ["why"], registry=registry)
        self._retries = Counter("ojeon_move_retries", "How often a statement had to be repeated", registry=registry)
        self._why: Why | None = None
        for why in Why:
            self._waits.labels(why)
            self._waiting.labels(why)

    def start(self, state: State, to_do: int) -> None:
        """The move is in ``state`` and ``to_do`` rows wait."""
        self._left = to_do
        self._to_do.set(to_do)
        self.moved(state)

    def moved(self, state: State) -> None:
        """The move came into another state."""
        self._state.state(state)
        self._write()

    def observe(self, batch: Batch) -> None:
        """Count a batch."""
        self._changed.inc(batch.changed)
        self._left = max(self._left - batch.changed, 0)  # rows that arrive meanwhile are changed too
        self._to_do.set(self._left)
        self._seconds.observe(batch.seconds)
        self._past_locks.inc(batch.skip_locked)
        if time.monotonic() - self._written >= _WRITE_SECONDS:
            self._write()

    def tell(self, hold: Hold | None) -> None:
        """Count a wait when it begins."""
        why = hold.why if hold else None
        if why != self._why:
            if self._why:
                self._waiting.labels(self._why).set(0)
            if why:
                self._waiting.labels(why).set(1)
                self._waits.labels(why).inc()
            self._why = why
        self._write()

    def retry(self) -> None:
        """Count a statement that is repeated."""
        self._retries.inc()
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        if self._path is None:
            return
        try:
            write_to_textfile(str(self._path), self._registry)
        except OSError as error:
            raise RunError(
                f"The metrics cannot be written to {self._path}: {error.strerror}. What was done stays done. Mend "
                "that, or leave OJEON_MOVE__METRICS_FILE unset, then start the same command again."
            ) from error
