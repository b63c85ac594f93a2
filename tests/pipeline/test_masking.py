import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.masking import MASK, mask

HIDDEN = [
    ("010-1234-5678 오후 3시", "010-1234-5678"),
    ("01012345678로 전화", "01012345678"),
    ("010 1234 5678", "010 1234 5678"),
    ("010.1234.5678", "010.1234.5678"),
    ("010\u200b-1234\u200b-5678", "010\u200b-1234\u200b-5678"),
    ("+82 10-1234-5678", "+82 10-1234-5678"),
    ("+821012345678", "+821012345678"),
    ("０１０-1234-5678", "０１０-1234-5678"),
    ("02-123-4567 3시", "02-123-4567"),
    ("031) 123-4567", "031) 123-4567"),
    ("900101-1234567", "900101-1234567"),
    ("kim.haneul+1@mail.example.com 3시", "kim.haneul+1@mail.example.com"),
    ("예약자 김하늘 오후 3시", "김하늘"),
    ("예약자명: 김하늘, 오후 3시", "김하늘"),
    ("성함은 김하늘입니다", "김하늘"),
    ("이름:김하늘이에요", "김하늘"),
    ("성명 남궁하늘 3시", "남궁하늘"),
    ("name: Haneul Kim 3pm", "Haneul Kim"),
    ("김하늘님 3시", "김하늘"),
    ("김하늘 님 3시", "김하늘"),
]
KEPT = [
    "오후 3시 30분",
    "2025-10-30T15:00:00.000+09:00",
    "1970-01-01T15:00:00.000Z",
    "20251030",
    "1761804000000",
    "10:00-11:00",
    "10-12",
    "0930",
    "11/4 오후 3시",
    "원장님 진료 3시",
    "선생님 계실 때",
    "이름 없음",
    "예약자 오후 3시",
    "환자 예약 3시",
    "9시 / 10시 / 11시",
]


@pytest.mark.parametrize(("text", "secret"), HIDDEN, ids=[text for text, _ in HIDDEN])
def test_hides(text: str, secret: str) -> None:
    assert mask(text) == text.replace(secret, MASK * len(secret))


@pytest.mark.parametrize("text", KEPT)
def test_keeps_times_and_dates(text: str) -> None:
    assert mask(text) == text


@given(st.text())
def test_changes_no_length_and_is_settled_at_once(text: str) -> None:
    assert len(mask(text)) == len(text)
    assert mask(mask(text)) == mask(text)


@given(st.from_regex(r"010-[0-9]{4}-[0-9]{4}", fullmatch=True), st.text(alphabet="가나 :,.()", max_size=5))
def test_no_digit_of_a_telephone_number_survives(phone: str, around: str) -> None:
    assert not any(char.isdigit() for char in mask(around + phone + around))
