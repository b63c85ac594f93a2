"""The texts of a run's audit sample, without anything that could tell what was decided about them."""

import duckdb

from pipeline import audit_sample, review_file
from pipeline.errors import UsageError
from pipeline.review.groups import Waiting


def sampled_in(workbench: duckdb.DuckDBPyConnection, run_id: str) -> list[Waiting]:
    """Read what is to be judged of the sample, in its random order; each text is a group of its own.

    Raises:
        UsageError: the run drew no sample.
        RunError: the workbench cannot be read.
    """
    sample = audit_sample.read(workbench)
    if sample is None:
        raise UsageError("This run drew no audit sample. Start a new one with `ojeon run`.")
    return [
        Waiting(review_file.key(run_id, line.raw), line.raw, line.rows, group=number)
        for number, line in enumerate(sample.asked)
    ]
