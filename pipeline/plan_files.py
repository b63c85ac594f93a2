"""The files of a plan: ``updates/*.sql`` and, number for number, the ``undo/*.sql`` that takes each one back."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.batches import Batch, Target, undo_statement, update_statement
from pipeline.ledger import CREATE_LEDGER, LEDGER, TAKE_TURNS, check_ledger
from pipeline.literals import block, literal

LEDGER_FILE = "0000_ledger.sql"

# A second is longer than any row of a healthy application is held, and short enough for those who wait for the rows
# this file holds meanwhile.
_OPENING = r"""\set ON_ERROR_STOP on
\set QUIET on
-- Terse, because the details of an error would show a patient's row.
\set VERBOSITY terse
\encoding UTF8
\pset tuples_only on
\pset format unaligned
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL standard_conforming_strings = on;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '60s';
"""


@dataclass(frozen=True, slots=True)
class _Direction:
    """What tells updates and undo apart; ``name`` is the folder."""

    name: str
    inverse: str
    guard: str
    without_ledger: str
    statement: Callable[[Target, Batch], str]


_UPDATES = _Direction(
    "updates",
    "undo",
    "-- A row changes only while its text is still the one decided on and its period is still empty.",
    "run updates/0000_ledger.sql first",
    update_statement,
)
_UNDO = _Direction(
    "undo",
    "updates",
    """\
-- A row changes only while it is as this run left it. Rows that anybody has changed since, in whatever column, are left
-- alone; each batch tells how many and which.""",
    "this run changed nothing here",
    undo_statement,
)


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """Writes the files of one run into its folder.

    ``refused`` tells why the plan must not be applied; every update then raises before it touches a row.
    """

    folder: Path
    target: Target
    run_id: str
    files: int
    refused: str | None

    def write_ledger(self) -> None:
        """Create the folders and the file that creates the ledger.

        Raises:
            FileExistsError: the folder already holds a plan.
            OSError: the folder cannot be written.
        """
        for direction in (_UPDATES, _UNDO):
            (self.folder / direction.name).mkdir(parents=True)
        heading = self._heading(_UPDATES, "creates the ledger that makes undo exact, unless it is there")
        sql = heading + self._opening(_UPDATES) + CREATE_LEDGER + "COMMIT;\n"
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
                file.write(self._opening(direction))
                file.write(check_ledger(self.target.run_id, self.target.table, direction.without_ledger))
                file.writelines("\n" + direction.statement(self.target, batch) for batch in batches)
                file.write("\n" + self._total(f"{title}: planned {planned}", batches) + "COMMIT;\n")

    def _opening(self, direction: _Direction) -> str:
        # pg_catalog first, so that nobody's operators and functions pass for PostgreSQL's; the table's schema behind
        # it, because triggers may need it.
        path = f"SET LOCAL search_path = pg_catalog, {self.target.schema}, pg_temp;\n"
        return _OPENING + path + (self._refusal() if direction is _UPDATES else "") + TAKE_TURNS

    def _refusal(self) -> str:
        """Inside the transaction, so that it stops a client that goes on after errors, too."""
        if self.refused is None:
            return ""
        why = literal(f"This plan is not to be applied: {self.refused}")
        return block(f"BEGIN RAISE EXCEPTION USING MESSAGE = {why}; END")

    def _heading(self, direction: _Direction, about: str) -> str:
        run = re.sub(r"[^\w.+-]", "?", self.run_id, flags=re.ASCII)
        refused = "" if self.refused is None else "-- NOT TO BE APPLIED: the reason is told below and when it is run.\n"
        return f"""\
-- ojeon run {run}: {about}.
{refused}{direction.guard}
-- Running this file again is safe. Where it stops (a lock timeout: the application held a row too long), nothing of it
-- was written: run all again, what is done is passed over.
-- Run all, in order:  for file in {direction.name}/*.sql; do psql -X -f "$file" || break; done
-- Take it back:       for file in {direction.inverse}/*.sql; do psql -X -f "$file" || break; done
"""

    def _total(self, title: str, batches: Sequence[Batch]) -> str:
        return f"""\
SELECT {literal(title + ", changed by this run and not undone ")} || count(*)
FROM {LEDGER}, jsonb_object_keys(changed)
WHERE run_id = {self.target.run_id} AND batch BETWEEN {batches[0].number} AND {batches[-1].number};
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
