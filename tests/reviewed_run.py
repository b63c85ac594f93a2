"""Finished runs of a few texts, without a database and without the check: what the review round trip needs of one."""

from collections.abc import Mapping
from pathlib import Path

from filled_workbench import Line, fill

from parsers import Policy
from pipeline import audit_sample
from pipeline.answers import NOTHING, Standing
from pipeline.emit import emit
from pipeline.normalize import normalize
from pipeline.settings import Settings
from pipeline.workbench import open_workbench


def finish(folder: Path, rows: Mapping[str | None, int], *, words: Standing = NOTHING, audited: bool = False) -> Path:
    """A run named as its folder, in which each text stands in so many rows without a period."""
    folder.mkdir(parents=True)
    with open_workbench(folder) as workbench:
        fill(workbench, [Line(raw, count, disposition=None) for raw, count in rows.items()])
        normalize(workbench, Policy(), words=words)
        if audited:
            audit_sample.draw(workbench, folder.name, 0.001, 0.95)
        emit(workbench, Settings(), folder, run_id=folder.name, check_passed=True, check_results={})
    return folder
