"""From tokens to terms: a text as a short line of symbols that the parsers match shapes on.

Fillers and dates are read over here, half-day words are joined to their clocks, and each remaining token becomes one
symbol. A text's symbols are its shape: ``오후 2시~4시 부탁드려요`` is ``t~t``.

====== ==========================================   ====== =======================================
symbol meaning                                      symbol meaning
====== ==========================================   ====== =======================================
``t``  term: clock, half-day word, or both           ``X``  no preference (아무때나)
``n``  number that nothing makes a clock             ``P``  placeholder (미정)
``~``  tilde or dash                                 ``N``  negation or condition
``,``  comma or slash                                ``V``  vague word (첫 타임, 퇴근 후)
``|``  or; ``!`` or else (아니면)                     ``D``  duration; ``R`` relative time
``&``  and                                           ``e``  machine timestamp without a reading
``F f`` from: 부터, from                              ``U u`` until: 까지, until
``A a`` after: 이후, after                            ``B b`` before: 이전, before
``I``  within: 안에                                   ``o``  to; ``w W`` between: between, 사이
``?``  unknown                                       ``d``  a second day of which no time is said
====== ==========================================   ====== =======================================
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from parsers.clean import clean
from parsers.days import DATES, SMALL_TALK, said_of_days, speak_of_days
from parsers.glue import stand_alone
from parsers.lexer import Clock, Token, is_day, lex
from parsers.lexicon import lexicon
from parsers.zones import is_zoned, with_trailing_year, with_zones

MAX_LENGTH = 200

_SYMBOLS = {
    "no_preference": "X",
    "both": "X",
    "placeholder": "P",
    "negation": "N",
    "vague_morning": "V",
    "vague_afternoon": "V",
    "outing_morning": "V",
    "outing_afternoon": "V",
    "duration": "D",
    "lone_minutes": "D",
    "relative": "R",
    "epoch": "e",
    "or": "|",
    "or_else": "!",
    "and": "&",
    "from_suffix": "F",
    "from_prefix": "f",
    "until_suffix": "U",
    "until_prefix": "u",
    "after_suffix": "A",
    "after_prefix": "a",
    "before_suffix": "B",
    "before_prefix": "b",
    "within": "I",
    "between_suffix": "W",
    "between_prefix": "w",
    "to_infix": "o",
    "unknown": "?",
}
_SIGNS = {"-": "~", "~": "~", ",": ",", "/": ",", ";": ","}
_READ_OVER = {"approximate", "at"} | SMALL_TALK | DATES
UNSURE_MARK = "unsure_mark"
"""The token kind of a mark of which nobody can say whether it separates or means "until"."""
_SHORTEST_TIMESTAMP = len("20251030T1500")
_CLOCKS = {"clock", "clock_minutes"}
_DIGITS = {"number", "dotted"}
_LETTER_HALF = {"a": "half_morning", "p": "half_afternoon"}


class Term(NamedTuple):
    """One thing said about the time of day: a clock, half-day words, a named instant, or a clock with words.

    ``halves`` are the half-day token kinds joined to it; ``straddling`` marks 전후, which reaches to both sides. Where
    it stands is the item's to know: the same thing said twice is the same term.
    """

    clock: Clock | None
    halves: tuple[str, ...] = ()
    instant: str | None = None
    straddling: bool = False


@dataclass(slots=True)
class Item:
    """A symbol of the sentence with the token behind it, and the term where there is one.

    ``start`` and ``end`` are the part of the text it covers, half-day words that joined it included; ``half`` marks a
    half-day word that has joined no clock, ``latin`` one in Latin letters.
    """

    symbol: str
    term: Term | None
    token: Token
    start: int
    end: int
    half: bool = False
    latin: bool = False


class Sentence:
    """A raw text and all that is known of it before any decision.

    ``text`` is the cleaned text, ``tokens`` cover it, ``items`` are what is left when fillers and dates are read over
    and half-day words have joined their clocks, ``symbols`` is the items' shape. NULL and texts that are too long are
    not read: all four are empty.
    """

    __slots__ = ("items", "raw", "symbols", "text", "tokens")

    def __init__(self, raw: str | None) -> None:
        self.raw = raw
        self.text = "" if raw is None or len(raw) > MAX_LENGTH else clean(raw)
        self.tokens = stand_alone(self.text, lex(self.text))
        self.items = _assemble(self.text, self.tokens)
        self.symbols = "".join([item.symbol for item in self.items])

    @property
    def speaks_of_days(self) -> bool:
        """Whether dates stand in several places, with something of the time between them: 화 오후 수 아무때나."""
        return speak_of_days(self.tokens)

    def known_items(self) -> list[Item]:
        """The items without what nobody understood: the base of a suggestion, never of a decision."""
        rest = [item for item in self.items if item.symbol != "?"]
        while rest and rest[-1].symbol in ",|&":
            rest.pop()
        while rest and rest[0].symbol in ",|&":
            rest.pop(0)
        return rest


def _assemble(text: str, tokens: list[Token]) -> list[Item]:
    """The items of a sentence; each pass is made only where there is something for it to do."""
    tokens = with_trailing_year(tokens)
    kinds = {token.kind for token in tokens}
    if is_zoned(tokens):
        tokens = with_zones(text, tokens)
    items = _itemize(text, tokens, dated=not kinds.isdisjoint(DATES))
    if len(items) > 1:
        if not kinds.isdisjoint(_half_kinds()):
            items = _attach(items)
        if not kinds.isdisjoint(_DIGITS):
            items = _read_over_dates(items)
            _share_units(items)
    if "sign" in kinds:
        items = _settle_marks(tokens, items)
        items = _drop_idle_commas(items)
    return items


def _itemize(text: str, tokens: list[Token], *, dated: bool) -> list[Item]:
    items: list[Item] = []
    said = said_of_days(text, tokens) if dated else {}
    for place, token in enumerate(tokens):
        kind = token.kind
        if place in said:
            items += [Item(symbol, None, token, token.start, token.end) for symbol in said[place]]
            continue
        if kind in _READ_OVER:
            continue
        item = _item(text, tokens, place, token)
        if item is not None:
            if item.term and item.term.instant and items and _is_twelve(items[-1]):
                items.pop()  # 12 noon, 12 midnight
            if not (items and items[-1].term and items[-1].term.instant == "noon" and _is_twelve(item)):  # 정오 12시
                items.append(item)
        elif kind == "straddling" and items and items[-1].term:
            items[-1].term = items[-1].term._replace(straddling=True)
    return items


def _is_twelve(item: Item) -> bool:
    """Twelve o'clock in whatever form that a noon beside it makes plain."""
    clock = item.term.clock if item.term and not item.term.halves else None
    return clock is not None and (clock.hour, clock.minute, clock.offset, clock.ago) == (12, 0, None, 0)


