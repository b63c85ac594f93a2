"""What formatters print, read by the chain: never wrong, rarely silent."""

import json
from collections import Counter

from fixtures.formatters import Formatted, formatted
from parsers import Decision, Disposition, Policy, decide


def disagreement(text: Formatted, decision: Decision) -> str | None:
    if decision.disposition == Disposition.AUTO:
        if not text.auto or decision.period != text.period:
            return "wrong"
        return None if decision.start == text.start else "start"
    if text.auto:
        return "missed"
    if decision.reason in text.reasons:
        return None if text.period in (None, decision.period) else "suggestion"
    return "reason"


def test_what_formatters_print_is_never_decided_wrong_and_rarely_missed():
    policy = Policy()
    counts: Counter[str] = Counter()
    for text in formatted():
        kind = disagreement(text, decide(text.text, policy))
        counts.update(["texts", "auto"] if text.auto else ["texts"])
        if kind:
            counts[kind] += 1
            print(json.dumps([kind, text.text, text.formatter], ensure_ascii=False))  # noqa: T201 - shown when it fails
    print(dict(counts))  # noqa: T201
    assert counts["wrong"] == 0
    assert counts["start"] == 0
    assert counts["missed"] <= counts["auto"] / 100
    assert counts["reason"] + counts["suggestion"] <= (counts["texts"] - counts["auto"]) / 100
