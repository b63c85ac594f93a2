"""A finished run's folder for tests of what people do with it: real decisions and shapes, no database, no checks."""

from collections.abc import Iterable
from pathlib import Path

from filled_workbench import Line, fill

import parsers
from pipeline import audit_sample, manifest
from pipeline.profile import profile
from pipeline.settings import Settings
from pipeline.workbench import open_workbench

RUN = "20261123-101500-3f2a"


def make_run(
    runs: Path, texts: Iterable[str | tuple[str | None, int] | None], run_id: str = RUN, *, audit: bool = False
) -> Path:
    """Make the folder of a run that read ``texts``, each alone or with its rows; ``audit`` draws a sample."""
    folder = runs / run_id
    folder.mkdir(parents=True)
    counted = [(text, 1) if not isinstance(text, tuple) else text for text in texts]
    settings = Settings(runs=runs)
    with open_workbench(folder) as workbench:
        fill(workbench, (decided(text, rows, settings.policy()) for text, rows in counted))
        profile(workbench)
        if audit:
            audit_sample.draw(workbench, run_id, settings.audit.max_error, settings.audit.confidence)
    manifest.write(folder, {"run": run_id, "settings": settings.model_dump(mode="json")})
    return folder


def decided(raw: str | None, rows: int, policy: parsers.Policy) -> Line:
    """A text as normalize would decide it."""
    said = parsers.decide(raw, policy)
    return Line(raw, rows, 0, said.disposition, said.period, said.start, said.confidence, said.rule, said.reason)