def _item(text: str, tokens: list[Token], place: int, token: Token) -> Item | None:  # noqa: PLR0911 - one line a kind
    kind, _, start, end = token
    if kind in _CLOCKS:
        return _clock_item(text, tokens, place, token)
    if kind in _half_kinds():
        return Item("t", _half_term(kind), token, start, end, half=True, latin=text[start].isascii())
    if kind.startswith("instant_"):
        return Item("t", Term(None, instant=kind.removeprefix("instant_")), token, start, end)
    if kind in _DIGITS:
        return _number_item(text, tokens, place, token)
    if kind == "sign":
        return _sign_item(text, token)
    if kind == "before_suffix" and place and _minutes_ago(text, tokens, place - 1):
        return None
    symbol = _SYMBOLS.get(kind)
    return Item(symbol, None, token, start, end) if symbol else None


def _clock_item(text: str, tokens: list[Token], place: int, token: Token) -> Item:
    clock, letter = token.value if type(token.value) is tuple else (token.value, None)
    if token.kind == "clock_minutes" and _minutes_ago(text, tokens, place):
        clock = clock._replace(minute=0, ago=clock.minute)
    term = Term(clock, (_LETTER_HALF[letter],) if letter else ())
    return Item("t", term, token, token.start, token.end)


@cache
def _half_kinds() -> frozenset[str]:
    return frozenset(kind for kind in lexicon().words.values() if kind.startswith("half_"))


@cache
def _half_term(kind: str) -> Term:
    return Term(None, (kind,))


def _minutes_ago(text: str, tokens: list[Token], place: int) -> bool:
    """3시 10분 전 (ten minutes before) rather than 3시 10분 이전 (before 3:10)."""
    if tokens[place].kind != "clock_minutes" or place + 1 >= len(tokens):
        return False
    following = tokens[place + 1]
    word = text[following.start : following.end]
    return following.kind == "before_suffix" and word in lexicon().units["duration.ago"]


def _sign_item(text: str, token: Token) -> Item | None:
    sign = text[token.start]
    if sign in _SIGNS:
        return Item(_SIGNS[sign], None, token, token.start, token.end)
    between_digits = (
        token.start > 0 and token.end < len(text) and text[token.start - 1].isdigit() and text[token.end].isdigit()
    )
    if between_digits or (sign == "?" and (token.start == 0 or text[token.start - 1] == " ")):
        # 3.5.2 is no sentence end; a lone ? stands for letters that were lost
        return Item("?", None, token, token.start, token.end)
    return None


