"""Laws that hold for any text, whatever it says."""

import json
import subprocess
import sys
import unicodedata
from dataclasses import asdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.corpus import cases
from parsers import Disposition, Period, Policy, Reason, decide, explain, sketch
from parsers.chain import parse
from parsers.clean import clean
from parsers.lexer import lex
from parsers.lexicon import lexicon

POLICY = Policy()
TEXTS = [case.text for case in cases()]
AUTO_TEXTS = [case.text for case in cases() if case.auto and not case.known_failure]
FILLERS = sorted(word for word, kind in lexicon().words.items() if kind == "filler")

any_text = st.text(st.characters(codec=None), max_size=220)
labelled = st.sampled_from(TEXTS)
time_like = st.lists(
    st.sampled_from(
        ["오전", "오후", "3시", "10:30", "pm", "~", "-", ",", " ", "또는", "이후", "까지", "11", "안", "김"]
    ),
    max_size=6,
).map("".join)


def meaning(text: str) -> tuple[object, ...]:
    decision = decide(text, POLICY)
    return decision.disposition, decision.period, decision.start, decision.end, decision.reason


@given(any_text | time_like)
@example("\ud800")
@example("오전 \udfff 10시")
def test_total_and_consistent(text: str):
    decision = decide(text, POLICY)
    if decision.disposition is Disposition.AUTO:
        assert decision.period is not None
        assert decision.reason is None
        assert decision.confidence >= POLICY.auto_threshold
    else:
        assert decision.reason in set(Reason)
    assert 0 <= decision.confidence <= 1
    assert sketch(text)


def test_null_and_ten_megabytes():
    assert decide(None, POLICY).reason is Reason.EMPTY
    assert decide("오전 9시 " * 2_000_000, POLICY).reason is Reason.TOO_LONG


@given(any_text | time_like)
def test_deterministic(text: str):
    assert decide(text, POLICY) == decide(text, Policy())


DECIDE_ALL = """
import json, sys
from dataclasses import asdict
from parsers import Policy, decide
json.dump([asdict(decide(text, Policy())) for text in json.load(sys.stdin)], sys.stdout)
"""


def test_another_process_decides_the_same():
    other = subprocess.run(
        [sys.executable, "-c", DECIDE_ALL],
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={"PYTHONHASHSEED": "1"},
    )
    assert json.loads(other.stdout) == [asdict(decide(text, POLICY)) for text in TEXTS]


@given(any_text | time_like)
def test_every_character_belongs_to_a_token(text: str):
    cleaned = clean(text)
    covered = {place for token in lex(cleaned) for place in range(token.start, token.end)}
    assert {place for place, char in enumerate(cleaned) if char != " "} <= covered


@given(any_text)
def test_clean_up_is_idempotent_on_what_the_lexer_reads(text: str):
    assert lex(clean(clean(text))) == lex(clean(clean(clean(text))))


@given(labelled | time_like)
def test_spelling_does_not_matter(text: str):
    assert meaning(unicodedata.normalize("NFD", text)) == meaning(text)
    assert meaning(f"\u3000 {text}\u00a0\n") == meaning(text)
    assert meaning(text.upper()) == meaning(text)
    assert meaning(text.lower()) == meaning(text)


@given(labelled)
@example(unicodedata.normalize("NFD", "오후 3시"))
def test_zero_width_characters_vanish(text: str):
    for place in range(len(text) + 1):
        assert meaning(text[:place] + "\u200b" + text[place:]) == meaning(text)


FULL_WIDTH = {code: code + 0xFEE0 for code in (*range(0x30, 0x3B), *range(0x41, 0x5B), *range(0x61, 0x7B))}


@given(labelled)
def test_full_width_is_the_same(text: str):
    assert meaning(text.translate(FULL_WIDTH)) == meaning(text)


