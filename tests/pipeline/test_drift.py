import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filled_workbench import Line, auto, fill

from pipeline import manifest
from pipeline.drift import Drift, Unreadable, find_drift
from pipeline.profile import profile
from pipeline.settings import Settings
from pipeline.workbench import FILE_NAME, open_workbench

TABLE = {"kind": "postgresql", "system_identifier": "7", "host": "a", "port": 5, "database": "c", "table": '"p"."r"'}
BEFORE = [
    auto("10시", 900, "MORNING"),
    Line("밤", 60, reason="outside_hours"),
    Line("언제든", 40, reason="no_preference"),
]


def _run(
    runs: Path, name: str, lines: list[Line], source: dict[str, Any] | None = None, settings: Settings | None = None
) -> Path:
    """A finished run's folder."""
    folder = runs / name
    folder.mkdir(parents=True)
    with open_workbench(folder) as workbench:
        fill(workbench, lines)
        profile(workbench)
    chosen = (settings or Settings()).model_dump(mode="json")
    manifest.write(folder, {"run": name, "source": source or TABLE, "settings": chosen})
    return folder


def _drift(folder: Path, source: dict[str, Any] | None = None, settings: Settings | None = None) -> Any:
    with duckdb.connect(folder / FILE_NAME, read_only=True) as workbench:
        return find_drift(workbench, settings or Settings(), source or TABLE, folder)


def test_tells_what_is_new_gone_grown_and_shrunk(tmp_path: Path) -> None:
    _run(tmp_path, "20250101-1", BEFORE)
    now = [auto("10시", 800, "MORNING"), Line("밤", 150, reason="outside_hours"), auto("오후 3시", 50, "AFTERNOON")]
    drift = _drift(_run(tmp_path, "20250102-1", now))
    assert isinstance(drift, Drift)
    assert (drift.previous, drift.rows_before, drift.rows_now) == ("20250101-1", 1_000, 1_000)
    assert (drift.auto_share_before, drift.auto_share_now) == (0.9, 0.85)
    assert [(change.name, change.before, change.now) for change in drift.new] == [("half-day clock", 0, 50)]
    assert [(change.name, change.before, change.now) for change in drift.gone] == [("any time", 40, 0)]
    assert [(change.name, change.before, change.now) for change in drift.grown] == [("half-day", 60, 150)]
    assert drift.shrunk == ()
    assert [(change.name, change.before, change.now) for change in drift.reasons] == [
        ("outside_hours", 60, 150),
        ("no_preference", 40, 0),
    ]
    assert drift.reasons[0].share_now == 0.15
    assert drift.settings == ()


def test_a_run_like_the_one_before_has_no_drift(tmp_path: Path) -> None:
    _run(tmp_path, "20250101-1", BEFORE)
    drift = _drift(_run(tmp_path, "20250102-1", [line._replace(rows=2 * line.rows) for line in BEFORE]))
    assert drift.new == drift.gone == drift.grown == drift.shrunk == drift.reasons == ()
    assert (drift.rows_before, drift.rows_now) == (1_000, 2_000)


def test_rows_that_had_a_period_bear_on_shapes_and_not_on_decisions(tmp_path: Path) -> None:
    _run(tmp_path, "20250101-1", [auto("10시", 100, "MORNING", already_set=60), Line("밤", 60, already_set=60)])
    drift = _drift(_run(tmp_path, "20250102-1", BEFORE))
    assert (drift.rows_before, drift.auto_share_before) == (160, 1.0)


def test_the_first_run_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert _drift(_run(tmp_path, "20250102-1", BEFORE)) is None


def test_the_last_finished_run_before_this_one_is_the_previous(tmp_path: Path) -> None:
    for name in ("20250101-1", "20250103-1", "20250105-1"):
        _run(tmp_path, name, BEFORE)
    (tmp_path / "20250104-1").mkdir()  # unfinished
    (tmp_path / "answers.sqlite").touch()
    assert _drift(_run(tmp_path, "20250104-2", BEFORE)).previous == "20250103-1"


@pytest.mark.parametrize(
    "other",
    [
        {"database": "d"},
        {"table": '"p"."s"'},
        {"system_identifier": "8"},
        {"kind": "csv", "file": "r.csv"},
    ],
)
def test_another_table_is_not_compared_with(tmp_path: Path, other: dict[str, str]) -> None:
    _run(tmp_path, "20250101-1", BEFORE, {**TABLE, **other})
    assert _drift(_run(tmp_path, "20250102-1", BEFORE)) is None


def test_another_column_is_not_compared_with(tmp_path: Path) -> None:
    other = Settings(names={"preferred_time": "wish"})
    _run(tmp_path, "20250101-1", BEFORE, settings=other)
    assert _drift(_run(tmp_path, "20250102-1", BEFORE)) is None


def test_a_server_is_known_by_itself_and_else_by_its_address(tmp_path: Path) -> None:
    moved = {**TABLE, "host": "b", "port": 6}
    nameless = {**TABLE, "system_identifier": None}
    _run(tmp_path / "a", "20250101-1", BEFORE)
    assert _drift(_run(tmp_path / "a", "20250102-1", BEFORE), moved)
    _run(tmp_path / "b", "20250101-1", BEFORE, nameless)
    now = _run(tmp_path / "b", "20250102-1", BEFORE)
    assert _drift(now, nameless)
    assert _drift(now, {**moved, "system_identifier": None}) is None


def test_a_dump_is_known_by_its_name(tmp_path: Path) -> None:
    _run(tmp_path, "20250101-1", BEFORE, {"kind": "csv", "file": "r.csv", "sha256": "1"})
    now = _run(tmp_path, "20250102-1", BEFORE)
    assert _drift(now, {"kind": "csv", "file": "r.csv", "sha256": "2"})
    assert _drift(now, {"kind": "csv", "file": "s.csv", "sha256": "1"}) is None


def test_names_the_settings_that_differ(tmp_path: Path) -> None:
    _run(tmp_path, "20250101-1", BEFORE, settings=Settings(noon="13:00", lang="ko", batch_rows=7))
    assert _drift(_run(tmp_path, "20250102-1", BEFORE)).settings == ("noon",)


@pytest.mark.parametrize("damage", ["missing", "damaged", "empty"])
def test_a_workbench_that_cannot_be_read_is_told(tmp_path: Path, damage: str) -> None:
    place = _run(tmp_path, "20250101-1", BEFORE) / FILE_NAME
    place.unlink()
    if damage == "damaged":
        place.write_bytes(b"no database")
    if damage == "empty":
        duckdb.connect(place).close()
    assert _drift(_run(tmp_path, "20250102-1", BEFORE)) == Unreadable("20250101-1")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": 1, "files": {}}', '{"format": 1, "files": {}, "source": 7}']
)
def test_a_manifest_that_is_none_is_passed_over(tmp_path: Path, content: str) -> None:
    _run(tmp_path, "20250101-1", BEFORE)
    (tmp_path / "20250101-2").mkdir()
    (tmp_path / "20250101-2" / manifest.FILE_NAME).write_text(content)
    assert _drift(_run(tmp_path, "20250102-1", BEFORE)).previous == "20250101-1"
    assert json.loads((tmp_path / "20250102-1" / manifest.FILE_NAME).read_text())["run"] == "20250102-1"
