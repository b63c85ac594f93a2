import json
from pathlib import Path

import duckdb
import pytest

from pipeline import manifest
from pipeline.errors import RunError, UsageError
from pipeline.finished_run import open_finished, open_newest
from pipeline.settings import Settings
from pipeline.workbench import open_workbench


def finish(runs: Path, name: str, ended: str, **settings: object) -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    open_workbench(folder).close()
    kept = Settings(**settings).model_dump(mode="json")
    manifest.write(folder, {"run": name, "settings": kept})
    path = folder / manifest.FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"written_at": ended}), "utf-8")
    return folder


def test_the_newest_is_the_one_that_ended_last_whatever_its_name(tmp_path):
    finish(tmp_path, "b", "2026-01-01T00:00:00+00:00")
    newest = finish(tmp_path, "a", "2026-01-02T00:00:00+00:00")
    (tmp_path / "unfinished").mkdir()
    damaged = tmp_path / "c"
    damaged.mkdir()
    (damaged / manifest.FILE_NAME).write_text("{", "utf-8")
    run = open_newest(tmp_path)
    assert (run.folder, run.run_id) == (newest, "a")
    with pytest.raises(duckdb.Error):
        run.workbench.execute("DELETE FROM texts")
    run.workbench.close()


def test_those_that_hold_something_come_first(tmp_path):
    verified = finish(tmp_path, "a", "2026-01-01T00:00:00+00:00")
    later = finish(tmp_path, "b", "2026-01-02T00:00:00+00:00")
    assert open_newest(tmp_path, holding="moves/*.parquet").folder == later
    (verified / "moves").mkdir()
    (verified / "moves" / "capacity-1.parquet").touch()
    assert open_newest(tmp_path, holding="moves/*.parquet").folder == verified
    assert open_newest(tmp_path).folder == later


def test_settings_are_the_runs_own(tmp_path, monkeypatch):
    folder = finish(tmp_path, "a", "2026-01-01T00:00:00+00:00", noon="13:00", min_auto=0.5)
    monkeypatch.setenv("OJEON_NOON", "11:00")
    monkeypatch.setenv("OJEON_MIN_AUTO", "0.7")
    run = open_finished(folder)
    assert (run.policy.noon, run.settings.min_auto) == (780, 0.5)
    assert run.answers_file == tmp_path / "answers.sqlite"
    named = open_finished(finish(tmp_path, "b", "2026-01-01T00:00:00+00:00", answers=tmp_path / "words.sqlite"))
    assert named.answers_file == tmp_path / "words.sqlite"


def test_sentences_where_there_is_none(tmp_path):
    with pytest.raises(UsageError, match=r"no finished run in .*`make demo`"):
        open_newest(tmp_path / "nowhere")
    with pytest.raises(RunError, match="has no manifest"):
        open_finished(tmp_path)
    folder = finish(tmp_path, "a", "2026-01-01T00:00:00+00:00")
    (folder / "workbench.duckdb").write_text("no database", "utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        open_newest(tmp_path)
