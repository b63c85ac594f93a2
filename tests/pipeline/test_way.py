import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.way import open_run


@pytest.fixture
def _lax() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_lax")
def test_nobody_else_may_look_into_a_runs_folder(tmp_path: Path) -> None:
    run = open_run(Settings(runs=tmp_path / "runs"), tmp_path / "dump.csv")
    run.workbench.close()
    assert run.folder.stat().st_mode & 0o777 == 0o700
