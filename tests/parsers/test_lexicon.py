"""The lexicon refuses entries that would make it lie."""

import pytest

from parsers.lexicon import Lexicon, _add, lexicon


def test_an_entry_that_vanishes_is_refused():
    with pytest.raises(ValueError, match="empty after clean-up"):
        _add(Lexicon(), "…!", "filler")


def test_an_entry_with_two_kinds_is_refused():
    words = Lexicon()
    _add(words, "오전 중", "half_morning")
    with pytest.raises(ValueError, match="both half_morning and filler"):
        _add(words, "오전중", "filler")


def test_every_language_is_found_by_its_file():
    words = lexicon().words
    assert {words[word] for word in ("오전", "morning", "午前", "上午")} == {"half_morning"}
