"""Half-day words within one slip of the keyboard (오휴, moring): never AUTO, but a suggestion."""

import unicodedata
from collections.abc import Iterator
from functools import cache

from parsers.lexicon import lexicon
from parsers.policy import Policy
from parsers.sentence import Sentence
from parsers.types import Period, Reason
from parsers.verdict import Verdict, review

_PERIODS = {"half_morning": Period.MORNING, "half_afternoon": Period.AFTERNOON, "half_evening": Period.AFTERNOON}
_SHORTEST = 4  # letters or jamo; below that everything is within one slip of something


@cache
def _slipped() -> dict[str, tuple[tuple[str, Period], ...]]:
    """Every way to write a half-day word with one slip, and the (word, period) it is of.

    Words are in letters and jamo; ``*`` stands for any one letter.
    """
    slipped: dict[str, tuple[tuple[str, Period], ...]] = {}
    for word, kind in lexicon().words.items():
        letters = unicodedata.normalize("NFD", word)
        if kind not in _PERIODS or len(letters) < _SHORTEST or not _alphabetic(letters):
            continue
        for way in _ways_to_slip(letters):
            slipped[way] = (*slipped.get(way, ()), (letters, _PERIODS[kind]))
    return slipped


def _ways_to_slip(word: str) -> set[str]:
    """A letter lost, swapped with the next, changed or added."""
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    lost = {front + back[1:] for front, back in splits if back}
    swapped = {front + back[1] + back[0] + back[2:] for front, back in splits if len(back) > 1}
    changed = {f"{front}*{back[1:]}" for front, back in splits if back}
    added = {f"{front}*{back}" for front, back in splits}
    return lost | swapped | changed | added


def _alphabetic(word: str) -> bool:
    return all("a" <= char <= "z" or "\u1100" <= char <= "\u11ff" for char in word)


def parse(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim a text whose unknown piece is a half-day word with one letter added, lost, swapped or changed."""
    del policy
    found = {period for run in _unknown_runs(sentence) for period in _slips(run)}
    if len(found) != 1:
        return None
    return review("mistyped_word", Reason.UNEXPLAINED_TEXT, found.pop())


def _unknown_runs(sentence: Sentence) -> list[str]:
    """Words of the text that hold something unknown, whole: a slip often leaves half of a word known."""
    text = sentence.text
    words: list[str] = []
    end = -1
    for item in sentence.items:
        if item.symbol == "?" and item.token.end > end:
            start = max(text.rfind(" ", 0, item.token.start), end) + 1
            end = text.find(" ", item.token.end)
            end = len(text) if end < 0 else end
            words += ["".join(filter(str.isalpha, word)) for word in text[start:end].split(" ")]
    return words


def _slips(word: str) -> set[Period]:
    letters = unicodedata.normalize("NFD", word)
    if not _SHORTEST - 1 <= len(letters) <= 16 or not (_alphabetic(letters[0]) or _alphabetic(letters[1])):
        return set()  # one slip leaves one of the first two letters a letter of ours
    fronts = {letters}
    if not word.isascii():  # a particle may hang on behind (오휴에): compare the front of the word too
        fronts |= {unicodedata.normalize("NFD", word[:size]) for size in (2, 3) if len(word) > size}
    return {period for front in fronts for target, period in _within_one_slip(front) if target != front}


def _within_one_slip(word: str) -> Iterator[tuple[str, Period]]:
    """The half-day words that one slip makes this one."""
    slipped = _slipped()
    yield from slipped.get(word, ())
    for place in range(len(word)):
        yield from slipped.get(f"{word[:place]}*{word[place + 1 :]}", ())
