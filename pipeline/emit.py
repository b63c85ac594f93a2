"""The last step of a run: write the plan as SQL, the texts that wait for people, and the manifest that seals both."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from math import ceil
from pathlib import Path
from typing import Any

import duckdb

from parsers.types import Disposition, Period
from pipeline import audit_file, audit_sample, dictionary, manifest, review_file, review_sheet
from pipeline.batches import Batch, Target
from pipeline.conservation import RowCounts, TextCounts, count_rows, count_texts
from pipeline.errors import RunError
from pipeline.facts import read_facts, why_unwritable
from pipeline.plan_files import PlanFiles, in_files
from pipeline.settings import Settings

Progress = Callable[[int, int], None]

_CHECK_FAILED = "its check did not pass (see manifest.json beside it). Run again."
_FETCHED = 10_000
# Texts are numbered by period and text, so a batch has one period and few texts, in an order people can read.
_NUMBER_TEXTS = """
CREATE OR REPLACE TEMP TABLE planned_texts AS
SELECT row_number() OVER (ORDER BY period, raw) AS text_no, raw, period FROM decisions WHERE disposition = $auto
"""
_PLANNED = """
FROM reservations r JOIN planned_texts t ON r.raw IS NOT DISTINCT FROM t.raw WHERE r.current_period IS NULL
"""


@dataclass(frozen=True, slots=True)
class EmitReport:
    """What was written, and why the plan must not be applied (None: it may be).

    ``already_set_other`` counts rows whose period is neither empty nor one of ours; they are left alone like all that
    are set, but somebody should look at them.
    """

    rows: RowCounts
    texts: TextCounts
    already_set_other: int
    review_texts: int
    audit_texts: int
    batches: int
    files: int
    refused: str | None

    @property
    def apply_allowed(self) -> bool:
        """Whether the updates run."""
        return self.refused is None


def emit(  # noqa: PLR0913 - the verdict comes from another step, and steps do not import each other
    workbench: duckdb.DuckDBPyConnection,
    settings: Settings,
    folder: Path,
    *,
    run_id: str,
    check_passed: bool,
    check_results: Mapping[str, Any],
    progress: Progress = lambda _done, _planned: None,
) -> EmitReport:
    """Write a run's last files: the plan (``updates/``, ``undo/``, ``dictionary.jsonl``) and those for reviewers.

    ``audit_sample.csv`` is written where a sample was drawn before. ``manifest.json`` comes last and seals them all;
    every other file of the folder must be there before, so that it holds its hash. Where the check did not pass, or the
    table cannot take the plan, the same files are written as evidence, but each update refuses to run.
    ``progress`` is told rows written and rows planned.

    Raises:
        RunError: rows do not add up, the folder cannot be written or already holds a plan, or the workbench fails.
    """
    with _failures_as_sentences(folder):
        if (folder / manifest.FILE_NAME).exists():
            raise RunError(f"{folder} already holds a finished plan, and a plan never changes. Start a new run.")
        rows = count_rows(workbench)
        layout = _lay_out(workbench, settings)
        facts = read_facts(workbench)
        refused = why_unwritable(facts) if check_passed else _CHECK_FAILED
        plan = PlanFiles(folder, Target.of(settings.names, run_id), run_id, layout.files, refused)
        _write_plan(workbench, plan, layout, rows.auto, progress)
        review_texts, review_rows = review_file.write(workbench, folder, run_id)
        _agree(review_file.FILE_NAME, review_rows, rows.waiting)
        listed = review_sheet.write(workbench, folder, run_id)
        _agree(review_sheet.FILE_NAME, listed, min(review_texts, review_sheet.MOST), "texts")
        _agree(dictionary.FILE_NAME, dictionary.write(workbench, folder), rows.auto)
        sample = audit_sample.read(workbench)
        if sample:
            audit_file.write(sample, folder, run_id, settings.noon)
        report = EmitReport(
            rows=rows,
            texts=count_texts(workbench),
            already_set_other=_set_otherwise(workbench),
            review_texts=review_texts,
            audit_texts=len(sample.asked) if sample else 0,
            batches=layout.batches,
            files=layout.files,
            refused=refused,
        )
        check = {"passed": check_passed, "results": check_results}
        manifest.write(folder, _content(facts, settings, run_id, report, check))
    return report


@dataclass(frozen=True, slots=True)
class _Layout:
    batch_rows: int
    batches_a_file: int
    batches: int

    @property
    def files(self) -> int:
        return ceil(self.batches / self.batches_a_file)


def _lay_out(workbench: duckdb.DuckDBPyConnection, settings: Settings) -> _Layout:
    """Number the planned texts; cut the plan so that no batch mixes periods and no file is larger than its setting."""
    workbench.execute(_NUMBER_TEXTS, {"auto": Disposition.AUTO.value})
    batch_rows = min(settings.batch_rows, settings.file_rows)
    per_period = workbench.execute(f"SELECT count(*) {_PLANNED} GROUP BY t.period").fetchall()
    batches = sum(ceil(rows / batch_rows) for (rows,) in per_period)
    return _Layout(batch_rows, settings.file_rows // batch_rows, batches)


def _write_plan(
    workbench: duckdb.DuckDBPyConnection, plan: PlanFiles, layout: _Layout, planned: int, progress: Progress
) -> None:
    plan.write_ledger()
    written = 0
    for number, batches in in_files(_batches(workbench, layout.batch_rows), layout.batches_a_file):
        plan.write(number, batches)
        written += sum(len(batch.rows) for batch in batches)
        progress(written, planned)
    _agree("the updates", written, planned)


def _batches(workbench: duckdb.DuckDBPyConnection, size: int) -> Iterator[Batch]:
    numbered = workbench.execute("SELECT text_no, raw, period FROM planned_texts").fetchall()
    texts = {text_no: raw for text_no, raw, _ in numbered}
    periods = {text_no: period for text_no, _, period in numbered}
    number = 0
    for period, group in groupby(_planned_rows(workbench), key=lambda row: periods[row[0]]):
        while rows := list(islice(group, size)):
            number += 1
            yield Batch(number, period, rows, texts)


def _planned_rows(workbench: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str]]:
    planned = workbench.execute(f"SELECT t.text_no, r.id {_PLANNED} ORDER BY t.text_no, r.id")
    while rows := planned.fetchmany(_FETCHED):
        yield from rows


def _agree(place: str, written: int, counted: int, what: str = "rows") -> None:
    if written != counted:
        raise RunError(
            f"{written} {what} were written to {place} but {counted} were counted. The plan is not sealed and must not "
            "be applied: start a new run with `ojeon run`."
        )


def _set_otherwise(workbench: duckdb.DuckDBPyConnection) -> int:
    ours = [period.value for period in Period]
    query = "SELECT count(*) FROM reservations WHERE current_period NOT IN (SELECT unnest($ours))"
    return int(workbench.execute(query, {"ours": ours}).fetchall()[0][0])


def _content(
    facts: Mapping[str, Any], settings: Settings, run_id: str, report: EmitReport, check: Mapping[str, Any]
) -> dict[str, Any]:
    source = facts.get("source", {})
    chosen = settings.model_dump(mode="json")
    return {
        "run": run_id,
        "source": source,
        "facts": {name: fact for name, fact in facts.items() if name != "source"},
        "apply": "allowed" if report.apply_allowed else "refused",
        "why": report.refused or "every check passed",
        "check": check,
        "rows": {**asdict(report.rows), "equation": report.rows.equation},
        "texts": asdict(report.texts),
        "plan": {"batches": report.batches, "files": report.files, "rows": report.rows.auto},
        "review": {"texts": report.review_texts, "rows": report.rows.waiting},
        "findings": {"already_set_other": report.already_set_other},
        "settings": chosen,
        "settings_sha256": manifest.settings_hash(chosen),
        "versions": {"postgresql": source.get("server_version")},
    }


@contextmanager
def _failures_as_sentences(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise RunError(f"{error.filename} is already there, left by an interrupted run. Start a new run.") from error
    except OSError as error:
        raise RunError(
            f"The plan could not be written into {folder}: {error.strerror or error}. Make room on that disk or choose "
            "another folder (setting runs), then start a new run."
        ) from error
    except duckdb.Error as error:
        raise RunError(
            f"The workbench in {folder} failed ({type(error).__name__}). Make room in memory and on disk, then start a "
            "new run with `ojeon run`."
        ) from error
