"""Which run a file belongs to that was imported into another one."""

from collections.abc import Iterable
from pathlib import Path

from pipeline import audit_file, review_file

_FILES = (review_file.FILE_NAME, audit_file.FILE_NAME)


def run_of(keys: Iterable[str], runs: Path) -> str | None:
    """The name of a run among ``runs`` that showed one of ``keys`` to people; None where there is none."""
    wanted = set(keys)
    for name in _FILES:
        for path in sorted(runs.glob(f"*/{name}")):
            try:
                found = review_file.keys_in(path)
            except (OSError, ValueError, KeyError):
                continue  # a file that cannot be read cannot tell
            if wanted & found:
                return path.parent.name
    return None
