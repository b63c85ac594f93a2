"""Laws that hold for any text, whatever it says."""

import unicodedata

import pytest
from hypothesis import given
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


@given(labelled, st.data())
def test_zero_width_characters_vanish(text: str, data: st.DataObject):
    place = data.draw(st.integers(0, len(text)))
    assert meaning(text[:place] + "\u200b" + text[place:]) == meaning(text)


FULL_WIDTH = {code: code + 0xFEE0 for code in (*range(0x30, 0x3B), *range(0x41, 0x5B), *range(0x61, 0x7B))}


@given(labelled)
def test_full_width_is_the_same(text: str):
    assert meaning(text.translate(FULL_WIDTH)) == meaning(text)


@given(st.sampled_from(AUTO_TEXTS), st.sampled_from(FILLERS))
def test_a_filler_never_turns_the_period(text: str, filler: str):
    before = decide(text, POLICY).period
    for longer in (f"{text} {filler}", f"{filler} {text}"):
        decision = decide(longer, POLICY)
        assert decision.period in (before, None)


@given(st.sampled_from(AUTO_TEXTS), st.sampled_from(["홍길동", "보톡스", "zqx", "§5호", "2명", "강남점", "ต"]))
def test_an_unknown_word_never_keeps_auto(text: str, unknown: str):
    for longer in (f"{text} {unknown}", f"{unknown} {text}", text + unknown):
        assert decide(longer, POLICY).disposition is Disposition.REVIEW


def _any_hour(_hour: int, _minute: int) -> bool:
    return True


def _in_opening_hours(hour: int, _minute: int) -> bool:
    return 9 <= hour < 18


def _not_year_like(hour: int, _minute: int) -> bool:
    return hour != 19


CLOCKS = [(hour, minute) for hour in range(7, 20) for minute in range(0, 60, 5)]
FORMS = {
    "{h:02d}:{m:02d}": _any_hour,
    "{h:02d}:{m:02d}:00": _any_hour,
    "{h:02d}{m:02d}": _not_year_like,
    "{word} {h12}시 {m}분": _any_hour,
    "{word}{h12}:{m:02d}": _any_hour,
    "{h12}:{m:02d} {latin}": _any_hour,
    "{latin} {h12}:{m:02d}": _any_hour,
    "{cjk}{h12}点{m}分": _any_hour,
    "2025-10-30T{h:02d}:{m:02d}:00+09:00": _any_hour,
    "{h12}시 {m}분": _in_opening_hours,
    "{h:02d}시 {m:02d}분쯤 부탁드려요": _any_hour,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_rendered_is_read_back(form: str):
    for hour, minute in CLOCKS:
        if not FORMS[form](hour, minute):
            continue
        morning = hour < 12
        text = form.format(
            h=hour,
            m=minute,
            h12=(hour - 1) % 12 + 1,
            word="오전" if morning else "오후",
            latin="AM" if morning else "PM",
            cjk="上午" if morning else "下午",
        )
        decision = decide(text, POLICY)
        assert (decision.disposition, decision.start) == (Disposition.AUTO, f"{hour:02d}:{minute:02d}"), text
        assert decision.period is (Period.MORNING if morning else Period.AFTERNOON)


@given(labelled | time_like | any_text)
def test_no_two_parsers_decide_differently(text: str):
    explanation = explain(text, POLICY)
    decided = {
        step.decision.period
        for step in explanation.steps
        if step.decision and step.decision.disposition is Disposition.AUTO
    }
    assert len(decided) <= 1
    assert explanation.decision == decide(text, POLICY)


@given(st.sampled_from(AUTO_TEXTS))
def test_an_unsure_rule_goes_to_review(text: str):
    strict = Policy(auto_threshold=1.0)
    decision = decide(text, strict)
    assert decision.reason is Reason.LOW_CONFIDENCE
    assert decision.period is parse(text, POLICY).period