def _number_item(text: str, tokens: list[Token], place: int, token: Token) -> Item:
    """Digits: a clock where their form or an "at" says so, else a number that a half-day word may make one."""
    kind, value, start, end = token
    clock = value if kind == "dotted" else _clock_of_digits(value)
    if clock is None:
        return Item("n", None, token, start, end)
    led_by_at = place > 0 and tokens[place - 1].kind == "at" and end - start != 3
    if clock.style == "padded" or (clock.style == "dotted" and clock.hour > 12):
        return Item("t", Term(clock._replace(style="padded")), token, start, end)
    if clock.style == "number" and led_by_at:
        style = "padded" if clock.hour > 12 or text[start] == "0" else "bare"
        return Item("t", Term(clock._replace(style=style)), token, start, end)
    return Item("n", Term(clock), token, start, end)


@lru_cache(maxsize=4096)
def _clock_of_digits(digits: str) -> Clock | None:
    """The clock that digits are (HHMM) or would be beside a half-day word; None where they cannot be one."""
    if not digits.isdigit() or len(digits) > 4:
        return None
    hour, minute = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    if len(digits) == 4:
        year_like = 1900 <= int(digits) <= 2099
        return None if year_like else Clock(hour, minute, "padded")
    return Clock(hour, minute, "number")


def _attach(items: list[Item]) -> list[Item]:
    """Join half-day words to the clock they stand beside.

    Before a clock they lead it (오후 3시, PM 3:00); behind one they follow it (3:00 PM) unless they lead the next:
    between two clocks a Latin word follows the first (9:00 AM 3:00 PM), any other leads the second (14:00 오후 2시).
    """
    out: list[Item] = []
    count = len(items)
    place = 0
    while place < count:
        item = items[place]
        end = place + 1
        if item.half:
            end = _halves_end(items, place)
            if end < count and _can_take(items[end]) and not _is_bounded_lunch(items, place):
                _join(items[end], items[place:end], in_front=True)
            else:
                out.extend(items[place:end])
            place = end
            continue
        if _can_take(item):
            end = _halves_end(items, place + 1)
            leads = end < count and _can_take(items[end])
            follows = end > place + 1 and (
                not leads or (items[place + 1].latin and not (item.term and item.term.halves))
            )
            if follows and not items[place + 1].latin:
                follows = _may_lead(item, items[place + 1], out)
            if follows:
                _join(item, items[place + 1 : end], in_front=False)
            else:
                end = place + 1
        out.append(item)
        place = end
    return out


def _may_lead(clock: Item, half: Item, earlier: list[Item]) -> bool:
    """Whether a clock may stand in front of its word where people write it behind: 9오전, 15:00 (오후).

    But 2. 오후 is the second of a list, and 오전 9시~12시 오후 are two.
    """
    if clock.symbol == "n" and clock.end < half.start:
        return False
    return not (earlier and earlier[-1].symbol in "~o")


def _is_bounded_lunch(items: list[Item], place: int) -> bool:
    """Whether a lunch is what a mark bounds (after lunch 3pm) and no word of the clock behind it."""
    return items[place].token.kind == "half_lunch" and place > 0 and items[place - 1].symbol in "ab"


def _halves_end(items: list[Item], place: int) -> int:
    while place < len(items) and items[place].half:
        place += 1
    return place


def _can_take(item: Item) -> bool:
    """Whether a half-day word can be of this clock; a timestamp says all itself, and a word beside it must agree."""
    if item.symbol == "t":
        clock = item.term.clock if item.term else None
        return clock is not None and (clock.day is None or item.end - item.start < _SHORTEST_TIMESTAMP)
    return _is_number(item)


def _is_number(item: Item) -> bool:
    """A number that a half-day word would make a clock."""
    clock = item.term.clock if item.term else None
    return item.symbol == "n" and clock is not None and clock.style != "decimal" and clock.hour > 0


def _join(item: Item, halves: list[Item], *, in_front: bool) -> None:
    term = item.term
    if term is None or term.clock is None:
        raise ValueError("only a clock can take half-day words")
    words = tuple([half.token.kind for half in halves])
    joined = words + term.halves if in_front else term.halves + words
    item.term = Term(term.clock, joined, term.instant, term.straddling)
    if item.symbol == "n":
        _make_clock(item)
    if in_front:
        item.start = halves[0].start
    else:
        item.end = halves[-1].end


def _make_clock(item: Item) -> None:
    term = item.term
    if term is None or term.clock is None:
        raise ValueError("only digits that can be a clock become one")
    item.symbol = "t"
    item.term = Term(_as_clock(term.clock), term.halves, term.instant, term.straddling)


