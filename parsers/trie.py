"""Words as one regular expression: a trie, so that no word is tried whose beginning does not stand there."""

import re
from collections.abc import Iterable
from math import isqrt


class _Node:
    """A place in the trie: what may follow, whether a space may stand before it, whether a word ends here."""

    __slots__ = ("ends", "following", "spaced")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.spaced = self.ends = False

    def pattern(self) -> str:
        branches = [self.branch(char) for char in sorted(self.following)]
        if not branches:
            return ""
        body = branches[0] if len(branches) == 1 and not self.ends else f"(?:{'|'.join(branches)})"
        return body + "?" if self.ends else body

    def branch(self, char: str) -> str:
        child = self.following[char]
        return (" ?" if child.spaced else "") + re.escape(char) + child.pattern()


def longest_of(words: Iterable[str]) -> str:
    """Regular expression for the longest of ``words``; a space that one has is optional for all that share it.

    >>> longest_of(["half past", "halftime", "hour"])
    '(?:(?=[h])(?:h(?:alf(?: ?past|time)|our)))'
    """
    root = _Node()
    for word in words:
        node, spaced = root, False
        for char in word:
            if char == " ":
                spaced = True
                continue
            node = node.following.setdefault(char, _Node())
            node.spaced |= spaced
            spaced = False
        node.ends = True
    return f"(?:{_shelves(root)})"


def _shelves(root: _Node) -> str:
    """A root with hundreds of branches: shelves of them, so that a shelf is passed over at once."""
    chars = sorted(root.following)
    size = isqrt(len(chars)) if len(chars) > 64 else len(chars) or 1
    shelves = [chars[place : place + size] for place in range(0, len(chars), size)]
    return "|".join(led_by(re.escape("".join(shelf)), "|".join(map(root.branch, shelf))) for shelf in shelves)


def led_by(chars: str, shape: str) -> str:
    """A shape that starts with one of a class of characters: passed over at once where none of them stands."""
    return f"(?=[{chars}])(?:{shape})"


def firsts(words: Iterable[str]) -> str:
    """The class of characters that ``words`` start with."""
    return re.escape("".join(sorted({word[0] for word in words})))
