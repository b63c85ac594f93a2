"""What a move did, for those who read it afterwards: JSON lines in the run's folder, and figures for Prometheus.

Lines hold numbers, states and the names of tables and settings; never a text, an id, an address or what a server said.
"""

import os
import time
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import structlog

from pipeline import manifest
from pipeline.backfill.metrics import Metrics
from pipeline.backfill.states import State
from pipeline.backfill.throttle import Hold, Why
from pipeline.backfill.worker import Batch
from pipeline.errors import RunError
from pipeline.settings import MoveSettings

FILE_NAME = "journal.jsonl"


class Journal:
    """The journal of one process at work on a run; one line an event, flushed as it happens.

    Events: ``start``, ``state``, ``batch``, ``wait``, ``go_on``, ``retry``, ``end``, and ``broke_off`` where the
    context is left by an error. The file is one for all processes of a run, the latest at its end.
    """

    def __init__(self, folder: Path, run_id: str, metrics_file: Path | None) -> None:
        """Open the journal in the run's ``folder``.

        Raises:
            RunError: it cannot be written.
        """
        self._path = folder / manifest.MOVES / FILE_NAME
        try:
            self._file = _opened(self._path)
        except OSError as error:
            raise self._refusal(error) from error
        self._log = structlog.wrap_logger(
            structlog.WriteLogger(self._file),
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                _time_and_event_first,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            wrapper_class=structlog.BoundLogger,
            run=run_id,
            process=os.getpid(),
        )
        self._metrics = Metrics(metrics_file, run_id)
        self._began = time.monotonic()
        self._waiting: tuple[Why, float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del trace
        with suppress(RunError):  # what ended the move is what has to be told
            if kind and error:
                self._write("broke_off", error=kind.__name__, sqlstate=_sqlstate(error) or _sqlstate(error.__cause__))
        with suppress(OSError):
            self._file.close()

    def start(self, verb: str, target: str, to_do: int, limits: MoveSettings) -> None:
        """``verb`` (apply, sync, undo) begins on the table ``target``, where ``to_do`` rows wait."""
        self._write("start", verb=verb, target=target, to_do=to_do, limits=limits.model_dump(mode="json"))
        self._metrics.start(State.UNDOING if verb == "undo" else State.APPLYING, to_do)

    def moved(self, state: State) -> None:
        """The move paused, or goes on."""
        self._write("state", state=state)
        self._metrics.moved(state)

    def observe(self, batch: Batch) -> None:
        """A batch is done."""
        self._write("batch", **batch._replace(seconds=round(batch.seconds, 4))._asdict())
        self._metrics.observe(batch)

    def tell(self, hold: Hold | None) -> None:
        """The worker is held back, or goes on (None); one line a wait, however often its figures change."""
        why, now = hold.why if hold else None, time.monotonic()
        if self._waiting and why != self._waiting[0]:
            self._write("go_on", why=self._waiting[0], seconds=round(now - self._waiting[1], 1))
            self._waiting = None
        if hold and not self._waiting:
            self._write("wait", why=hold.why, waiting_for=hold.words)
            self._waiting = (hold.why, now)
        self._metrics.tell(hold)

    def retry(self, error: Exception) -> None:
        """A statement is to be repeated, maybe in another session: what the server said is told by its code alone."""
        self._write("retry", error=type(error).__name__, sqlstate=_sqlstate(error))
        self._metrics.retry()

    def end(self, state: State, standing: int) -> None:
        """This process is done, and ``standing`` rows are as the run wrote them."""
        self._write("end", state=state, standing=standing, seconds=round(time.monotonic() - self._began, 1))
        self._metrics.moved(state)

    def _write(self, event: str, **facts: Any) -> None:
        try:
            self._log.info(event, **facts)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> RunError:
        return RunError(
            f"The journal {self._path} cannot be written: {error.strerror}. What was done stays done. Make room or let "
            "it be written, then start the same command again."
        )


def _opened(path: Path) -> TextIO:
    """Open the file to write at its end, on a line of its own: a killed process may have left half a line."""
    path.parent.mkdir(exist_ok=True)
    file = path.open("a", encoding="utf-8", newline="\n")
    if path.stat().st_size:
        with path.open("rb") as written:
            written.seek(-1, os.SEEK_END)
            file.write("" if written.read() == b"\n" else "\n")
    return file


def _sqlstate(error: BaseException | None) -> str | None:
    return getattr(error, "sqlstate", None)


def _time_and_event_first(_logger: Any, _method: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {"at": facts.pop("at"), "event": facts.pop("event"), **facts}
