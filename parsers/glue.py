"""Small words that may be parts of larger ones: they count only where they can stand.

The lexer takes the longest word it knows at each place, so an unknown word (어제, 면도, 전문의, 正在) may fall apart
into particles and fillers and vanish. Here every small token is asked whether it can stand where it is; one that cannot
becomes ``unknown``, and the text goes to a person.
"""

from parsers.lexer import Token

_CLOCKS = {"clock", "clock_minutes"}
_LIST_KINDS = {"or", "and"}
_SUFFIXES = {"from_suffix", "until_suffix", "after_suffix", "before_suffix", "within", "between_suffix"}
# Besides half-day words these are what may be part of a larger word.
_ASKED = {"particle", "weekday_short", "filler", "approximate", "negation"} | _CLOCKS | _LIST_KINDS | _SUFFIXES
# "It is", in the endings that people type.
_COPULAS = {"이요", "이에요", "이예요", "에요", "예요", "입니다", "입니당", "이여", "이용", "인데요", "임", "요"}
# What digits become, what 약 stands in front of, what 쯤 stands behind, what may hang on a one-letter mark.
_DIGITS = {"number", "dotted"} | _CLOCKS
_ABOUT = {"number", "duration", "lone_minutes"} | _CLOCKS
_TIMELY = {"number", "particle", "before_suffix"} | _CLOCKS
_BEHIND_MARKS = {"particle", "number", "approximate"} | _CLOCKS | _SUFFIXES | _LIST_KINDS
_TALK = {"filler", "no_preference", "both", "unknown", "at", "negation"}
_FINE = ("가능", "괜찮", "좋", "되", "돼", "됩", "ok")
_HEADS = {"인", "님", "位", "타임"}
_MOST_PARTICLES = 2
# What may follow a bare am or pm that is no part of a clock; "am available" and "pm me" are English, not halves.
_AFTER_MERIDIEM = {
    "please", "pls", "plz", "thanks", "thank you", "thank you very much", "thx", "ty", "time", "only", "preferred",
    "preferably", "ok", "okay", "works", "is fine", "is good", "is best", "is ok", "is okay", "if possible", "slot",
    "slots", "appointment", "session", "visit", "on", "works for me", "works best", "would be great", "would be good",
    "best", "better", "period", "part", "fine", "good",
}  # fmt: skip
# "(I) am fine" has nothing to do with the morning.
_AFTER_I_AM = {"ok", "okay", "fine", "good"}


def stand_alone(text: str, tokens: list[Token]) -> list[Token]:
    """Turn every token that cannot stand where it does into ``unknown``."""
    out: list[Token] = []
    for place, token in enumerate(tokens):
        kind = token.kind
        if kind in _ASKED or kind.startswith("half_"):
            before = out[-1] if out else None
            after = tokens[place + 1] if place + 1 < len(tokens) else None
            if _counts_heads(text, token, before) or not _stands(text, token, before, after, out):
                out.append(token._replace(kind="unknown"))
                continue
            if kind == "particle" and _says_also(text, token, before, after):
                out.append(token._replace(kind="both"))
                continue
        out.append(token)
    return out


def _stands(  # noqa: PLR0911 - one line a kind
    text: str, token: Token, before: Token | None, after: Token | None, earlier: list[Token]
) -> bool:
    kind = token.kind
    if kind in _CLOCKS:
        return _clock_stands(text, token, before)
    if kind.startswith("half_"):
        return _half_stands(text, token, before, after)
    if kind == "particle":
        return _particle_stands(text, token, before, after, earlier)
    if kind == "weekday_short":
        return _weekday_stands(text, token, earlier)
    if token.end - token.start > 1:
        return True
    if kind == "filler":
        return _small_filler_stands(text, token, before, after)
    if kind == "approximate":
        return _small_approximation_stands(text, token, before, after)
    if kind == "negation" and not _hangul(text[token.start]):
        return not (_glued(before, token) and before is not None and before.kind == "unknown")  # 除去 is a treatment
    if kind in _SUFFIXES or kind in _LIST_KINDS:
        return before is not None and _ends_its_word(text, token, after)
    return True


def _counts_heads(text: str, token: Token, before: Token | None) -> bool:
    """Whether digits in front count people or slots and are no hours: 2인, 2位, 2타임."""
    return (
        before is not None
        and before.kind == "number"
        and text[token.start : token.end] in _HEADS
        and _glued(before, token)
    )


def _hangul(char: str) -> bool:
    return "가" <= char <= "힣"


def _glued(first: Token | None, second: Token | None) -> bool:
    """Whether nothing stands between two tokens and neither is a sign."""
    if first is None or second is None or first.end != second.start:
        return False
    return first.kind != "sign" and second.kind != "sign"


