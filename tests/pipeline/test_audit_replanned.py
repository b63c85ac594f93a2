"""A run planned again after its audit: what people judged is known, and they are asked about what is new alone."""

import csv
from datetime import UTC, datetime

import pytest
from reviewed_run import finish

from pipeline import run_audit
from pipeline.answers import Answer, Purpose, Verdict, open_answers
from pipeline.audit import State
from pipeline.audit_file import FILE_NAME
from pipeline.review.asked import read_asked
from pipeline.review_file import key

HOURS = {f"오전 {hour}시": 2_000 for hour in (9, 10, 11)} | {f"오후 {hour}시": 1_500 for hour in (1, 2, 3, 4)}
RARE = {f"오후 {hour}시 {minute}분": 1 for hour in (1, 2, 3, 4) for minute in range(1, 59)}
ROWS = HOURS | RARE


@pytest.fixture
def store(tmp_path):
    with open_answers(tmp_path / "answers.sqlite") as opened:
        yield opened


def listed(folder):
    """The texts that people are asked to judge, by the file they are given."""
    texts = read_asked(folder).texts
    with (folder / FILE_NAME).open(encoding="utf-8-sig", newline="") as file:
        return [texts[line["key"]].raw for line in csv.DictReader(file)]


def judge(store, folder, texts):
    store.add(
        Answer(
            text,
            Verdict.MORNING if text.startswith("오전") else Verdict.AFTERNOON,
            "reviewer-1",
            datetime.now(UTC),
            "",
            folder.name,
            key(folder.name, text),
            "test",
            Purpose.AUDIT,
        )
        for text in texts
    )


def test_after_a_whole_audit_few_texts_are_new(store, tmp_path):
    first = finish(tmp_path / "run-1", ROWS, audited=True)
    asked = listed(first)
    judge(store, first, asked)
    assert run_audit.standing_in(first, store.standing()).state is State.PASSED
    again = finish(tmp_path / "run-2", ROWS, words=store.standing(), audited=True)
    found, new = run_audit.standing_in(again, store.standing()), listed(again)
    assert not set(new) & set(asked)
    assert found.known >= len(HOURS)
    assert (found.rows, found.texts, found.open) == (sum(ROWS.values()), found.known + len(new), len(new))
    assert len(new) < len(asked)
    assert found.open_draws == len(new) < 0.03 * found.draws  # each of them a text of one row
    judge(store, again, new)
    found = run_audit.standing_in(again, store.standing())
    assert (found.state, found.errors, found.open) == (State.PASSED, 0, 0)
    assert found.bound <= 0.001


def test_after_a_census_nothing_is_left_to_ask(store, tmp_path):
    rows = dict.fromkeys(RARE, 2)
    first = finish(tmp_path / "run-1", rows, audited=True)
    judge(store, first, listed(first))
    again = finish(tmp_path / "run-2", rows, words=store.standing(), audited=True)
    found = run_audit.standing_in(again, store.standing())
    assert (found.state, found.known, found.texts, found.bound) == (State.PASSED, len(rows), len(rows), 0.0)
    assert listed(again) == []