@lru_cache(maxsize=4096)
def _as_clock(digits: Clock) -> Clock:
    return digits._replace(style="padded" if digits.hour > 12 else "bare")


def _read_over_dates(items: list[Item]) -> list[Item]:
    """Drop digits that are a month and a day because a time stands behind them: 10.30 오후 3시, 10-30 14:00."""
    out: list[Item] = []
    place = 0
    while place < len(items):
        end = _date_end(items, place)
        dashed = end > place + 1
        if end and end < len(items) and items[end].symbol == ",":
            end += 1
        if end and end < len(items) and items[end].symbol == "t" and not (dashed and items[end].half):
            place = end
            continue
        out.append(items[place])
        place += 1
    return out


def _date_end(items: list[Item], place: int) -> int:
    """Where a month-day pair that starts at ``place`` ends; 0 where there is none."""
    first = items[place]
    if first.token.kind == "dotted" and (first.symbol == "n" or first.token.value.second):
        clock = first.token.value
        month, day = (clock.minute, clock.second) if clock.second else (clock.hour, clock.minute)
        return place + 1 if is_day(month, day) else 0
    trio = items[place : place + 3]
    if [item.symbol for item in trio] != ["n", "~", "n"] or trio[1].token.end - trio[1].token.start != 1:
        return 0
    if trio[0].token.end != trio[1].token.start or trio[1].token.end != trio[2].token.start:
        return 0
    month, day = _up_to_two_digits(trio[0]), _up_to_two_digits(trio[2])
    return place + 3 if is_day(month, day) else 0


def _up_to_two_digits(item: Item) -> int:
    value = item.token.value
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) <= 2 else 0


def _share_units(items: list[Item]) -> None:
    """2-4시, 9-11am, 오후 2-4: a plain number takes the unit of the clock at the other end of a range or list."""
    for place in range(1, len(items) - 1):
        left, mark, right = items[place - 1], items[place], items[place + 1]
        if mark.symbol not in "~,|&oF":
            continue
        for number, other, gap in ((left, right, mark.start - left.end), (right, left, right.start - mark.end)):
            if gap <= 1 and _is_number(number) and _may_share(number, other):
                _make_clock(number)


def _may_share(number: Item, other: Item) -> bool:
    """Whether the other end is a clock (or noon) and the number plain digits."""
    digits, term = number.term.clock if number.term else None, other.term
    if digits is None or term is None or digits.style != "number" or other.symbol != "t":
        return False
    return term.instant is not None or (term.clock is not None and term.clock.style in ("bare", "padded"))


def _settle_marks(tokens: list[Token], items: list[Item]) -> list[Item]:
    """Drop marks that separate or close (시간 - 12시, 감사합니다~); make those that reach to a date unknown."""
    out: list[Item] = []
    for place, item in enumerate(items):
        if item.symbol == "~":
            fate = _fate_of_mark(tokens, items, place)
            if fate == "drop":
                continue
            if fate == "unknown":
                item.symbol = "?"
            elif fate == "unsure":
                item.token = item.token._replace(kind=UNSURE_MARK)
        out.append(item)
    return out


def _fate_of_mark(tokens: list[Token], items: list[Item], place: int) -> str:
    """What becomes of a dash or tilde: keep, drop, unknown, or unsure whether it separates or means "until"."""
    mark = items[place].token
    before = any(other.symbol in "tn" for other in items[:place])
    after = next((other for other in items[place + 1 :] if other.symbol in "tn"), None)
    left = next((token for token in reversed(tokens) if token.end <= mark.start and token.kind != "sign"), None)
    right = next((token for token in tokens if token.start >= mark.end and token.kind != "sign"), None)
    said = SMALL_TALK | DATES
    if before and after:
        return "keep"
    if left is not None and left.end == mark.start and left.kind in SMALL_TALK:
        return "drop"  # 감사합니다~
    if after is None:
        return "unknown" if before and right is not None and right.kind in DATES else "keep"  # 오후 ~ 수요일
    if right is not None and right.kind in said:
        return "drop" if mark.value == "-" else "unknown"  # - 시간: 12시
    leads = mark.end == after.start
    if left is not None and left.kind in said:
        return "drop" if mark.value == "-" and (left.end == mark.start or not leads) else "unsure"
    return "unsure" if mark.value == "-" and not leads else "keep"


def _drop_idle_commas(items: list[Item]) -> list[Item]:
    """Drop commas that separate nothing."""
    out = items[:]
    while out and out[-1].symbol == ",":
        out.pop()
    while out and out[0].symbol == ",":
        out.pop(0)
    return [item for place, item in enumerate(out) if item.symbol != "," or out[place + 1].symbol not in ",|&"]
