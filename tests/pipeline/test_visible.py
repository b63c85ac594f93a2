import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.visible import is_unseen, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("오후 3시", "오후 3시"),
        ("", ""),
        (" 3시  ", "␣3시␣␣"),
        ("  ", "␣␣"),
        ("a  b", "a  b"),
        ("\x1b]0;title\x07", "⟨U+001B⟩]0;title⟨U+0007⟩"),
        ("\u202e시3", "⟨U+202E⟩시3"),
        ("a\u200bb\u2066c\ufeff", "a⟨U+200B⟩b⟨U+2066⟩c⟨U+FEFF⟩"),
        ("오전\u00a09시", "오전⟨U+00A0⟩9시"),
        ("\u3164", "⟨U+3164⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("e\u0301\u0301\u0301", "e\u0301\u0301⟨U+0301⟩"),
        ("[bold]", "[bold]"),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 80, "x" * 80),
    ],
)
def test_spells_out_what_cannot_be_seen(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()), st.integers(min_value=1, max_value=200))
def test_nothing_unseen_is_left_and_the_limit_holds(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert not any(is_unseen(char) for char in shown)
    shown.encode()


def test_every_control_character_is_unseen() -> None:
    controls = [chr(code) for code in range(sys.maxunicode + 1) if not chr(code).isprintable()]
    assert all(is_unseen(char) for char in controls)
