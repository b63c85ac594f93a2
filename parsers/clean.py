r"""Clean-up before parsing (policy, *Clean-up before parsing*): spelling differences go, meaning stays.

The raw text is never changed; what comes out is only what the lexer reads. Signs that carry meaning (``: . , / - ~``)
stay; what the policy calls unexplained inside a text (``% + = & < > \``) stays too, for the lexer to refuse. At the
ends these drop, but where they bound a time: a plus behind the text (10am+) is the dangling mark it stands for, a lone
``<`` or ``>`` in front (>10am) stays. Signs that make a number no time ($15.30, #1030, 3시 50%) stay as well.
"""

import re
import unicodedata

_TILDES = "~〜～∼∽〰⁓˷∾"
_MINUS_SIGNS = "−⁃➖"
_COMMAS = "、，､،"
_FULL_STOPS = "。｡．"
_COLONS = "︰ː∶꞉："
_APOSTROPHES = "'’‘ʼ´＇"
# Kept as they are: structure, or signs that only drop at the ends.
_KEPT = set(":.,/-~?%+=&<>\\@;#")
# Not a letter or a number, yet never dropped silently: they stand for text that was lost.
_DAMAGE = "�⁄"
# Signs that turn or bound what stands beside them; the policy is silent on them, so a person decides.
_TELLING = set("×✕✖✗✘❌❎🚫⛔🙅👎☐≠¬±∓≥≤↑↓⬆⬇⇧⇩") | {"\u20e0"}

_SPACES = re.compile(r" +")
# Signs that are read over at either end; a mark (- ~) is not among them.
_CONTROLS = "".join(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)))
_RIGHT_END = " .,?;:%+=&<>\\/@'" + _CONTROLS
_RIGHT_END_OF_A_SHARE = _RIGHT_END.replace("%", "")
# Digits in circles, in brackets, with a full stop: the number of a list, no part of the digits behind it.
_LISTED = re.compile(r"(?<=[\u2460-\u249b\u24f5-\u24fe\u2776-\u2793])(?=\d)")
_AND_UP = re.compile(r"(?<=\w) ?\++(?=[ .,?]*$)")
# A share of something behind other words (3시 50%), a number by its sign (#1030): no minutes, no clock.
_SHARE = re.compile(r"(?<=\w )\d{1,3} ?%")
_HASH = re.compile(r"#(?! ?\d+(?:[ ,]|$))")
_THAN = re.compile(r" ?[<>]=? ?(?=\w)[^<>]*$")
_LEFT_END = " .,:;%+=&<>\\/@'" + _CONTROLS  # a question mark in front may be what is left of a lost letter


def _fold(char: str) -> str:  # noqa: C901, PLR0911 - one line per class of characters reads best
    category = unicodedata.category(char)
    if char in _TILDES:
        return "~"
    if char in _MINUS_SIGNS or category == "Pd":
        return "-"
    if char in _COMMAS:
        return ","
    if char in _FULL_STOPS:
        return "."
    if char in _COLONS:
        return ":"
    if char in _APOSTROPHES:
        return "'"
    if char in _KEPT or char in _DAMAGE or char in _TELLING:
        return char
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85":
        return " "
    if category in ("Cc", "Sc"):
        return char  # inside a text a control character stands for what was lost, beside a currency's sign is a price
    if category in ("Cf", "Me") or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return ""
    if category[0] in "PS":
        return " "
    return char


class _Folding(dict[int, str]):
    """``str.translate`` table that works out each character once."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold(chr(code))
        return folded


_FOLDING = _Folding()


def clean(raw: str) -> str:
    r"""Return the text as the lexer reads it.

    >>> clean("\u1109\u1175 (３:００\u202fPM)!!")
    '시 3:00 pm'
    >>> clean("  10시〜12시\n")
    '10시~12시'
    >>> clean("＜10%＞")
    '10'
    """
    if not raw.isascii():
        raw = _LISTED.sub(" ", raw)
        raw = unicodedata.normalize("NFKC", raw.replace("˜", "~"))  # NFKC would make a combining mark of it
    text = raw.casefold().translate(_FOLDING)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)  # letters that an unseen character kept apart
    if "#" in text:
        text = _HASH.sub(" ", text)
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if "+" in text:
        text = _AND_UP.sub("~", text)
    lone = _THAN.match(text)
    text = text.rstrip(_RIGHT_END_OF_A_SHARE if "%" in text and _SHARE.search(text) else _RIGHT_END)
    return text if lone else text.lstrip(_LEFT_END)
