from datetime import UTC, date, datetime, timedelta

import pytest

from parsers import Policy
from pipeline.answers import NOTHING, Answer, Standing, Verdict, open_answers
from pipeline.insight.open_texts import OpenText
from pipeline.insight.review_yield import Share, by_day, by_reviewer, left_by_reason, review_yield

POLICY = Policy()
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEXTS = [
    OpenText("오후 3시", 80, reviewed=False),
    OpenText("아무때나", 9, reviewed=False),
    OpenText("8시", 6, reviewed=False),
    OpenText(None, 3, reviewed=False),
    OpenText("7시", 1, reviewed=True),
    OpenText("미정", 1, reviewed=False),
]


def answer(text: str | None, verdict: Verdict, reviewer: str, minutes: int) -> Answer:
    return Answer(text, verdict, reviewer, NOON + timedelta(minutes=minutes), "", "run", "T1", "test")


@pytest.fixture
def standing(tmp_path) -> Standing:
    with open_answers(tmp_path / "answers.sqlite") as answers:
        answers.add(
            [
                answer("8시", Verdict.MORNING, "reviewer-1", 5),
                answer("7시", Verdict.AFTERNOON, "reviewer-2", 1),
                answer("8시", Verdict.MORNING, "reviewer-2", 9),
                answer(None, Verdict.NEITHER, "reviewer-1", 60 * 24),
                answer("아무때나", Verdict.NEITHER, "reviewer-1", 7),
                answer("아무때나", Verdict.MORNING, "reviewer-2", 8),
                answer("미정", Verdict.MORNING, "reviewer-1", 2),
                answer("미정", Verdict.WITHDRAWN, "reviewer-1", 3),
                answer("오후 3시", Verdict.MORNING, "reviewer-1", 4),
                answer("not of this run", Verdict.MORNING, "reviewer-1", 4),
            ]
        )
        return answers.standing()


def test_answers_settle_in_the_order_of_their_first_word(standing):
    found = review_yield(TEXTS, standing, POLICY)
    told = [(step.raw, step.reviewer, step.verdict, step.rows, step.so_far) for step in found.settled]
    assert told == [
        ("7시", "reviewer-2", Verdict.AFTERNOON, 1, 1),
        ("8시", "reviewer-1", Verdict.MORNING, 6, 7),
        (None, "reviewer-1", Verdict.NEITHER, 3, 10),
    ]
    assert [(text.raw, len(words)) for text, words in found.conflicts] == [("아무때나", 2)]
    assert [text.raw for text in found.left] == ["미정"]


def test_every_row_is_alone_settled_in_conflict_or_left(standing):
    found = review_yield(TEXTS, standing, POLICY)
    settled = sum(step.rows for step in found.settled)
    waiting = sum(text.rows for text, _ in found.conflicts) + sum(text.rows for text in found.left)
    assert found.rows == found.alone + settled + waiting == 100
    assert (found.before, found.after, found.settled_share) == (0.80, 0.87, 0.90)
    assert found.with_period == 7
    assert found.best == (9, 15, 18)


def test_who_and_when(standing):
    found = review_yield(TEXTS, standing, POLICY)
    assert list(by_reviewer(found.settled).items()) == [("reviewer-1", Share(2, 9)), ("reviewer-2", Share(1, 1))]
    assert list(by_day(found.settled).items()) == [
        ((date(2026, 1, 5), "reviewer-1"), Share(1, 6)),
        ((date(2026, 1, 5), "reviewer-2"), Share(1, 1)),
        ((date(2026, 1, 6), "reviewer-1"), Share(1, 3)),
    ]
    assert left_by_reason(found.left, POLICY) == {"placeholder": Share(1, 1)}


def test_nobody_has_answered():
    found = review_yield(TEXTS, NOTHING, POLICY)
    assert (found.before, found.after, found.settled, found.best) == (0.80, 0.80, (), ())
    assert review_yield([], NOTHING, POLICY).after == 0
