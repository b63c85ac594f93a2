"""The texts that a sync wrote down for people, whole: the run's workbench was sealed before they came."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline import manifest
from pipeline.errors import RunError

_FILES = "review_*.jsonl"


def write(review_file: Path, texts: Iterable[tuple[str | None, int]]) -> None:
    """Write raw texts and their rows beside the ``review_file`` that shows them, before it appears.

    Raises:
        OSError: the folder cannot be written.
    """
    path = review_file.with_suffix(".jsonl")
    partial = path.with_suffix(".jsonl.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for raw, rows in texts:
            file.write(json.dumps({"raw": raw, "rows": rows}, ensure_ascii=False) + "\n")
    partial.replace(path)


def read(run: Path) -> Iterator[tuple[str | None, int]]:
    """The raw texts of the ``run`` in that folder and their rows, as they were when each was written down.

    Raises:
        RunError: a file is damaged.
    """
    for path in sorted((run / manifest.MOVES).glob(_FILES)):
        try:
            with path.open(encoding="utf-8", newline="\n") as file:
                for line in file:
                    found = json.loads(line)
                    yield found["raw"], found["rows"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read ({type(error).__name__}). Bring it back from a backup.") from error
