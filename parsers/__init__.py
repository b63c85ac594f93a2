"""Reading free-text appointment times: text and clinic settings in, a decision out.

Pure: no input or output, no database, no clock, no locale. ``decide`` is total and deterministic.
"""

from parsers.chain import decide, explain, sketch, without_unknown
from parsers.policy import Policy, Slot
from parsers.types import Decision, Disposition, Period, Reason

__all__ = [
    "Decision",
    "Disposition",
    "Period",
    "Policy",
    "Reason",
    "Slot",
    "decide",
    "explain",
    "sketch",
    "without_unknown",
]