@given(st.sampled_from(AUTO_TEXTS), st.sampled_from(FILLERS))
def test_a_filler_never_turns_the_period(text: str, filler: str):
    before = decide(text, POLICY)
    for longer in (f"{text} {filler}", f"{filler} {text}"):
        decision = decide(longer, POLICY)
        assert decision.period in (before.period, None)
        if decision.disposition is Disposition.AUTO:
            assert (decision.start, decision.end) == (before.start, before.end)


@given(st.sampled_from(AUTO_TEXTS), st.sampled_from(["홍길동", "보톡스", "zqx", "§5호", "2명", "강남점", "ต"]))
def test_an_unknown_word_never_keeps_auto(text: str, unknown: str):
    for longer in (f"{text} {unknown}", f"{unknown} {text}", text + unknown):
        assert decide(longer, POLICY).disposition is Disposition.REVIEW


# Greek to Tibetan: in a script of ours a word may be unknown alone and a clock or a date beside a time (nov, 一时).
strange_words = st.text(
    st.characters(categories=["Ll", "Lo"], min_codepoint=0x370, max_codepoint=0xFFF), min_size=2, max_size=6
).filter(lambda word: sketch(word) == "unknown")


@given(st.sampled_from(AUTO_TEXTS), strange_words)
def test_no_unknown_word_keeps_auto(text: str, unknown: str):
    for longer in (f"{text} {unknown}", f"{unknown} {text}"):
        assert decide(longer, POLICY).disposition is Disposition.REVIEW


@given(any_text | time_like)
def test_what_nothing_explains_goes_to_review(text: str):
    if "unknown" in sketch(text):
        assert decide(text, POLICY).disposition is Disposition.REVIEW


