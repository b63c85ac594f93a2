"""A text's shape by its characters, as data-profiling tools draw it: ``"오전 9시 가"`` for ``"오전 10시 부탁드려요"``.

What tells formats apart is kept (digits one by one, punctuation, half-day words, the units behind a number); what is
only wording is generalised to one sign per run. The legend:

====== =====================================================================================
9      one digit; ``9{8}`` a run of eight; full-width digits draw as ``９``, other scripts' as ``#``
a A Aa a Latin word in lower case, in capitals, mixed
가 ㄱ  a Hangul word; loose or decomposed jamo
あ 漢  kana; Han characters
文     letters of any other script
☺      emoji and pictures
␣      a space that is not U+0020, or any space at either end
∅      characters that cannot be seen (controls, zero-width, direction marks)
…      the text or its pattern goes on
====== =====================================================================================
"""

import regex

NULL_PATTERN = "(null)"
EMPTY_PATTERN = "(empty)"
MAX_PATTERN = 48
"""Longest pattern, in characters."""
_READ = 200
_COUNTED_RUN = 4

_TOKEN = regex.compile(
    r"""
    (?P<kept>오전|오후|午前|午後|上午|下午|(?<!\p{Latin})(?:(?i:[ap]m)|[TZ])(?!\p{Latin}))
  | (?<=\p{Nd})(?P<unit>시간|시|분|時間|時|时|点|點|分|半)
  | (?P<digits>[0-9]+)
  | (?P<wide>[０-９]+)
  | (?P<numbers>\p{Nd}+)
  | (?P<latin>\p{Latin}+)
  | (?P<jamo>[\u1100-\u115e\u1161-\u11ff\u3131-\u3163\u3165-\u318e\ua960-\ua97c\ud7b0-\ud7fb]+)
  | (?P<hangul>(?:(?!오전|오후)[가-힣])+)
  | (?P<kana>[\p{Hiragana}\p{Katakana}ー]+)
  | (?P<han>(?:(?!午前|午後|上午|下午)\p{Han})+)
  | (?P<edge>\A\ +|\ +\Z)
  | (?P<space>\ +)
  | (?P<odd_space>[\p{Z}\t\n\r\v\f]+)
  | (?P<unseen>[\p{C}\u115f\u1160\u2800\u3164\uffa0]+)
  | (?P<picture>(?:[\p{So}\p{Sk}--\^`][\p{M}\u200d]*)+)
  | (?P<letters>[\p{L}\p{N}\p{M}]+)
  | (?P<sign>.)(?P=sign)*
    """,
    regex.VERBOSE | regex.DOTALL | regex.VERSION1,
)
_SIGN_OF = {
    "jamo": "ㄱ",
    "hangul": "가",
    "kana": "あ",
    "han": "漢",
    "edge": "␣",
    "space": " ",
    "odd_space": "␣",
    "unseen": "∅",
    "picture": "☺",
    "letters": "文",
}
_DIGIT_OF = {"digits": "9", "wide": "９", "numbers": "#"}


def pattern(raw: str | None) -> str:
    """Draw the shape of ``raw`` in at most ``MAX_PATTERN`` characters; total, and cheap for texts of any length.

    >>> [pattern(text) for text in ("09:30", "오후 3시 반", "3:00 PM", "20251030T060000Z", None)]
    ['99:99', '오후 9시 가', '9:99 PM', '9{8}T9{6}Z', '(null)']
    """
    if raw is None:
        return NULL_PATTERN
    if not raw:
        return EMPTY_PATTERN
    drawn = "".join(_sign(match) for match in _TOKEN.finditer(raw[:_READ]))
    if len(raw) <= _READ and len(drawn) <= MAX_PATTERN:
        return drawn
    return drawn[: MAX_PATTERN - 1] + "…"


def _sign(match: regex.Match[str]) -> str:
    kind: str = match.lastgroup
    seen: str = match[0]
    if kind in _DIGIT_OF:
        digit = _DIGIT_OF[kind]
        return digit * len(seen) if len(seen) <= _COUNTED_RUN else f"{digit}{{{len(seen)}}}"
    if kind == "latin":
        return "a" if seen.islower() else "A" if seen.isupper() else "Aa"
    if kind == "sign":
        return seen[0]
    return _SIGN_OF.get(kind, seen)
