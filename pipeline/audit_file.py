"""``audit_sample.csv``: the texts of the audit for reviewers to judge blind.

It names no decision, no rule and no suggestion, stands in random order, and has no counts of rows: how often a text
occurs says nothing about what it means, and a frequent one must not look the safer for it.
"""

import csv
from pathlib import Path

from pipeline.audit_sample import Sample
from pipeline.review_file import cell, key

FILE_NAME = "audit_sample.csv"
COLUMNS = ("key", "text", "decision", "note")


def write(sample: Sample, folder: Path, run_id: str) -> None:
    """Write the file into ``folder``.

    Raises:
        OSError: the file cannot be written.
    """
    with (folder / FILE_NAME).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((key(run_id, line.raw), cell(line.raw), "", "") for line in sample.lines)