def _particle_stands(text: str, token: Token, before: Token | None, after: Token | None, earlier: list[Token]) -> bool:
    """Behind a word it belongs to, at most two in a row; or by itself between spaces."""
    if not _hangul(text[token.start]):
        return before is not None
    if not _glued(before, token):
        return not _glued(token, after)
    row = earlier[-_MOST_PARTICLES:]
    too_many = len(row) == _MOST_PARTICLES and all(other.kind == "particle" for other in row)
    return before is not None and before.kind != "unknown" and not too_many


def _says_also(text: str, token: Token, before: Token | None, after: Token | None) -> bool:
    """Whether a half of the day is said to be fine too (오후도 괜찮아요), as if the other were anyway."""
    if text[token.start : token.end] not in ("도", "에도") or before is None or not before.kind.startswith("half_"):
        return False
    return after is not None and after.kind == "filler" and text.startswith(_FINE, after.start)


def _small_filler_stands(text: str, token: Token, before: Token | None, after: Token | None) -> bool:
    """네, 음 only as whole words; of 我, 来 no two side by side; ㅎ, ㅠ as often as people laugh and cry."""
    if "\u1100" <= text[token.start] <= "\u11ff":
        return True
    if _hangul(text[token.start]):
        return not _glued(before, token) and not _glued(token, after)
    return not any(
        _glued(*pair) and other is not None and other.kind in ("filler", "approximate") and other.end - other.start == 1
        for pair, other in (((before, token), before), ((token, after), after))
    )


def _small_approximation_stands(text: str, token: Token, before: Token | None, after: Token | None) -> bool:
    """쯤, 경 behind a time; 약, 한 in front of one."""
    if not _hangul(text[token.start]):
        return _small_filler_stands(text, token, before, after)
    if text[token.start] == "한":  # 한 3시쯤: about three; 한두시, 한 명 are one
        return after is not None and after.kind in _CLOCKS and not (_glued(before, token) or _glued(token, after))
    if text[token.start] == "약":
        return after is not None and (after.kind in _ABOUT or after.kind.startswith("half_"))
    if text[token.start] in "경께" and not _behind_a_time(before, token):
        return False
    timely = before is not None and (before.kind in _TIMELY or before.kind.startswith(("half_", "instant_")))
    return timely and _ends_its_word(text, token, after)


def _behind_a_time(before: Token | None, token: Token) -> bool:
    if before is None:
        return False
    return before.kind in _CLOCKS or (_glued(before, token) and before.kind.startswith("half_"))


def _ends_its_word(text: str, token: Token, after: Token | None) -> bool:
    """Whether a one-letter mark (전, 후, 前, 나) is not the start of a longer word."""
    if after is None or not _glued(token, after):
        return True
    if after.kind in _BEHIND_MARKS:
        return True
    if after.kind.startswith("half_") or text[after.start : after.end] in _COPULAS:
        return True
    return not _hangul(text[token.start]) and after.end - after.start > 1 and after.kind != "unknown"


def _weekday_stands(text: str, token: Token, earlier: list[Token]) -> bool:
    """화 by itself, never inside a word; 일, which is work too, only at the start or beside a date or weekday."""
    around = text[token.start - 1 : token.start] + text[token.end : token.end + 1]
    if any(char.isalnum() for char in around):
        return False
    if text[token.start] != "일":
        return True
    spoken = {other.kind for other in earlier if other.kind != "sign"}
    return not spoken or bool(spoken & {"date", "weekday_short"}) or earlier[-1].kind in ("dotted", "number")


def _clock_stands(text: str, token: Token, before: Token | None) -> bool:
    """A clock of number words does not start inside a word (가십시요), and 一点 among other words is "a little"."""
    if text[token.start].isdigit() or text[token.start].isascii():
        return True
    if _glued(before, token) and before is not None and before.kind in ("filler", "particle", "unknown"):
        return False
    alone = before is None or not before.kind.startswith("half_")
    word = text[token.start : token.end]
    return not (alone and word in ("一点", "一點", "一时", "一時") and word != text)


def _half_stands(text: str, token: Token, before: Token | None, after: Token | None) -> bool:
    """早 only in front of a clock; am and pm not as English words."""
    word = text[token.start : token.end]
    if word == "早":
        return after is not None and after.kind in _CLOCKS
    if word not in ("am", "pm") or after is None or after.kind not in _TALK:
        return True
    if before is not None and before.kind in _DIGITS:
        return True
    following = text[after.start : after.end]
    if word == "am" and before is None and following in _AFTER_I_AM:
        return False
    return not following.isascii() or following in _AFTER_MERIDIEM
