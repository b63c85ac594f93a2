"""The audit of a finished run, read from its folder: the sample it sealed, and what reviewers say of it now."""

from pathlib import Path

import duckdb

from pipeline import answers, audit, audit_sample, manifest
from pipeline.errors import RunError
from pipeline.settings import AuditSettings
from pipeline.workbench import FILE_NAME, read_workbench


def standing_in(folder: Path, words: answers.Standing) -> audit.Standing | None:
    """Where the audit of the run in ``folder`` stands by ``words``; None where the run drew no sample.

    Raises:
        RunError: the run is unfinished, its workbench cannot be read, or the sample is not the one that it sealed.
    """
    content = manifest.read(folder)
    sealed = content.get("facts", {}).get(audit_sample.FACT)
    if sealed is None:
        return None
    sample = _sample(folder)
    if sample is None or sample.sha256 != sealed["sha256"]:
        raise RunError(
            f"The audit sample in {folder / FILE_NAME} is not the one that the run drew. Put the file back as the run "
            "left it, or plan again with `ojeon run`."
        )
    return audit.standing(sample, words, AuditSettings(**content["settings"]["audit"]))


def _sample(folder: Path) -> audit_sample.Sample | None:
    try:
        with read_workbench(folder) as workbench:
            return audit_sample.read(workbench)
    except duckdb.Error as error:
        raise RunError(
            f"{folder / FILE_NAME}, which holds the audit sample, cannot be read ({type(error).__name__}): it is "
            "missing, damaged or open in another program. Close that one or bring the file back, then try again."
        ) from error
