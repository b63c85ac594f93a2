"""What reviewers may write for a decision: the words of the drop-down, their English names, and letters."""

import unicodedata

from pipeline.answers import Verdict

ALLOWED = "오전, 오후 or 둘 다 아님 (also MORNING, AFTERNOON, NEITHER; am, pm; M, A, N)"

_WORDS = {
    Verdict.MORNING: ("오전", "morning", "am", "a.m.", "m"),
    Verdict.AFTERNOON: ("오후", "afternoon", "pm", "p.m.", "a"),
    Verdict.NEITHER: ("둘다아님", "neither", "n"),
}
_VERDICTS = {word: verdict for verdict, words in _WORDS.items() for word in words}
IN_KOREAN = {Verdict.MORNING: "오전", Verdict.AFTERNOON: "오후", Verdict.NEITHER: "둘 다 아님"}


def verdict_of(word: str) -> Verdict | None:
    """Read a decision; None for a word that is none.

    >>> verdict_of("오전"), verdict_of(" Pm "), verdict_of("둘다 아님"), verdict_of("a"), verdict_of("모름")
    (<Verdict.MORNING: 'MORNING'>, <Verdict.AFTERNOON: 'AFTERNOON'>, <Verdict.NEITHER: 'NEITHER'>, \
<Verdict.AFTERNOON: 'AFTERNOON'>, None)
    """
    return _VERDICTS.get("".join(unicodedata.normalize("NFKC", word).casefold().split()))
