from pathlib import Path

import duckdb
import pytest
from filled_workbench import Line, fill

from parsers import sketch
from pipeline.errors import RunError
from pipeline.patterns import pattern
from pipeline.profile import profile
from pipeline.workbench import open_workbench


def test_writes_one_shape_for_each_text(tmp_path: Path) -> None:
    raws = [None, "", "오후 3시", "'; DROP TABLE texts; --", "x" * 1_000_000, "\x01", "\u202e"]
    with open_workbench(tmp_path) as workbench:
        fill(workbench, [Line(raw) for raw in raws])
        profile(workbench)
        written = workbench.execute("SELECT raw, meaning, pattern FROM text_shapes").fetchall()
    assert sorted(written, key=repr) == sorted([(raw, sketch(raw), pattern(raw)) for raw in raws], key=repr)


def test_a_failed_profile_leaves_the_earlier_shapes(tmp_path: Path) -> None:
    with open_workbench(tmp_path) as workbench:
        fill(workbench, [Line("오후 3시")])
        before = profile(workbench)
        workbench.execute("CREATE UNIQUE INDEX one ON text_shapes (pattern)")
        fill(workbench, [Line("오후 4시")])  # the same pattern: the index refuses it
        with pytest.raises(RunError, match="could not be profiled"):
            profile(workbench)
        assert workbench.execute("SELECT raw FROM text_shapes").fetchall() == [("오후 3시",)]
    assert before.texts == 1


def test_a_damaged_workbench_is_a_sentence() -> None:
    with duckdb.connect() as workbench, pytest.raises(RunError, match=r"could not be profiled \(CatalogException\)"):
        profile(workbench)
