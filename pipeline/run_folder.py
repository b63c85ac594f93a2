"""Finding the folder of the run that a command names."""

from pathlib import Path

from pipeline.errors import UsageError


def run_folder(run: str, runs: Path) -> Path:
    """The folder that ``run`` is, or that bears its name among the ``runs``.

    Raises:
        UsageError: there is no such folder.
    """
    folder = Path(run) if Path(run).is_dir() else runs / run
    if not folder.is_dir():
        raise UsageError(f"There is no run {run}: neither a folder of that name nor {folder}. Give the run's folder.")
    return folder
