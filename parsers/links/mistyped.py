"""Half-day words within one slip of the keyboard (오휴, moring): never AUTO, but a suggestion."""

import unicodedata
from functools import cache

from parsers.lexicon import lexicon
from parsers.policy import Policy
from parsers.sentence import Sentence
from parsers.types import Period, Reason
from parsers.verdict import Verdict, review

_PERIODS = {"half_morning": Period.MORNING, "half_afternoon": Period.AFTERNOON, "half_evening": Period.AFTERNOON}
_SHORTEST = 4  # letters or jamo; below that everything is within one slip of something


@cache
def _targets() -> dict[str, tuple[tuple[str, Period], ...]]:
    """Half-day words in letters and jamo, by their first and by their last of them: one slip leaves one in place."""
    targets: dict[str, tuple[tuple[str, Period], ...]] = {}
    for word, kind in lexicon().words.items():
        letters = unicodedata.normalize("NFD", word)
        if kind not in _PERIODS or len(letters) < _SHORTEST or not _alphabetic(letters):
            continue
        for edge in (letters[0], letters[-1] + "$"):
            targets[edge] = (*targets.get(edge, ()), (letters, _PERIODS[kind]))
    return targets


def _alphabetic(word: str) -> bool:
    return all("a" <= char <= "z" or "\u1100" <= char <= "\u11ff" for char in word)


def parse(sentence: Sentence, policy: Policy) -> Verdict | None:
    """Claim a text whose unknown piece is a half-day word with one letter added, lost, swapped or changed."""
    del policy
    if "?" not in sentence.symbols:
        return None
    found = {period for run in _unknown_runs(sentence) for period in _slips(run)}
    if len(found) != 1:
        return None
    return review("mistyped_word", Reason.UNEXPLAINED_TEXT, found.pop())


def _unknown_runs(sentence: Sentence) -> list[str]:
    """Words of the text that hold something unknown, whole: a slip often leaves half of a word known."""
    spans = [(item.token.start, item.token.end) for item in sentence.items if item.symbol == "?"]
    words = []
    place = 0
    for word in sentence.text.split(" "):
        end = place + len(word)
        if any(start < end and stop > place for start, stop in spans):
            words.append("".join(char for char in word if char.isalpha()))
        place = end + 1
    return words


def _slips(word: str) -> set[Period]:
    letters = unicodedata.normalize("NFD", word)
    if not _SHORTEST - 1 <= len(letters) <= 16:
        return set()
    # A particle may hang on behind (오휴에): compare the front of the word too.
    fronts = {letters, *(unicodedata.normalize("NFD", word[:size]) for size in (2, 3) if len(word) > size)}
    return {
        period
        for front in fronts
        for edge in (front[0], front[-1] + "$")
        for target, period in _targets().get(edge, ())
        if abs(len(front) - len(target)) <= 1 and _one_slip(front, target)
    }


def _one_slip(word: str, target: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns one into the other."""
    if word == target or abs(len(word) - len(target)) > 1:
        return False
    place = 0
    while place < min(len(word), len(target)) and word[place] == target[place]:
        place += 1
    if len(word) == len(target):
        swapped = word[place : place + 2] == target[place : place + 2][::-1]
        return word[place + 1 :] == target[place + 1 :] or (swapped and word[place + 2 :] == target[place + 2 :])
    longer, shorter = (word, target) if len(word) > len(target) else (target, word)
    return longer[place + 1 :] == shorter[place:]
