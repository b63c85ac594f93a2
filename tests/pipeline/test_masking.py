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
    ("김하늘 고객님 3시", "김하늘"),
    ("김하늘씨 3시", "김하늘"),
    ("김하늘이라고 합니다 3시", "김하늘"),
    ("보호자: 김하늘 3시", "김하늘"),
    ("김하늘입니다 3시요", "김하늘"),
    ("박솔이에요", "박솔"),
    ("고객명 김하늘 3시", "김하늘"),
    ("Ms. Kim 3pm", "Kim"),
    ("공일공 일이삼사 오육칠팔 3시", "공일공 일이삼사 오육칠팔"),
    ("0 1 0 - 1 2 3 4 - 5 6 7 8", "0 1 0 - 1 2 3 4 - 5 6 7 8"),
    ("+1 (415) 555-0123 3pm", "+1 (415) 555-0123"),
    ("연락처 1234-5678 오후", "1234-5678"),
    ("전화번호: 123 4567", "123 4567"),
    ("카톡 haneul_88 3시", "haneul_88"),
    ("카카오톡 아이디: haneul.kim", "haneul.kim"),
    ("1234-5678-9012-3456 3시", "1234-5678-9012-3456"),
    ("차트번호 12345 3시", "12345"),
    ("생년월일 900101 3시", "900101"),
    ("생년월일: 1990.1.1 3시", "1990.1.1"),
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
    "전화 1000-1200",
    "전화주세요 3시",
    "카톡 10am-11am",
    "2025-10-30T15:00:00+0900",
    "1000-1200 1300-1400",
    "오후라고 합니다",
    "정오입니다",
    "한시입니다",
    "주말 오전이에요",
    "상관없습니다 예약입니다",
    "고객 상담 3시",
    "15:00 보호자 동행",
    "처음 방문하는 환자인데요",
    "오전 또는 오후 씨",
    "9월 3일 오후 3시 30분 15분 20초",
]

# What masks are made of, so that one mask may bare the edge of another.
PIECES = [*(secret for _, secret in HIDDEN), *"0 1-9.@+가•", "님", "예약자", "name:", "카톡", "라고 합니다", "생일"]


@pytest.mark.parametrize(("text", "secret"), HIDDEN, ids=[text for text, _ in HIDDEN])
def test_hides(text: str, secret: str) -> None:
    assert mask(text) == text.replace(secret, MASK * len(secret))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("3시 김하늘 01012345678", f"3시 ••• {MASK * 11}"),
        ("김하늘/010-1234-5678 3시", f"•••/{MASK * 13} 3시"),
        ("세시 010-1234-5678", f"세시 {MASK * 13}"),
        ("오후 두시반, 010-1234-5678", f"오후 두시반, {MASK * 13}"),
        ("연락처 010-1234-5678", f"연락처 {MASK * 13}"),
    ],
)
def test_a_word_before_a_telephone_number_is_a_name_unless_it_is_of_time(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_keeps_times_and_dates(text: str) -> None:
    assert mask(text) == text


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_changes_no_length_and_is_settled_at_once(text: str) -> None:
    assert len(mask(text)) == len(text)
    assert mask(mask(text)) == mask(text)


@given(st.from_regex(r"010-[0-9]{4}-[0-9]{4}", fullmatch=True), st.text(alphabet="가나 :,.()", max_size=5))
def test_no_digit_of_a_telephone_number_survives(phone: str, around: str) -> None:
    assert not any(char.isdigit() for char in mask(around + phone + around))
