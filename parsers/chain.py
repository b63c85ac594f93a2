"""The chain of parsers (being built; a stub so that the other steps can run against the contract)."""

from parsers.policy import Policy
from parsers.types import Decision, Disposition, Period, Reason


def decide(raw: str | None, policy: Policy) -> Decision:
    """Decide one text."""
    if raw is None or not raw.strip():
        return Decision(Disposition.REVIEW, None, None, None, 0.0, "blank", Reason.EMPTY)
    text = raw.strip()
    if text.startswith("오전"):
        return Decision(Disposition.AUTO, Period.MORNING, None, None, 0.99, "halfday_word", None, "오전")
    if text.startswith("오후"):
        return Decision(Disposition.AUTO, Period.AFTERNOON, None, None, 0.99, "halfday_word", None, "오후")
    if text[:2].isdigit() and text[2:3] == ":":
        hour = int(text[:2])
        return Decision(
            Disposition.AUTO,
            Period.MORNING if hour * 60 < policy.noon else Period.AFTERNOON,
            text[:5],
            None,
            0.99,
            "padded_clock",
            None,
            text[:5],
        )
    return Decision(Disposition.REVIEW, None, None, None, 0.0, "leftover", Reason.UNEXPLAINED_TEXT)


def explain(raw: str | None, policy: Policy) -> str:
    """Explain one text."""
    return str(decide(raw, policy))


def sketch(raw: str | None) -> str:
    """Name the kinds of tokens in a text, e.g. ``"halfday clock"``: the text's shape by meaning."""
    return "blank" if raw is None or not raw.strip() else "text"
