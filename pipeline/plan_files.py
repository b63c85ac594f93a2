"""The files of a plan: ``updates/*.sql`` and, number for number, the ``undo/*.sql`` that takes each one back."""

import re
from collections.abc import Callable, Iterator, Sequence
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
# Inside the transaction, so that it stops a client that goes on after errors, too.
_REFUSAL = """\
DO $refused$ BEGIN
  RAISE EXCEPTION 'This plan is not to be applied: its check did not pass (see manifest.json beside it). Run again.';
END $refused$;
"""


@dataclass(frozen=True, slots=True)
class _Direction:
    """What tells updates and undo apart; ``name`` is the folder."""

    name: str
    inverse: str
    expects: str
    without_ledger: str
    statement: Callable[[Target, Batch], str]


_UPDATES = _Direction("updates", "undo", "empty", "run updates/0000_ledger.sql first", update_statement)
_UNDO = _Direction("undo", "updates", "what this run wrote", "this run changed nothing here", undo_statement)


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
        for direction in (_UPDATES, _UNDO):
            (self.folder / direction.name).mkdir(parents=True)
        heading = self._heading(_UPDATES, "creates the ledger that makes undo exact, unless it is there")
        sql = heading + _OPENING + self._refusal(_UPDATES) + CREATE_LEDGER + "COMMIT;\n"
        (self.folder / _UPDATES.name / LEDGER_FILE).write_text(sql, encoding="utf-8", newline="\n")

    def write(self, number: int, batches: Sequence[Batch]) -> None:
        """Write update and undo file ``number`` (from 1).

        Raises:
            OSError: a file cannot be written.
            RunError: a text or an id cannot be in PostgreSQL.
        """
        name = f"{number:0{max(4, len(str(self.files)))}}.sql"
        planned = sum(len(batch.rows) for batch in batches)
        for direction in (_UPDATES, _UNDO):
            title = f"{direction.name} file {number} of {self.files}"
            with (self.folder / direction.name / name).open("w", encoding="utf-8", newline="\n") as file:
                numbers = f"batches {batches[0].number} to {batches[-1].number}"
                file.write(self._heading(direction, f"{title}, {numbers}, {planned} rows planned"))
                file.write(_OPENING + self._refusal(direction) + _needs_ledger(direction))
                file.writelines("\n" + direction.statement(self.target, batch) for batch in batches)
                file.write("\n" + self._total(f"{title}: planned {planned}", batches) + "COMMIT;\n")

    def _refusal(self, direction: _Direction) -> str:
        return _REFUSAL if self.refused and direction is _UPDATES else ""

    def _heading(self, direction: _Direction, about: str) -> str:
        run = re.sub(r"[^\w.+-]", "?", self.run_id, flags=re.ASCII)
        refused = "-- NOT TO BE APPLIED: the check of this plan did not pass.\n" if self.refused else ""
        return f"""\
-- ojeon run {run}: {about}.
{refused}-- A row changes only while its text is still the one decided on and its period is still {direction.expects},
-- so running this file again, or after the application changed rows, is safe.
-- Run all, in order:  for file in {direction.name}/*.sql; do psql -X -f "$file" || break; done
-- Take it back:       for file in {direction.inverse}/*.sql; do psql -X -f "$file" || break; done
"""

    def _total(self, title: str, batches: Sequence[Batch]) -> str:
        return f"""\
SELECT {literal(title + ", changed by this run and not undone ")} || coalesce(sum(cardinality(ids)), 0)
FROM {LEDGER} WHERE run_id = {self.target.run_id} AND batch BETWEEN {batches[0].number} AND {batches[-1].number};
"""


def _needs_ledger(direction: _Direction) -> str:
    return f"""\
DO $ledger$ BEGIN
  IF to_regclass('{LEDGER}') IS NULL THEN
    RAISE EXCEPTION 'There is no ledger in this database: {direction.without_ledger}.';
  END IF;
END $ledger$;
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
