"""``ojeon parse --jsonl``: texts in, decisions out, one JSON value a line, in the same order."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TextIO

from parsers import Policy, decide
from pipeline.errors import UsageError

_REMEMBERED = 1 << 16
_LINES_A_WRITE = 1_000


def read_json_lines(lines: Iterable[bytes]) -> Iterator[str | None]:
    """The string or null of each line.

    Raises:
        UsageError: a line is not UTF-8, not JSON, or neither string nor null; the message names its number.
    """
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UsageError(f"Line {number} of stdin is not JSON in UTF-8; it must be a string or null.") from error
        except RecursionError:
            raise UsageError(f"Line {number} of stdin is nested too deeply; it must be a string or null.") from None
        if value is not None and not isinstance(value, str):
            raise UsageError(f'Line {number} of stdin is JSON but neither a string nor null. Quote it: "9:30".')
        yield value


def write_json_lines(texts: Iterable[str | None], policy: Policy, out: TextIO) -> None:
    """Write one JSON object for each text; what came before a wrong line is written before it is complained about."""
    remembered = lru_cache(_REMEMBERED)(lambda raw: _line(raw, policy))
    waiting: list[str] = []
    try:
        for raw in texts:
            waiting.append(remembered(raw))
            if len(waiting) >= _LINES_A_WRITE:
                out.write("".join(waiting))
                waiting.clear()
    finally:
        out.write("".join(waiting))
        out.flush()


def _line(raw: str | None, policy: Policy) -> str:
    decision = decide(raw, policy)
    told = {
        "raw": raw,
        "disposition": decision.disposition,
        "period": decision.period,
        "start": decision.start,
        "end": decision.end,
        "confidence": decision.confidence,
        "rule": decision.rule,
        "reason": decision.reason,
        "seen": decision.seen,
    }
    return json.dumps(told) + "\n"
