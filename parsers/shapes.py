"""The shapes of tokens as one regular expression: numbers by what stands around them, then the lexicon's words.

Which shape matched is the name of the last group; the groups inside a shape hold its hours, minutes and days.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from operator import itemgetter

from parsers.lexicon import lexicon
from parsers.trie import firsts, led_by, longest_of


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", " ?") for word in sorted(set(words), key=len, reverse=True) if word)


_DIGIT = r"\d"
# Latin letters with their accents: no word of ours is found inside one of another language (tháng).
_LATIN = "a-z\u00df-\u024f\u0300-\u036f\u1e00-\u1eff"
_LATIN_END = f"(?![{_LATIN}])"


def _shapes() -> str:
    """Every token's shape, in the order they are tried: numbers by what stands around them, then words.

    Each is (name, the characters it may start with, shape).
    """
    lex = lexicon()
    units = {name: _any(entries) for name, entries in lex.units.items()}
    numeral, minutes = longest_of(lex.numerals), longest_of(lex.minute_numerals)
    tens = longest_of(word for word, value in lex.minute_numerals.items() if value >= 10 and not word.isascii())
    later = _any([*lex.units["duration.later"], *lex.units["duration.ago"]])
    hour = f"(?:{units['clock.hour']}){_LATIN_END}(?!(?:{units['clock.not_after_hour']}))"
    minute, second = f"(?:{units['clock.minute']})", f"(?:{units['clock.second']})"
    half = f"(?:{units['clock.half']})(?!{units['clock.not_after_half']})"
    months = longest_of(lex.units["date.months"])
    year, month, day = (f"(?:{units[f'date.{name}']})" for name in ("year", "month", "day"))
    ordinal = "(?:st|nd|rd|th)"
    hours_in_a_row = "|".join(f"{hour}/{hour % 12 + 1}" for hour in range(1, 13))  # 2/3 pm: two or three, no date
    offset = r"z(?![a-z])|[+-]\d{2}(?::?\d{2})?"
    hourly, minutely = (
        _DIGIT + firsts(numerals) for numerals in (lex.numerals, {**lex.numerals, **lex.minute_numerals})
    )
    words, spelled = lex.phrases.values(), [word for word in lex.numerals if word.isascii()]
    past = [word for name in ("half_before", "quarter_past", "quarter_to") for word in lex.units[f"clock.{name}"]]
    shapes = [
        (
            "spoken",
            hourly,
            rf"(?P<hh>\d{{1,2}}|{numeral}) ?{hour}"
            rf"(?: ?(?:(?P<hx>{_any(lex.quarters)})|(?P<hm>\d{{1,2}}|{minutes}) ?{minute}|(?P<hf>{half})"
            rf"|(?P<hb>\d{{2}}|(?>{tens}))(?!\d| ?(?:{hour}|[:/.~-]|{month}|{day})))"
            rf"(?: ?(?P<hs>\d{{1,2}}) ?{second})?)?",
        ),
        (
            "colon",
            _DIGIT,
            r"(?P<ch>\d{1,2}) ?: ?(?P<cm>\d{2})"
            r"(?: ?: ?(?P<cs>\d{2})(?:[.,:]\d{3,9}|[.,]\d{1,9})?(?P<co>\+\d{2}(?!\d|:)| [+-]\d{4}(?!\d))?)?(?![\d:])"
            rf"(?! ?(?:{units['duration.unit']}))"
            rf"(?: ?(?:{minute}|{hour})|h{_LATIN_END})?(?P<cp>[ap](?![a-z.]))?",
        ),
        (
            "iso",
            _DIGIT,
            r"(?P<iy>\d{4})-(?P<im>\d{2})-(?P<id>\d{2})t(?P<ih>\d{2}):(?P<in>\d{2})(?::(?P<is>\d{2})(?:[.,]\d+)?)?"
            rf" ?(?P<io>{offset})?(?![\d:])",
        ),
        (
            "spaced_iso",
            _DIGIT,
            r"(?P<jy>\d{4})-(?P<jm>\d{2})-(?P<jd>\d{2}) (?P<jh>\d{2}):(?P<jn>\d{2}):(?P<js>\d{2})(?:[.,]\d+)?"
            rf" ?(?P<jo>{offset})(?![\d:])",
        ),
        (
            "basic",
            _DIGIT,
            r"(?P<by>\d{4})(?P<bm>\d{2})(?P<bd>\d{2})t(?P<bh>\d{2})(?P<bn>\d{2})(?P<bs>\d{2})?(?:[.,]\d+)?"
            rf"(?P<bo>{offset})?(?![\d:])",
        ),
        ("unknown_phone", _DIGIT, r"(?:82[-. ]?1|0)\d{1,2}[-. ]?\d{3,4}[-. ]?\d{4}(?!\d)"),
        ("epoch", _DIGIT, r"1\d{9}(?:\d{3})?(?:\.\d+)?(?!\d)"),
        (
            "compact_date",
            _DIGIT,
            r"(?P<ky>(?:19|20)\d{2})(?P<km>0[1-9]|1[0-2])(?P<kd>0[1-9]|[12]\d|3[01])(?!\d)",
        ),
        ("full_date", _DIGIT, r"(?P<fy>\d{4}) ?[-./] ?(?P<fm>\d{1,2}) ?[-./] ?(?P<fd>\d{1,2})(?![\d:])\.?"),
        ("tail_date", _DIGIT, r"(?P<ta>\d{1,2}) ?[-./] ?(?P<tb>\d{1,2}) ?[-./] ?(?P<ty>\d{4})(?![\d:])\.?"),
        ("unit_date", _DIGIT, rf"(?:(?P<uy>\d{{2,4}}) ?{year} ?)?(?P<um>\d{{1,2}}) ?{month} ?(?P<ud>\d{{1,2}}) ?{day}"),
        (
            "part_date",
            _DIGIT,
            rf"(?:\d{{2,4}} ?{year} ?)?(?P<pm>\d{{1,2}}) ?{month}(?! ?\d)|(?P<pd>\d{{1,2}}) ?{day}(?! ?(?:{later}))",
        ),
        ("year_date", _DIGIT, rf"\d{{2,4}} ?{year}"),
        (
            "spaced_year_date",
            _DIGIT,
            rf"\d{{2}}\. ?(?P<vm>\d{{1,2}})\. (?P<vd>\d{{1,2}})(?![\d:]| ?{hour})\.?",
        ),
        ("spaced_date", _DIGIT, r"(?P<sm>1[0-2]|[1-9])\. (?P<sd>3[01]|[12]\d|[1-9])\.(?!\d)"),
        (
            "slash_date",
            _DIGIT,
            rf"(?!(?:{hours_in_a_row}) ?[ap]\.? ?m(?![a-z]))"
            rf"(?P<sa>\d{{1,2}})/(?P<sb>\d{{1,2}})(?:/(?P<sc>\d{{2}}))?(?![\d/:])(?! ?{hour})",
        ),
        (
            "named_date",
            _DIGIT + firsts(lex.units["date.months"]),
            rf"(?P<na>{months})\.? (?P<nb>\d{{1,2}}){ordinal}?(?![\d:a-z])(?:,? (?P<nc>\d{{4}})(?![\d:]))?"
            rf"|(?P<nd>\d{{1,2}}){ordinal}?[ -]?(?:of )?(?P<ne>{months}){_LATIN_END}\.?"
            r"(?:,?[ -]?(?P<nf>\d{4})(?![\d:])|-\d{2}(?!\d)| \d{2}(?= \d{1,2}:))?"
            rf"|\d{{1,2}}{ordinal}{_LATIN_END}",
        ),
        (
            "past",
            minutely + firsts(past),
            rf"(?:(?P<q30>{units['clock.half_before']})|(?P<q15>{units['clock.quarter_past']})"
            rf"|(?P<q45>{units['clock.quarter_to']})|(?P<qp>[1-9]|[12]\d|{minutes}) (?:{units['clock.minutes_past']})"
            rf"|(?P<qt>[1-9]|[12]\d|{minutes}) (?:{units['clock.minutes_to']}))"
            rf" (?P<qh>\d{{1,2}}(?!\d)(?=[ap]m?{_LATIN_END}|{_LATIN_END})|{numeral}{_LATIN_END})(?! ?[:.]\d)",
        ),
        ("military", _DIGIT, rf"(?P<xh>\d{{2}})(?P<xm>\d{{2}}) ?(?:(?P<xs>{hour})|(?:h|hrs|hours){_LATIN_END})"),
        (
            "duration",
            hourly + "ah",
            rf"(?:(?:\d+(?:[.:]\d+)?|{numeral}) ?(?:{units['duration.unit']}){_LATIN_END}"
            rf"(?: ?(?:{units['clock.half']}))?|\d{{1,3}} ?{day}(?= ?(?:{later}))"
            r"|(?:half )?an? (?:hour|minute|day|week)(?: and a half)?)"
            rf"(?: ?(?:{later}))?",
        ),
        ("lone_minutes", minutely, rf"(?:\d{{1,3}}|{minutes}) ?{minute}(?: ?(?:{later}))?"),
        ("french", _DIGIT, rf"(?P<gh>\d{{1,2}}) ?h ?(?P<gm>\d{{2}})(?!\d)|(?P<gx>\d{{1,2}}) ?h{_LATIN_END}"),
        ("letter", _DIGIT, r"(?P<lh>\d{1,2})(?P<lm>\d{2})?(?P<lp>[ap])(?![a-z.])"),
        ("dotted", _DIGIT, r"(?P<dh>\d{1,2})\.(?P<dm>\d{1,2})(?:\.(?P<ds>\d{2})(?:\.\d{3,9})?)?(?!\.?\d)"),
        ("number", _DIGIT, r"\d+(?:\.\d+)?"),
        ("word", firsts(words), longest_of(words) + f"(?!(?<=[a-z])[{_LATIN}])"),
        (
            "zone",
            "a-z+",
            r"(?:[a-z]+ ){1,3}(?:standard|daylight|summer) time(?![a-z])"
            r"|(?:gmt|utc) ?[+-] ?\d{1,2}(?::?\d{2})?|\+\d{2}:?\d{2}(?!\d)|(?:gmt|utc|z)(?![a-z])"
            r"|(?:africa|america|asia|atlantic|australia|europe|indian|pacific|etc)/[a-z_]+(?:/[a-z_]+)?(?![a-z/])",
        ),
        (
            "number_word",
            firsts(spelled),
            rf"(?P<eh>{_any(spelled)}){_LATIN_END}"
            rf"(?: (?P<em>{_any(word for word in lex.minute_numerals if word.isascii())}){_LATIN_END}"
            rf"|-(?P<ex>{_any(word for word, value in lex.minute_numerals.items() if word.isascii() and value > 12)})"
            rf"{_LATIN_END})?",
        ),
    ]
    alike = groupby(shapes, key=itemgetter(1))
    return "|".join(led_by(lead, "|".join(f"(?P<{name}>{shape})" for name, _, shape in some)) for lead, some in alike)


@cache
def master() -> re.Pattern[str]:
    """One pattern for every token: a shape, else a sign, else something unknown."""
    return re.compile(rf" *(?:{_shapes()}|(?P<sign>-+|~+|[,/;]|[.:'?@]+)|(?P<unknown>[{_LATIN}']+|.))", re.DOTALL)
