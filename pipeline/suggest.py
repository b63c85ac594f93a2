"""Suggest: which words, if they were fillers, would settle most of what was left for review.

For a person to accept into ``parsers/lexicon``; nothing is ever added by itself, and a word that carries a time, a
refusal or a condition must not become a filler however many rows it would settle.
"""

from collections import defaultdict
from dataclasses import dataclass

import duckdb

from parsers import Disposition, Policy, Reason, decide, without_unknown
from pipeline.errors import RunError
from pipeline.masking import mask
from pipeline.reviewed import RULE
from pipeline.visible import visible

_WAITING = """
SELECT d.raw, t."rows" - t.already_set AS waiting
FROM decisions d JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw
WHERE d.disposition = $review AND d.rule <> $reviewed AND d.reason = $unexplained AND t."rows" > t.already_set
ORDER BY waiting DESC, d.raw
"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One word, what settling it would bring, and the most frequent text it stands in (masked)."""

    word: str
    rows: int
    texts: int
    example: str


def suggest(workbench: duckdb.DuckDBPyConnection, policy: Policy) -> list[Suggestion]:
    """The words that alone keep texts from being decided, those that would settle most rows first.

    Raises:
        RunError: the workbench lacks a table or cannot be read.
    """
    names = {"review": Disposition.REVIEW.value, "unexplained": Reason.UNEXPLAINED_TEXT.value, "reviewed": RULE}
    try:
        waiting = workbench.execute(_WAITING, names).fetchall()
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench cannot be read ({type(error).__name__}). Name the folder of a finished run."
        ) from error
    settled: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for raw, rows in waiting:
        found = without_unknown(raw)
        if found is not None and decide(found[1], policy).disposition is Disposition.AUTO:
            settled[found[0]].append((rows, raw))
    suggestions = [
        Suggestion(visible(mask(word)), sum(rows for rows, _ in lines), len(lines), visible(mask(lines[0][1]), 40))
        for word, lines in settled.items()
    ]
    return sorted(suggestions, key=lambda suggestion: (-suggestion.rows, suggestion.word))
