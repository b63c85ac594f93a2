"""Finding the folder of the run that a command names, and the answers that are kept beside it."""

from pathlib import Path

from pipeline.errors import UsageError
from pipeline.settings import ANSWERS, Settings


def run_folder(run: str, runs: Path) -> Path:
    """The folder that ``run`` is, or that bears its name among the ``runs``.

    Raises:
        UsageError: there is no such folder.
    """
    folder = Path(run) if Path(run).is_dir() else runs / run
    if not folder.is_dir():
        raise UsageError(f"There is no run {run}: neither a folder of that name nor {folder}. Give the run's folder.")
    return folder


def answers_beside(folder: Path, settings: Settings) -> Path:
    """Where reviewers' answers for the run in ``folder`` are kept: where the settings say, else among its runs.

    A run named by its folder may lie elsewhere than the runs of the settings; the next run there must find them.
    """
    return settings.answers or folder.resolve().parent / ANSWERS
