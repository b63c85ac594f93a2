"""The notebooks: as they are committed, and executed on the folder of a real run."""

import json
import runpy
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jupytext
import nbformat
import psycopg
import pytest
from nbmake.nb_run import NotebookRun
from prepared_run import SECRETS, prepare

from pipeline.embedded import Server

FOLDER = Path(__file__).parents[2] / "notebooks"
CONFIG = "jupyter_server_config.py"
TOLD = {
    "explore_formats": ("The shapes, and where they went", "by pattern", "bare_hour", "ambiguous_hour", "because"),
    "parser_quality": ("expected wrong", "pairs disagree", "negation", "opens at 10:00"),
    "after_the_backfill": ("minutes wait for a person", "minutes booked", "MORNING"),
    "review_yield": ("with the answers to", "reviewer-2", "NEITHER", "ambiguous_hour"),
}
CHARTS = {"explore_formats": 1, "parser_quality": 3, "after_the_backfill": 2, "review_yield": 1}
pytestmark = pytest.mark.xdist_group("notebooks")  # they share one prepared run


@pytest.fixture(scope="module")
def runs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE notebooks")
    folder = tmp_path_factory.mktemp("notebooks") / "runs"
    prepare(server.database_url("notebooks"), folder, rows=3_000)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE notebooks WITH (FORCE)")  # from here on they work offline
    return folder


def files(folder: Path) -> dict[Path, str]:
    """Hashes of all files but those that SQLite keeps beside a database while it is read."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {path: sha256(path.read_bytes()).hexdigest() for path in found}


def spelled_out(outputs: list[Mapping[str, Any]]) -> str:
    return json.dumps(outputs, ensure_ascii=False)


@pytest.mark.parametrize("name", TOLD)
def test_it_tells_draws_hides_and_changes_nothing(name: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNS", str(runs))
    before = files(runs), files(FOLDER)
    done = NotebookRun(FOLDER / f"{name}.ipynb", default_timeout=120).execute()
    assert done.error is None, done.error.trace
    said = spelled_out([output for cell in done.nb.cells for output in cell.get("outputs", [])])
    shown = said + spelled_out([cell.source for cell in done.nb.cells if cell.cell_type == "markdown"])
    assert [word for word in TOLD[name] if word not in shown] == []
    assert said.count("<picture>") == CHARTS[name]
    assert '"stderr"' not in said
    assert [secret for secret in SECRETS if secret in said] == []
    assert (files(runs), files(FOLDER)) == before


def notebooks() -> list[Path]:
    return sorted(FOLDER.glob("*.ipynb"))


def scripts() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*.py") if path.name != CONFIG)


def test_each_is_executed_and_paired() -> None:
    assert {path.stem for path in notebooks()} == {path.stem for path in scripts()} == set(TOLD) == set(CHARTS)


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.stem)
def test_the_pair_says_the_same(script: Path) -> None:
    pair = jupytext.read(script), nbformat.read(script.with_suffix(".ipynb"), 4)
    one, other = ([(cell.cell_type, cell.source) for cell in notebook.cells] for notebook in pair)
    assert one == other, f"the pair went apart: jupytext --sync notebooks/{script.name}"


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_no_output_and_no_machine_is_committed(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    }
    for cell in notebook.cells:
        assert cell.metadata == {}
        assert "attachments" not in cell
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


def test_what_the_lab_saves_holds_no_outputs() -> None:
    hooks = SimpleNamespace(ContentsManager=SimpleNamespace(), LabApp=SimpleNamespace())
    runpy.run_path(str(FOLDER / CONFIG), init_globals={"get_config": lambda: hooks})
    kernel = {"name": "python3", "display_name": "Python 3"}
    machine = {"name": "python", "version": "3.11.7"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": machine})
    output = nbformat.v4.new_output("stream", text="예약자 김하늘")
    notebook.cells = [
        nbformat.v4.new_markdown_cell("prose", metadata={"collapsed": True}),
        nbformat.v4.new_code_cell("1", execution_count=7, outputs=[output], metadata={"execution": {}}),
    ]
    model = {"type": "notebook", "content": notebook}
    hooks.ContentsManager.pre_save_hook(model=model, path="n.ipynb", contents_manager=None)
    assert notebook.metadata == {"kernelspec": kernel}
    prose, code = notebook.cells
    assert (prose.source, prose.metadata) == ("prose", {})
    assert (code.source, code.outputs, code.execution_count, code.metadata) == ("1", [], None, {})
    file = {"type": "file", "content": "text"}
    hooks.ContentsManager.pre_save_hook(model=file, path="a.txt", contents_manager=None)
    assert file == {"type": "file", "content": "text"}
