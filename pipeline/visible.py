"""Showing any text safely: what cannot be seen, moves the cursor or turns the reading direction is spelled out.

Every place that shows a patient's text to a person goes through here; escaping for HTML or a terminal's own markup
comes on top, where it is printed.
"""

import unicodedata

# Blank on the page though Unicode does not call them spaces or format characters.
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Control, format (zero-width, direction), surrogate, private, unassigned, and every separator but the plain space.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_COMBINING = frozenset({"Mn", "Me"})
# Stacked accents climb out of their line; no orthography of the clinic's languages needs more than two.
_MAX_STACKED = 2


def visible(text: str, limit: int = 80) -> str:
    r"""Spell out what the eye cannot see in ``text`` and cut the outcome to ``limit`` characters.

    >>> visible("오후\u202e 3시\x1b[31m ")
    '오후⟨U+202E⟩ 3시⟨U+001B⟩[31m␣'
    """
    shown: list[str] = []
    length = 0
    stacked = 0
    ends = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    for place, char in enumerate(text):
        stacked = stacked + 1 if unicodedata.category(char) in _COMBINING else 0
        at_end = char == " " and not ends[0] <= place < ends[1]
        piece = "␣" if at_end else f"⟨U+{ord(char):04X}⟩" if stacked > _MAX_STACKED or is_unseen(char) else char
        shown.append(piece)
        length += len(piece)
        if length > limit:
            return "".join(shown)[: limit - 1] + "…"
    return "".join(shown)


def is_unseen(char: str) -> bool:
    """Tell whether one character leaves nothing of its own on the page (the plain space apart)."""
    return char != " " and (char in _BLANK_LETTERS or unicodedata.category(char) in _UNSEEN)
