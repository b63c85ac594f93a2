import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.patterns import EMPTY_PATTERN, MAX_PATTERN, NULL_PATTERN, pattern
from pipeline.visible import is_unseen

DRAWN = {
    None: "(null)",
    "": "(empty)",
    " ": "␣",
    "09:30": "99:99",
    "9:30": "9:99",
    "오전 10시 부탁드려요": "오전 99시 가",
    "오후10시반쯤": "오후99시가",
    "내일오전 10시": "가오전 99시",
    "3시간 후": "9시간 가",
    "다시 전화": "가 가",
    " 3:00 pm ": "␣9:99 pm␣",
    "PMP": "A",
    "3:00  PM": "9:99 PM",
    "3:00\u202fPM": "9:99␣PM",
    "a.m. 10": "a.a. 99",
    "Noon": "Aa",
    "2025-10-30T15:00:00+09:00": "9999-99-99T99:99:99+99:99",
    "20251030T060000Z": "9{8}T9{6}Z",
    "１４：００": "９９：９９",
    "٣:٣٠": "#:##",
    "午後3時": "午後9時",
    "お昼": "あ漢",
    "ㅎㅎ 넵": "ㄱ 가",
    unicodedata.normalize("NFD", "오전"): "ㄱ",
    "감사합니다~~~!!!": "가~!",
    "ночь": "文",
    "❤️\u200d🔥 2시": "☺ 9시",
    "오후\u202e3시": "오후∅9시",
    "(null)": "(a)",
    "x" * 1_000_000: "a…",
}


@pytest.mark.parametrize(("raw", "drawn"), DRAWN.items(), ids=lambda value: repr(value)[:30])
def test_draws(raw: str | None, drawn: str) -> None:
    assert pattern(raw) == drawn


@given(st.text(st.characters(), max_size=400))  # st.characters() includes lone surrogates
def test_total_bounded_and_visible(raw: str) -> None:
    drawn = pattern(raw)
    assert 0 < len(drawn) <= MAX_PATTERN
    assert not any(is_unseen(char) for char in drawn)


@given(st.text(min_size=1))
def test_no_text_is_taken_for_null_or_empty(raw: str) -> None:
    assert pattern(raw) not in {NULL_PATTERN, EMPTY_PATTERN}


@given(st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=40))
def test_digits_do_not_matter(digits: list[int]) -> None:
    text = "오후 " + "".join(map(str, digits))
    assert pattern(text) == pattern(text.translate(str.maketrans("012345678", "9" * 9)))


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    started = time.perf_counter()
    pattern("(" * 5_000_000)
    pattern("오전" * 2_000_000)
    assert time.perf_counter() - started < 1
