"""The half-day words within one slip are found by a table; here by trying every slip out."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from parsers.lexicon import lexicon
from parsers.links.mistyped import _alphabetic, _within_one_slip

HALVES = {"half_morning", "half_afternoon", "half_evening"}
WORDS = {unicodedata.normalize("NFD", word) for word, kind in lexicon().words.items() if kind in HALVES}
TARGETS = sorted(word for word in WORDS if len(word) >= 4 and _alphabetic(word))
LETTERS = sorted({letter for word in TARGETS for letter in word})


def one_slip_apart(word: str, other: str) -> bool:
    """Whether a letter added, lost, changed or swapped with its neighbour makes one word of the other."""
    if abs(len(word) - len(other)) == 1:
        longer, shorter = sorted((word, other), key=len, reverse=True)
        return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
    differing = [place for place, pair in enumerate(zip(word, other, strict=False)) if pair[0] != pair[1]]
    if len(word) != len(other) or len(differing) > 2:
        return False
    if len(differing) == 2:
        first, last = differing
        return last == first + 1 and word[first : last + 1] == other[first : last + 1][::-1]
    return len(differing) == 1


@st.composite
def slipped(draw: st.DrawFn) -> str:
    """A half-day word after a few slips."""
    letters = list(draw(st.sampled_from(TARGETS)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(letters) - 1))
        way = draw(st.integers(0, 3))
        if way == 0:
            letters.insert(place, draw(st.sampled_from(LETTERS)))
        elif way == 1 and len(letters) > 2:
            del letters[place]
        elif way == 2:
            letters[place] = draw(st.sampled_from(LETTERS))
        else:
            letters[place : place + 2] = letters[place : place + 2][::-1]
    return "".join(letters)


@given(slipped())
def test_the_table_finds_exactly_the_words_one_slip_away(word: str):
    found = {target for target, _ in _within_one_slip(word) if target != word}
    assert found == {target for target in TARGETS if one_slip_apart(word, target)}
