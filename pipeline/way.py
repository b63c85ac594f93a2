"""The way of the data, written once: what a run does, in order.

The command line, its progress display and the documentation read ``STEPS``; only here do the steps meet.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import RunError
from pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

    from pipeline.extract import Source

Progress = Callable[[int, int], None]


@dataclass
class Run:
    """One run under way: where it reads and writes, and what its steps have reported so far."""

    run_id: str
    folder: Path
    settings: Settings
    source: "Source"
    workbench: "duckdb.DuckDBPyConnection"
    reports: dict[str, Any] = field(default_factory=dict)


class Step(NamedTuple):
    """One step: its name (a verb), what it does in a sentence, and how it is run."""

    name: str
    does: str
    perform: Callable[[Run, Progress], Any]


# Each step imports its module when it runs: Great Expectations and polars cost seconds, and `--help` needs neither.
def _extract(run: Run, progress: Progress) -> Any:
    from pipeline.extract import extract

    return extract(run.source, run.workbench, run.settings.names, progress)


def _profile(run: Run, progress: Progress) -> Any:
    from pipeline.profile import profile

    return profile(run.workbench, progress)


def _normalize(run: Run, progress: Progress) -> Any:
    from pipeline.answers import standing_of
    from pipeline.normalize import normalize

    words = standing_of(run.settings.answers_file)
    return normalize(run.workbench, run.settings.policy(), progress, words=words)


def _check(run: Run, progress: Progress) -> Any:
    from pipeline.check import check

    del progress
    return check(run.workbench, run.settings)


def _emit(run: Run, progress: Progress) -> Any:
    from pipeline import answers, audit_sample, report, report_facts
    from pipeline.emit import emit

    checked = run.reports["check"]
    results = checked.to_dict()
    limits = run.settings.audit
    audit_sample.draw(run.workbench, run.run_id, limits.max_error, limits.confidence)  # the report tells of it
    words = answers.standing_of(run.settings.answers_file)
    view = report_facts.gather(run.workbench, run.settings, run.run_id, results, folder=run.folder, words=words)
    report.write(view, run.folder / report.FILE_NAME, run.settings.lang)
    return emit(
        run.workbench,
        run.settings,
        run.folder,
        run_id=run.run_id,
        check_passed=checked.passed,
        check_results=results,
        progress=progress,
    )


STEPS: tuple[Step, ...] = (
    Step("extract", "copy the columns it needs as they are at one moment", _extract),
    Step("profile", "sort the distinct texts into shapes", _profile),
    Step("normalize", "decide every distinct text", _normalize),
    Step("check", "run the expectation suites", _check),
    Step("emit", "write the plan, the review file and the report", _emit),
)


def new_run_id() -> str:
    """A run's name: the time it started (UTC) and a few letters, so that no two are alike."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def open_run(settings: Settings, source: "Source", run_id: str | None = None) -> Run:
    """Make the run's folder and its workbench.

    Raises:
        RunError: the folder exists already or cannot be made.
    """
    import duckdb

    from pipeline.address import in_schema
    from pipeline.workbench import open_workbench

    settings = settings.model_copy(update={"names": in_schema(settings.names, source)})
    run_id = run_id or new_run_id()
    folder = settings.runs / run_id
    try:
        folder.mkdir(mode=0o700, parents=True)  # patients' texts: nobody else may look in
        workbench = open_workbench(folder)
    except FileExistsError as error:
        raise RunError(f"The run {run_id} exists already; a run is never overwritten. Start a new one.") from error
    except (OSError, duckdb.Error) as error:
        why = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise RunError(
            f"The folder for runs, {settings.runs}, cannot be written ({why}). Give another with --runs."
        ) from error
    return Run(run_id, folder, settings, source, workbench)


def travel(run: Run, announce: Callable[[Step], Progress], *, until: str = STEPS[-1].name) -> None:
    """Run the steps in order, up to and including ``until``; ``announce`` is told each and returns its progress.

    Raises:
        OjeonError: a step could not do its work; what is in the folder by then stays as evidence.
    """
    for step in STEPS:
        run.reports[step.name] = step.perform(run, announce(step))
        if step.name == until:
            return
