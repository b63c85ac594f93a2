"""The files of a plan: ``updates/*.sql`` and, number for number, the ``undo/*.sql`` that takes each one back."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.batches import CREATE_LEDGER, LEDGER, Batch, Target, undo_statement, update_statement
from pipeline.literals import literal

LEDGER_FILE = "0000_ledger.sql"

_OPENING = r"""\set ON_ERROR_STOP on
\set QUIET on
\encoding UTF8
\pset tuples_only on
\pset format unaligned
BEGIN;
SET LOCAL standard_conforming_strings = on;
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';
"""
_NEEDS_LEDGER = """\
DO $ledger$ BEGIN IF to_regclass('{ledger}') IS NULL THEN
  RAISE EXCEPTION '{message}';
END IF; END $ledger$;
"""
_REFUSAL = """\
DO $refused$ BEGIN
  RAISE EXCEPTION 'This plan is not to be applied: its check did not pass. See report.html and manifest.json beside it, then run again.';
END $refused$;
"""  # noqa: E501 - one message, one line


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """Writes the files of one run into its folder; ``refused`` makes every update raise before it touches a row."""

    folder: Path
    target: Target
    run_id: str
    files: int
    refused: bool

    def write_ledger(self) -> None:
        """Create the folders and the file that creates the ledger.

        Raises:
            FileExistsError: the folder already holds a plan.
            OSError: the folder cannot be written.
        """
        for name in ("updates", "undo"):
            (self.folder / name).mkdir(parents=True)
        heading = "creates the ledger that makes undo exact, unless it is there"
        (self.folder / "updates" / LEDGER_FILE).write_text(
            self._heading(heading, "updates") + self._opening("updates") + CREATE_LEDGER + "COMMIT;\n",
            encoding="utf-8",
            newline="\n",
        )

    def write(self, number: int, batches: Sequence[Batch]) -> None:
        """Write update and undo file ``number`` (from 1).

        Raises:
            OSError: a file cannot be written.
            RunError: a text or an id cannot be in PostgreSQL.
        """
        for kind, statement in (("updates", update_statement), ("undo", undo_statement)):
            path = self.folder / kind / f"{number:0{max(4, len(str(self.files)))}}.sql"
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.write(self._heading(self._about(kind, number, batches), kind) + self._opening(kind))
                for batch in batches:
                    file.write("\n" + statement(self.target, batch))
                file.write("\n" + self._total(kind, number, batches) + "COMMIT;\n")

    def _about(self, kind: str, number: int, batches: Sequence[Batch]) -> str:
        planned = sum(len(batch.rows) for batch in batches)
        verb = "changes" if kind == "updates" else f"undoes updates file {number}, at most"
        return (
            f"file {number} of {self.files}, batches {batches[0].number} to {batches[-1].number}, {verb} {planned} rows"
        )

    def _heading(self, about: str, kind: str) -> str:
        run = re.sub(r"[^\w.+-]", "?", self.run_id, flags=re.ASCII)
        other = "undo" if kind == "updates" else "updates"
        refused = "-- NOT TO BE APPLIED: the check of this plan did not pass.\n" if self.refused else ""
        guard = "its period is still empty" if kind == "updates" else "its period is still what this run wrote"
        return f"""\
-- ojeon run {run}: {about}.
{refused}-- A row changes only while its text is still the one decided on and {guard},
-- so running this file again, or after the application changed rows, is safe.
-- Run all, in order:  for file in {kind}/*.sql; do psql -X -f "$file" || break; done
-- Take it back:       for file in {other}/*.sql; do psql -X -f "$file" || break; done
"""

    def _opening(self, kind: str) -> str:
        if kind == "undo":
            missing = _NEEDS_LEDGER.format(
                ledger=LEDGER, message="There is no ledger in this database, so there is nothing to undo."
            )
            return _OPENING + missing
        return _OPENING + (_REFUSAL if self.refused else "")

    def _total(self, kind: str, number: int, batches: Sequence[Batch]) -> str:
        planned = sum(len(batch.rows) for batch in batches)
        title = literal(f"{kind} file {number} of {self.files}: planned {planned}, changed by this run and not undone ")
        return f"""\
SELECT {title} || coalesce(sum(cardinality(ids)), 0)
FROM {LEDGER} WHERE run_id = {self.target.run_id} AND batch BETWEEN {batches[0].number} AND {batches[-1].number};
"""


def in_files(batches: Iterator[Batch], per_file: int) -> Iterator[tuple[int, list[Batch]]]:
    """Gather ``per_file`` batches at a time and number the files from 1."""
    number, gathered = 1, list[Batch]()
    for batch in batches:
        gathered.append(batch)
        if len(gathered) == per_file:
            yield number, gathered
            number, gathered = number + 1, []
    if gathered:
        yield number, gathered
