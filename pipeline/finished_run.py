"""A finished run, opened to be looked at: its folder, its manifest, its policy, and its tables for reading only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from parsers.policy import Policy
from pipeline import manifest
from pipeline.errors import RunError, UsageError
from pipeline.settings import Settings
from pipeline.workbench import read_workbench


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """One run and its open workbench."""

    folder: Path
    manifest: dict[str, Any]
    workbench: duckdb.DuckDBPyConnection

    @property
    def run_id(self) -> str:
        """Its name."""
        return str(self.manifest["run"])

    @property
    def settings(self) -> Settings:
        """The settings it ran under, whatever is set now."""
        return Settings.model_construct(**self.manifest["settings"])

    @property
    def policy(self) -> Policy:
        """The policy it decided by."""
        return self.settings.policy()

    @property
    def answers_file(self) -> Path:
        """Where reviewers' answers are kept: where its settings name it, else among the runs."""
        named = self.settings.answers
        return Path(named) if named else self.folder.parent / "answers.sqlite"


def open_finished(folder: Path) -> FinishedRun:
    """Open the run in ``folder``.

    Raises:
        RunError: the run is unfinished, or its workbench is missing, damaged or being written to.
    """
    content = manifest.read(folder)
    try:
        return FinishedRun(folder, content, read_workbench(folder))
    except duckdb.Error as error:
        raise RunError(
            f"The workbench of {folder} cannot be read ({type(error).__name__}): it is missing, damaged or open in "
            "another program. Close that one, or open another run."
        ) from error


def open_newest(runs: Path, holding: str = manifest.FILE_NAME) -> FinishedRun:
    """Open the run in ``runs`` that was finished last, of those whose folder holds a file ``holding`` if any does.

    Raises:
        UsageError: there is no finished run.
        RunError: its workbench is missing, damaged or being written to.
    """
    finished = max(_finished(runs, holding), default=None)
    if finished is None:
        raise UsageError(
            f"There is no finished run in {runs.resolve()}. `make demo` makes one of an invented clinic, `ojeon run` "
            "one of your own; the variable RUNS names another folder."
        )
    return open_finished(finished[-1])


def _finished(runs: Path, holding: str) -> Iterator[tuple[bool, str, Path]]:
    """Of each finished run whether it holds such a file, when it ended, and its folder."""
    for path in runs.glob(f"*/{manifest.FILE_NAME}"):
        try:
            ended = str(manifest.read(path.parent).get("written_at"))
        except RunError:
            continue  # damaged or of another format: none that can be opened
        yield any(path.parent.glob(holding)), ended, path.parent
