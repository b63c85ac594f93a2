import json
from pathlib import Path

import pytest

from pipeline import manifest
from pipeline.errors import RunError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run's folder."""
    (tmp_path / "updates").mkdir()
    (tmp_path / "updates" / "0001.sql").write_text("BEGIN;", encoding="utf-8")
    (tmp_path / "report.html").write_text("<p>", encoding="utf-8")
    (tmp_path / "workbench.duckdb").write_bytes(b"goes on changing")
    manifest.write(tmp_path, {"run": "r", "versions": {"postgresql": "18.1"}})
    return tmp_path


def test_every_file_is_in_it_but_itself_and_the_workbench(folder: Path) -> None:
    assert manifest.read(folder)["files"] == {
        "report.html": {"sha256": "33f2799467177287a29260780a107ac98ea63dd6165f67fcc0d74767d0a82090", "bytes": 3},
        "updates/0001.sql": {"sha256": "09d5c7e4829721a8d33975034ec970f527d10fe2957088aecdd74a4bfde43190", "bytes": 6},
    }
    assert not list(folder.glob(".manifest*"))


def test_it_names_the_versions(folder: Path) -> None:
    assert set(manifest.read(folder)["versions"]) == {
        "postgresql",
        "python",
        "ojeon",
        "duckdb",
        "polars",
        "great-expectations",
    }


def test_a_manifest_that_is_not_as_it_was_sealed_is_the_one_finding(folder: Path) -> None:
    path = folder / "manifest.json"
    content = path.read_bytes()
    (folder / "report.html").unlink()
    for edited in (content.replace(b'"r"', b'"s"'), content.replace(b"  ", b"   ", 1), content + b"\n", b"{}"):
        path.write_bytes(edited if edited != b"{}" else b'{"format": 1, "files": {}}')
        assert manifest.verify_files(folder) == ["manifest.json: changed"]
    path.write_bytes(content)
    assert manifest.verify_files(folder) == ["report.html: missing"]


def test_a_folder_as_the_run_left_it_has_no_findings(folder: Path) -> None:
    (folder / "workbench.duckdb").write_bytes(b"looked into")
    (folder / "workbench.duckdb.wal").write_bytes(b"")
    assert manifest.verify_files(folder) == []


def test_what_moves_write_is_no_part_of_the_plan(folder: Path) -> None:
    (folder / "moves" / "verify").mkdir(parents=True)
    (folder / "moves" / "journal.jsonl").write_text("{}", encoding="utf-8")
    (folder / "moves" / "verify" / "report.html").write_text("<p>", encoding="utf-8")
    assert manifest.verify_files(folder) == []
    (folder / "updates" / "moves").mkdir()
    (folder / "updates" / "moves" / "0001.sql").write_text("DROP", encoding="utf-8")
    (folder / "moves.sql").write_text("DROP", encoding="utf-8")
    assert manifest.verify_files(folder) == ["moves.sql: added", "updates/moves/0001.sql: added"]


def test_each_file_that_is_not_as_the_run_left_it_is_named(folder: Path) -> None:
    (folder / "updates" / "0001.sql").write_text("BEGIN:", encoding="utf-8")
    (folder / "updates" / "0002.sql").write_text("DROP", encoding="utf-8")
    (folder / "report.html").unlink()
    assert manifest.verify_files(folder) == [
        "report.html: missing",
        "updates/0001.sql: changed",
        "updates/0002.sql: added",
    ]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 2, "files": {}}', '{"format": 1}', '{"format": 1, "files": 3}']
)
def test_a_damaged_manifest_is_a_sentence(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=r"manifest\.json .* Start a new run with `ojeon run`"):
        manifest.verify_files(folder)


def test_a_folder_without_a_manifest_is_an_unfinished_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the run was interrupted"):
        manifest.verify_files(tmp_path)


def test_a_manifest_that_cannot_be_finished_does_not_appear(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        manifest.write(tmp_path, {"run": object()})
    assert list(tmp_path.iterdir()) == []


def test_the_hash_of_settings_is_that_of_their_values() -> None:
    one = manifest.settings_hash({"a": 1, "b": {"c": "낮", "d": None}})
    assert one == manifest.settings_hash(json.loads('{"b": {"d": null, "c": "낮"}, "a": 1}'))
    assert one != manifest.settings_hash({"a": 1, "b": {"c": "밤", "d": None}})