PLAUSIBLE = range(7 * 60, 20 * 60)
NATIVE = ("열두", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한")
SINO = ("", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")


def sino(number: int) -> str:
    tens, ones = divmod(number, 10)
    return (SINO[tens] if tens > 1 else "") + ("십" if tens else "") + SINO[ones]


def rendered(form: str, minute: int) -> str:
    """A form filled with a minute of the day in Seoul; ``utc`` is the same moment in UTC."""
    hour, past = divmod(minute, 60)
    half = minute // 720
    return form.format(
        h=hour,
        m=past,
        h12=(hour - 1) % 12 + 1,
        native=NATIVE[hour % 12],
        sino=f" {sino(past)}분" if past else "",
        ko=("오전", "오후")[half],
        en=("AM", "PM")[half],
        dotted=("a.m.", "p.m.")[half],
        ja=("午前", "午後")[half],
        zh=("上午", "下午")[half],
        utc=f"2025-10-{30 if hour >= 9 else 29}T{(hour - 9) % 24:02d}:{past:02d}:00Z",
    )


OPEN = range(9 * 60, 18 * 60)
LATE = range(13 * 60, 20 * 60)
UNLIKE_A_YEAR = range(7 * 60, 19 * 60)
FORMS = {
    "{h:02d}:{m:02d}": PLAUSIBLE,
    "{h:02d}:{m:02d}:00": PLAUSIBLE,
    "{h:02d}:{m:02d}:00.000": PLAUSIBLE,
    "{h:02d}{m:02d}": UNLIKE_A_YEAR,
    "{h}.{m:02d}": LATE,
    "{h}h{m:02d}": LATE,
    "{h}시 {m}분": LATE,
    "{h12}시 {m}분": OPEN,
    "{h12}:{m:02d}": [minute for minute in OPEN if not 600 <= minute < 720],
    "{native} 시{sino}": OPEN[::5],
    "{ko} {native}시{sino}": PLAUSIBLE[::5],
    "{ko} {h12}시 {m}분": PLAUSIBLE,
    "{ko}{h12}:{m:02d}": PLAUSIBLE,
    "{ko} {h12}:{m:02d}:00": PLAUSIBLE,
    "{h12}:{m:02d} {en}": PLAUSIBLE,
    "{h12}.{m:02d}{en}": PLAUSIBLE,
    "{h12}:{m:02d} {dotted}": PLAUSIBLE,
    "{en} {h12}:{m:02d}": PLAUSIBLE,
    "{zh}{h12}点{m}分": PLAUSIBLE,
    "{zh}{h12}:{m:02d}": PLAUSIBLE,
    "{ja}{h12}時{m}分": PLAUSIBLE,
    "2025-10-30T{h:02d}:{m:02d}": PLAUSIBLE,
    "2025-10-30 {h:02d}:{m:02d}:00": PLAUSIBLE,
    "2025-10-30T{h:02d}:{m:02d}:00+09:00": PLAUSIBLE,
    "20251030T{h:02d}{m:02d}00+0900": PLAUSIBLE,
    "{utc}": PLAUSIBLE,
    "Thu Oct 30 2025 {h:02d}:{m:02d}:00 GMT+0900 (한국 표준시)": PLAUSIBLE,
    "11월 4일(화) {ko} {h12}시 {m}분": PLAUSIBLE,
    "{h:02d}시 {m:02d}분쯤 부탁드려요": PLAUSIBLE,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_rendered_is_read_back(form: str):
    for minute in FORMS[form]:
        text = rendered(form, minute)
        decision = decide(text, POLICY)
        start = f"{minute // 60:02d}:{minute % 60:02d}"
        assert (decision.disposition, decision.start) == (Disposition.AUTO, start), text
        assert decision.period is (Period.MORNING if minute < POLICY.noon else Period.AFTERNOON)


ENDS = ["{h:02d}:{m:02d}", "{ko} {h12}시 {m}분", "{h12}:{m:02d} {en}", "2025-10-30T{h:02d}:{m:02d}:00+09:00"]
RANGES = ["{}~{}", "{} - {}", "{} – {}", "{}부터 {}까지", "{}에서 {} 사이", "from {} to {}", "between {} and {}"]


@given(st.sampled_from(RANGES), st.sampled_from(ENDS), st.sampled_from(PLAUSIBLE), st.sampled_from(PLAUSIBLE))
def test_a_range_agrees_with_its_ends(between: str, end: str, one: int, other: int):
    first, last = sorted((one, other))
    if first == last:
        return
    ends = [decide(rendered(end, minute), POLICY) for minute in (first, last)]
    decision = decide(between.format(rendered(end, first), rendered(end, last)), POLICY)
    if last == POLICY.noon or ends[0].period is ends[1].period:
        assert (decision.disposition, decision.period) == (Disposition.AUTO, ends[0].period)
        assert (decision.start, decision.end) == (ends[0].start, ends[1].start)
    else:
        assert decision.reason is Reason.SPANS_NOON


@given(st.sampled_from(["{} 또는 {}", "{}, {}", "{} or {}", "{}/{}", "{}이나 {}"]), st.sampled_from(ENDS), st.data())
def test_alternatives_agree_or_wait(either: str, form: str, data: st.DataObject):
    minutes = [data.draw(st.sampled_from(PLAUSIBLE)) for _ in range(2)]
    ends = [decide(rendered(form, minute), POLICY) for minute in minutes]
    decision = decide(either.format(*(rendered(form, minute) for minute in minutes)), POLICY)
    if ends[0].period is ends[1].period:
        assert (decision.disposition, decision.period) == (Disposition.AUTO, ends[0].period)
    else:
        assert decision.reason is Reason.CONFLICTING


@given(labelled | time_like | any_text)
def test_parsers_that_disagree_leave_the_text_to_a_person(text: str):
    explanation = explain(text, POLICY)
    assert explanation.decision == decide(text, POLICY)
    named = {step.decision.period for step in explanation.steps if step.decision} - {None}
    if len(named) > 1:
        assert explanation.decision.disposition is Disposition.REVIEW


@given(st.sampled_from(AUTO_TEXTS))
def test_an_unsure_rule_goes_to_review(text: str):
    strict = Policy(auto_threshold=1.0)
    decision = decide(text, strict)
    assert decision.reason is Reason.LOW_CONFIDENCE
    assert decision.period is parse(text, POLICY).period
