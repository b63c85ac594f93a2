"""The journal and the metrics of real moves: every event once, every figure right, and nothing that is a patient's."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from live_move import Move, seal
from prometheus_client.parser import text_string_to_metric_families

from pipeline import manifest
from pipeline.backfill.apply import apply
from pipeline.backfill.journal import Journal
from pipeline.backfill.states import State
from pipeline.backfill.throttle import Hold, Throttle, Why
from pipeline.backfill.undo import undo
from pipeline.backfill.worker import Batch
from pipeline.errors import DatabaseError, RunError
from pipeline.settings import MoveSettings

RUN = "20261123-101500-3f2a"
PASSWORD = "geheim-3f2a"  # noqa: S105 - the server asks for none
HOSTILE = (
    '오전 10시"}\n{"event": "end", "state": "applied"}',
    "홍길동 010-1234-5678 오후 3시",
    "'; DROP TABLE reservations; --",
    "\x1b[31m\u202e 14:00",
)
NEEDLES = ("오전", "홍길동", "010-1234-5678", "오후", "DROP", "\x1b", "\u202e", "\\u001b", "patient-", PASSWORD)
TABLE = """
CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, "createdAt" timestamp(3), period text)
"""


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "moves" / "journal.jsonl").read_text("utf-8").splitlines()]


def events(folder: Path) -> list[str]:
    return [line["event"] for line in lines(folder)]


def samples(path: Path) -> dict[str, float]:
    """Every sample of a file as Prometheus reads it, by its name and the label that matters."""
    families = text_string_to_metric_families(path.read_text("utf-8"))
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def batch(number: int = 1, changed: int = 1_000, seconds: float = 0.07512, *, skip_locked: bool = False) -> Batch:
    return Batch(number, 0, changed, seconds, 1_000, skip_locked)


@pytest.fixture
def move(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Move:
    """A table of hostile texts, reached by a URL with a password, and its plan."""
    monkeypatch.setattr("pipeline.backfill.apply.FIRST_BATCH", 100)
    monkeypatch.setattr("pipeline.backfill.pace.MOST", 100)
    with psycopg.connect(database) as connection:
        connection.execute(TABLE)
        for number, text in enumerate(HOSTILE):
            rows = [(f"patient-{number}-{row}", text) for row in range(200)]
            connection.cursor().executemany("INSERT INTO reservations VALUES (%s, %s)", rows)
    url = database.replace("postgres@", f"postgres:{PASSWORD}@", 1)
    return Move(url, seal(tmp_path / RUN, url, dict.fromkeys(HOSTILE, ("MORNING", None))))


def test_every_event_of_a_move_and_its_figures(move: Move, tmp_path: Path) -> None:
    prom = tmp_path / "ojeon.prom"
    for verb, work, working, state in (
        ("apply", apply, State.APPLYING, State.APPLIED),
        ("undo", undo, State.UNDOING, State.UNDONE),
    ):
        with Journal(move.folder, RUN, prom) as journal, move.worker(observe=journal.observe) as worker:
            journal.start(verb, worker.target.shown, 800, MoveSettings())
            assert samples(prom)[f"ojeon_move_state {working}"] == 1
            work(worker)
            journal.end(state, 800)
        told = samples(prom)
        assert told["ojeon_move_rows_changed_total"] == 800
        assert told["ojeon_move_rows_to_do"] == 0
        assert told["ojeon_move_batch_seconds_count"] >= 8
        assert [name for name, value in told.items() if name.startswith("ojeon_move_state") and value] == [
            f"ojeon_move_state {state}"
        ]
    written = lines(move.folder)
    assert [one for one in events(move.folder) if one != "batch"] == ["start", "end"] * 2
    end = events(move.folder).index("end")
    for part in (written[: end + 1], written[end + 1 :]):
        batches = [line for line in part if line["event"] == "batch"]
        assert sum(line["changed"] for line in batches) == 800
        assert len(batches) >= 8
        assert {"number", "sweep", "changed", "seconds", "rows", "skip_locked"} <= batches[0].keys()
    assert all(line["run"] == RUN and line["at"].endswith("Z") for line in written)
    assert manifest.verify_files(move.folder) == []


def everything(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.is_file())


def test_no_text_no_id_and_no_password_in_anything_that_is_written(move: Move, tmp_path: Path) -> None:
    prom = tmp_path / "ojeon.prom"
    limits = MoveSettings(max_rows_per_second=50)  # so that it waits, and says so
    with Journal(move.folder, RUN, prom) as journal, move.worker() as worker:
        throttle = Throttle(limits, worker.target.oid, RUN, journal.tell)

        def observe(done: Batch) -> None:
            throttle.observe(done)
            journal.observe(done)
            if done.number == 1:
                move.execute("SELECT pg_terminate_backend(%s)", worker.session.connection.info.backend_pid)
            elif done.number == 2:
                move.execute("UPDATE ojeon.runs SET asked = 'cancel'")

        journal.start("apply", worker.target.shown, 800, limits)
        report = apply(replace(worker, throttle=throttle, observe=observe))
        journal.end(report.state, report.changed_in_all)
        assert worker.session.lost == 1
    assert set(events(move.folder)) == {"start", "batch", "wait", "go_on", "end"}
    assert any("홍길동" in row for row in move.snapshot())
    written = everything(move.folder / "moves") + prom.read_text("utf-8")
    assert [needle for needle in NEEDLES if needle in written] == []


def test_what_a_server_has_said_stays_out(move: Move, tmp_path: Path) -> None:
    refused = "INSERT INTO reservations SELECT * FROM reservations LIMIT 1"
    with pytest.raises(psycopg.errors.UniqueViolation, match="patient-") as caught:
        move.execute(refused)

    def break_off() -> None:
        with Journal(tmp_path, RUN, tmp_path / "ojeon.prom") as journal:
            journal.retry(caught.value)
            raise DatabaseError(f"{caught.value} {HOSTILE} {move.url}") from caught.value

    with pytest.raises(DatabaseError):
        break_off()
    retry, broke_off = lines(tmp_path)
    assert (retry["event"], retry["error"], retry["sqlstate"]) == ("retry", "UniqueViolation", "23505")
    assert (broke_off["event"], broke_off["error"], broke_off["sqlstate"]) == ("broke_off", "DatabaseError", "23505")
    written = everything(tmp_path / "moves") + (tmp_path / "ojeon.prom").read_text("utf-8")
    assert [needle for needle in NEEDLES if needle in written] == []
    assert samples(tmp_path / "ojeon.prom")["ojeon_move_retries_total"] == 1


def test_a_wait_is_one_line_however_its_figures_change(tmp_path: Path) -> None:
    prom = tmp_path / "ojeon.prom"
    with Journal(tmp_path, RUN, prom) as journal:
        journal.tell(Hold(Why.LOAD, "9 active sessions (limit 4)"))
        journal.tell(Hold(Why.LOAD, "7 active sessions (limit 4)"))
        waiting = samples(prom)
        journal.tell(Hold(Why.VACUUM, "a vacuum"))
        journal.tell(None)
        journal.tell(None)
    told = [(line["event"], line["why"]) for line in lines(tmp_path)]
    assert told == [("wait", "load"), ("go_on", "load"), ("wait", "vacuum"), ("go_on", "vacuum")]
    assert lines(tmp_path)[0]["waiting_for"] == "9 active sessions (limit 4)"
    assert (waiting["ojeon_move_waiting load"], waiting["ojeon_move_waiting vacuum"]) == (1, 0)
    now = samples(prom)
    assert (now["ojeon_move_waiting load"], now["ojeon_move_waiting vacuum"]) == (0, 0)
    assert (now["ojeon_move_waits_total load"], now["ojeon_move_waits_total vacuum"]) == (1, 1)
    assert now["ojeon_move_waits_total replica_lag"] == 0


def test_half_a_line_of_a_killed_process_spoils_no_other(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN, None) as journal:
        journal.moved(State.APPLYING)
    path = tmp_path / "moves" / "journal.jsonl"
    with path.open("a") as file:
        file.write('{"at": "2026-1')
    for _ in range(2):
        with Journal(tmp_path, RUN, None) as journal:
            journal.moved(State.APPLIED)
    first, half, *rest = path.read_text().splitlines()
    assert json.loads(first)["state"] == "applying"
    assert half == '{"at": "2026-1'
    assert [json.loads(line)["state"] for line in rest] == ["applied", "applied"]


def test_each_line_is_there_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN, None) as journal:
        journal.observe(batch())
        assert events(tmp_path) == ["batch"]
        assert lines(tmp_path)[0]["seconds"] == 0.0751


def test_metrics_are_replaced_whole_and_not_for_every_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prom, done, torn = tmp_path / "ojeon.prom", threading.Event(), []
    with Journal(tmp_path, RUN, prom) as journal:
        journal.moved(State.APPLYING)
        size = len(prom.read_text().splitlines())

        def read() -> None:
            while not done.is_set():
                if len(prom.read_text().splitlines()) != size:
                    torn.append(prom.read_text())

        reader = threading.Thread(target=read)
        reader.start()
        before = prom.stat().st_ino
        for number in range(100):
            journal.observe(batch(number))
        assert prom.stat().st_ino == before
        monkeypatch.setattr("pipeline.backfill.metrics._WRITE_SECONDS", 0)
        for number in range(100):
            journal.observe(batch(number, skip_locked=number == 7))
        done.set()
        reader.join()
    assert torn == []
    told = samples(prom)
    assert told["ojeon_move_batch_seconds_bucket 0.075"] == 0
    assert told["ojeon_move_batch_seconds_bucket 0.1"] == told["ojeon_move_batch_seconds_count"] == 200
    assert told["ojeon_move_batches_past_locks_total"] == 1
    assert told["ojeon_move_rows_to_do"] == 0
    assert [path.name for path in tmp_path.iterdir()] in (["moves", "ojeon.prom"], ["ojeon.prom", "moves"])


def test_without_a_metrics_file_there_is_none(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN, None) as journal:
        journal.start("apply", "t", 1, MoveSettings())
        journal.observe(batch())
    assert [path.name for path in tmp_path.rglob("*")] == ["moves", "journal.jsonl"]


def test_a_journal_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "moves").write_text("")
    with pytest.raises(RunError, match=r"journal .*journal\.jsonl cannot be written: "):
        Journal(tmp_path, RUN, None)
    (tmp_path / "moves").unlink()
    (tmp_path / "moves").mkdir()
    (tmp_path / "moves" / "journal.jsonl").symlink_to("/dev/full")
    with (
        pytest.raises(RunError, match=r"No space left on device\. What was done stays"),
        Journal(tmp_path, RUN, None) as journal,
    ):
        journal.observe(batch())


def test_metrics_that_cannot_be_written_are_a_sentence_before_anything_moves(tmp_path: Path) -> None:
    told = r"none/ojeon\.prom: No such file or directory\. .*OJEON_MOVE__METRICS_FILE"
    journal = Journal(tmp_path, RUN, tmp_path / "none" / "ojeon.prom")
    with pytest.raises(RunError, match=told), journal:
        journal.start("apply", "t", 1, MoveSettings())
