"""The texts of one run by the keys under which people see them, and why each was shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb

from parsers.policy import Policy
from parsers.types import Disposition
from pipeline import arrived, audit_sample, review_file, reviewed
from pipeline.answers import Purpose
from pipeline.errors import RunError
from pipeline.finished_run import open_finished

_TEXTS = """
SELECT d.raw, t."rows" - t.already_set, d.disposition, d.rule
FROM decisions d JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw WHERE t."rows" > t.already_set
ORDER BY 2 DESC, 1 NULLS FIRST
"""


class Text(NamedTuple):
    """A text (None: the NULL) and its rows without a period; ``auto`` and ``settled`` (by people) as the run has it.

    ``purpose`` is why people were shown it: None where they were not.
    """

    key: str
    raw: str | None
    rows: int
    auto: bool
    settled: bool
    purpose: Purpose | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One finished run: its name, its texts by key with the most frequent first, and the policy it decided by.

    ``arrived`` are the texts that came after it and that a sync wrote down for people.
    """

    run_id: str
    folder: Path
    texts: Mapping[str, Text]
    policy: Policy
    arrived: Mapping[str, Text]

    def find(self, key: str) -> Text | None:
        """The text that people see under ``key``."""
        return self.texts.get(key) or self.arrived.get(key)

    def shown_for(self, purpose: Purpose) -> tuple[Text, ...]:
        """The texts that people were shown for ``purpose``."""
        return tuple(text for text in self.texts.values() if text.purpose is purpose)


def read_asked(folder: Path) -> Asked:
    """Read the run in ``folder``.

    Raises:
        RunError: the run is unfinished, or its workbench is missing, damaged or being written to.
    """
    run = open_finished(folder)
    with run.workbench as workbench:
        try:
            lines = workbench.execute(_TEXTS).fetchall()
            sample = audit_sample.read(workbench)
        except duckdb.Error as error:
            raise RunError(
                f"The workbench of {folder} cannot be read ({type(error).__name__}). Name the folder of a finished run."
            ) from error
    sampled = {line.raw for line in sample.asked} if sample else set()
    texts = [
        Text(
            key=review_file.key(run.run_id, raw),
            raw=raw,
            rows=rows,
            auto=disposition == Disposition.AUTO,
            settled=rule == reviewed.RULE,
            purpose=_purpose(disposition, rule, is_sampled=raw in sampled),
        )
        for raw, rows, disposition, rule in lines
    ]
    by_key = {text.key: text for text in texts}
    return Asked(run.run_id, folder, by_key, run.policy, _arrived(folder, run.run_id))


def _arrived(folder: Path, run_id: str) -> dict[str, Text]:
    texts = (
        Text(review_file.key(run_id, raw), raw, rows, auto=False, settled=False, purpose=Purpose.REVIEW)
        for raw, rows in arrived.read(folder)
    )
    return {text.key: text for text in texts}


def _purpose(disposition: str, rule: str, *, is_sampled: bool) -> Purpose | None:
    if is_sampled:
        return Purpose.AUDIT
    return Purpose.REVIEW if disposition == Disposition.REVIEW and rule != reviewed.RULE else None
