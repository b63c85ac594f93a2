"""Deciding with what people said: their word about exactly this raw text goes before every parser."""

from dataclasses import replace

import parsers
from parsers.types import Decision, Disposition, Period, Reason
from pipeline.answers import Standing, Verdict

RULE = "reviewed"
"""The rule of a decision made by people. A REVIEW by it is settled (no half of the day) and waits for nobody."""
DISPUTED = 0.5
"""The most confidence a decision may have about which reviewers differ."""


def decide(raw: str | None, policy: parsers.Policy, words: Standing) -> Decision:
    """Decide a text: by the reviewers where they agree, else by the parsers; where reviewers differ it is for people.

    A NULL has no half of the day, whatever anybody says.
    """
    settled = words.settled.get(raw)
    if settled is None and raw not in words.conflicts:
        return parsers.decide(raw, policy)
    if settled and raw is not None and settled.verdict is not Verdict.NEITHER:
        return Decision(Disposition.AUTO, Period(settled.verdict), None, None, 1.0, RULE, None)
    said = parsers.decide(raw, policy)
    reason = said.reason or Reason.LOW_CONFIDENCE
    if settled and settled.verdict is Verdict.NEITHER:
        return Decision(Disposition.REVIEW, None, None, None, 1.0, RULE, reason)
    return replace(said, disposition=Disposition.REVIEW, confidence=min(said.confidence, DISPUTED), reason=reason)
