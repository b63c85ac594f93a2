"""What was read in one text, in words for a reviewer."""

from typing import Any

import parsers
from parsers import Policy, Reason
from parsers.chain import Explanation

# The kinds of tokens a reviewer can tell apart; every other known word is just that.
_PREFIXES = {
    "unknown": "unknown",
    "clock": "clock",
    "iso": "clock",
    "dotted": "number",
    "half_": "half",
    "instant": "half",
    "date": "date",
    "weekday": "date",
    "number": "number",
    "filler": "filler",
}


def pieces_of(raw: str | None, policy: Policy) -> dict[str, Any]:
    """Read a text again and tell its pieces, the times each may mean, and the part that was used.

    ``pieces`` is a list of kind and text, ``readings`` one of text and either ``times`` or the ``reason`` of having
    none; a time is ``HH:MM`` or ``HH:MM~HH:MM``.

    >>> told = pieces_of("오휴 3시", Policy())
    >>> [(piece["kind"], piece["text"]) for piece in told["pieces"]], told["readings"]
    ([('unknown', '오휴'), ('clock', '3시')], [{'text': '3시', 'times': ['03:00', '15:00'], 'reason': None}])
    """
    explanation = parsers.explain(raw, policy)
    return {
        "pieces": [{"kind": _kind(kind, text), "text": text} for kind, text in _joined(explanation)],
        "readings": [_reading(text, found) for text, found in explanation.weighed],
    }


def _joined(explanation: Explanation) -> list[tuple[str, str]]:
    """Its pieces; letters that nothing explains stand one by one, and are read together."""
    joined: list[tuple[str, str]] = []
    for kind, text in explanation.tokens:
        if joined and kind == joined[-1][0] == "unknown" and joined[-1][1] + text in explanation.text:
            joined[-1] = kind, joined[-1][1] + text
        else:
            joined.append((kind, text))
    return joined


def _kind(token: str, text: str) -> str:
    if not any(char.isalnum() for char in text):
        return "sign"
    return next((kind for prefix, kind in _PREFIXES.items() if token.startswith(prefix)), "word")


def _reading(text: str, found: str) -> dict[str, Any]:
    if found.startswith("none: "):
        return {"text": text, "times": [], "reason": Reason(found.removeprefix("none: "))}
    return {"text": text, "times": found.replace(" to ", "~").split(" or "), "reason": None}
