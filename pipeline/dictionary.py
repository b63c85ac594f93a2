"""``dictionary.jsonl``: every decided text of a run with its decision, one JSON object a line.

It is the plan in its smallest form: what engineers read before they trust it, and what ``ojeon apply`` loads.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from parsers.types import Disposition
from pipeline.errors import RunError

FILE_NAME = "dictionary.jsonl"

_DECIDED = """
SELECT d.raw, d.period, d.start_time, d.rule, d.confidence, t.rows - t.already_set
FROM decisions d JOIN texts t ON t.raw IS NOT DISTINCT FROM d.raw
WHERE d.disposition = $auto ORDER BY d.raw
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A decided text. ``rows`` were there at extract without a period."""

    raw: str
    period: str
    start: str | None
    rule: str
    confidence: float
    rows: int


def write(workbench: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write the file and return the rows its texts stand for.

    Raises:
        OSError: the folder cannot be written.
    """
    rows = 0
    with (folder / FILE_NAME).open("w", encoding="utf-8", newline="\n") as file:
        for values in workbench.execute(_DECIDED, {"auto": Disposition.AUTO.value}).fetchall():
            entry = Entry(*values)
            rows += entry.rows
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
    return rows


def read(folder: Path) -> Iterator[Entry]:
    """Read the entries back.

    Raises:
        RunError: the file is missing or damaged.
    """
    path = folder / FILE_NAME
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield Entry(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({type(error).__name__}). Plan again with `ojeon run`.") from error
