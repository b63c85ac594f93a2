"""Where an audit stands: judged, disputed, disagreed, passed; and that its bound is never smaller than the truth."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline import answers, audit
from pipeline.answers import Answer, Purpose, Verdict, open_answers
from pipeline.audit import State, standing
from pipeline.audit_bound import upper_bound
from pipeline.audit_sample import Sample, Sampled
from pipeline.audit_view import as_dict, audit_view
from pipeline.settings import AuditSettings

RUN = "20261123-101500-3f2a"
LIMITS = AuditSettings(max_error=0.05, confidence=0.9)
BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
# 45 draws are needed for these limits; the last text stands for its rule alone.
SAMPLE = Sample(
    1_000,
    9,
    (
        Sampled("오전 10시", "clock", "MORNING", 600, 25),
        Sampled("14:00", "hour_24", "AFTERNOON", 300, 19),
        Sampled("2시~5시", "range", "AFTERNOON", 4, 1),
        Sampled("정오", "noon", "AFTERNOON", 2, 0),
    ),
)
CENSUS = Sample(10, 2, (Sampled("오전 10시", "clock", "MORNING", 9, 9), Sampled("14:00", "hour_24", "AFTERNOON", 1, 1)))
RIGHT = {line.raw: Verdict(line.period) for line in SAMPLE.lines}


@pytest.fixture
def store(tmp_path):
    with open_answers(tmp_path / "answers.sqlite") as opened:
        yield opened


def says(store, verdicts, *, reviewer="reviewer-1", purpose=Purpose.AUDIT, run_id=RUN):
    given = [
        Answer(text, verdict, reviewer, BEGAN + timedelta(minutes=minute), "", run_id, "T0", "test", purpose)
        for minute, (text, verdict) in enumerate(verdicts.items())
    ]
    store.add(given)
    return standing(SAMPLE, store.standing(), LIMITS)


def screen(found):
    console = Console(file=StringIO(), width=200, force_terminal=False)
    console.print(audit_view(RUN, found))
    return console.file.getvalue()


def test_before_anybody_has_judged_nothing_is_known():
    found = standing(SAMPLE, answers.NOTHING, LIMITS)
    assert (found.state, found.judged, found.open, found.texts, found.draws) == (State.PENDING, 0, 4, 4, 45)
    assert (found.bound, found.open_draws, found.errors, found.rows) == (1.0, 45, 0, 1_000)
    assert found.sentence == (
        "with 90 % confidence at most 100 % of the AUTO rows are wrong (what is open counts as wrong)"
    )


def test_it_passes_when_every_text_is_judged_right(store):
    found = says(store, RIGHT)
    assert (found.state, found.judged, found.open, found.conflicts, found.disagreements) == (State.PASSED, 4, 0, 0, ())
    assert found.bound == upper_bound(0, 45, 0.9) <= 0.05
    assert found.sentence == "with 90 % confidence at most 5 % of the AUTO rows are wrong"


@pytest.mark.parametrize("missing", RIGHT)
def test_it_is_pending_while_one_text_is_open(store, missing):
    found = says(store, {text: verdict for text, verdict in RIGHT.items() if text != missing})
    assert (found.state, found.judged, found.open) == (State.PENDING, 3, 1)
    draws = {line.raw: line.draws for line in SAMPLE.lines}[missing]
    assert found.open_draws == draws
    assert found.bound == upper_bound(draws, 45, 0.9)
    assert found.sentence.endswith("(what is open counts as wrong)")


@pytest.mark.parametrize("verdict", [Verdict.AFTERNOON, Verdict.NEITHER])
def test_one_disagreement_fails_it_even_before_the_rest_is_judged(store, verdict):
    found = says(store, {"오전 10시": verdict})
    assert (found.state, found.judged, found.errors, found.open_draws) == (State.FAILED, 1, 25, 20)
    (wrong,) = found.disagreements
    assert (wrong.sampled.raw, wrong.verdict, wrong.reviewers) == ("오전 10시", verdict, ("reviewer-1",))


def test_a_wrong_text_that_was_not_drawn_fails_it_and_leaves_the_bound(store):
    found = says(store, RIGHT | {"정오": Verdict.NEITHER})
    assert (found.state, found.errors, len(found.disagreements)) == (State.FAILED, 0, 1)
    assert found.bound == upper_bound(0, 45, 0.9)


def test_reviewers_who_differ_leave_a_text_open_until_they_agree(store):
    says(store, RIGHT)
    found = says(store, {"14:00": Verdict.NEITHER}, reviewer="reviewer-2")
    assert (found.state, found.judged, found.conflicts, found.disagreements) == (State.PENDING, 3, 1, ())
    found = says(store, {"14:00": Verdict.AFTERNOON}, reviewer="reviewer-2")
    assert (found.state, found.conflicts) == (State.PASSED, 0)
    found = says(store, {"14:00": Verdict.NEITHER}, reviewer="reviewer-2")
    found = says(store, {"14:00": Verdict.NEITHER})
    assert found.state is State.FAILED
    assert found.disagreements[0].reviewers == ("reviewer-1", "reviewer-2")


def test_a_word_taken_back_opens_the_text_again(store):
    says(store, RIGHT)
    assert says(store, {"14:00": Verdict.WITHDRAWN}).state is State.PENDING


def test_a_word_that_was_not_blind_judges_nothing_but_tells_what_is_wrong(store):
    found = says(store, RIGHT, purpose=Purpose.REVIEW)
    assert (found.state, found.judged) == (State.PENDING, 0)
    found = says(store, {"14:00": Verdict.MORNING}, purpose=Purpose.REVIEW)
    assert (found.state, found.judged, found.errors) == (State.FAILED, 1, 19)


def test_a_text_judged_blind_in_another_run_need_not_be_judged_again(store):
    assert says(store, RIGHT, run_id="20261101-080000-aaaa").state is State.PASSED


def test_words_about_other_texts_change_nothing(store):
    found = says(store, {"오후": Verdict.MORNING, None: Verdict.NEITHER})
    assert found == standing(SAMPLE, answers.NOTHING, LIMITS)


def test_a_census_knows_the_share_itself(store):
    says(store, {"오전 10시": Verdict.MORNING})
    found = standing(CENSUS, store.standing(), LIMITS)
    assert (found.state, found.is_census, found.bound) == (State.PENDING, True, 0.1)
    says(store, {"14:00": Verdict.AFTERNOON})
    found = standing(CENSUS, store.standing(), LIMITS)
    assert (found.state, found.bound, found.sentence) == (State.PASSED, 0.0, "at most 0 % of the AUTO rows are wrong")
    says(store, {"오전 10시": Verdict.NEITHER})
    found = standing(CENSUS, store.standing(), LIMITS)
    assert (found.state, found.bound, found.sentence) == (State.FAILED, 0.9, "at most 90 % of the AUTO rows are wrong")


def test_where_no_parser_decided_anything_there_is_nothing_to_judge():
    found = standing(Sample(0, 0, ()), answers.NOTHING, LIMITS)
    assert (found.state, found.bound, found.texts, found.is_census) == (State.PASSED, 0.0, 0, True)
    assert found.sentence == "the run would fill no row, so none can be wrong"
    shown = screen(found)
    assert "nothing to audit" in shown
    assert "nothing to apply" in shown
    assert "passed" not in shown
    assert "ojeon apply" not in shown


# Of these, reviewers decided two before the run.
KNOWN = Sample(
    1_000,
    9,
    (
        Sampled("오전 10시", "reviewed", "MORNING", 600, 25),
        Sampled("14:00", "hour_24", "AFTERNOON", 300, 19),
        Sampled("정오", "reviewed", "AFTERNOON", 2, 1),
    ),
)
ANSWERED = {line.raw: Verdict(line.period) for line in KNOWN.lines if line.is_reviewed}


def known_after(store, verdicts, **more):
    says(store, verdicts, **{"purpose": Purpose.REVIEW, **more})
    return standing(KNOWN, store.standing(), LIMITS)


def test_what_reviewers_decided_before_the_run_is_known_without_being_asked_again(store):
    found = known_after(store, ANSWERED)
    assert (found.state, found.judged, found.known, found.open) == (State.PENDING, 2, 2, 1)
    assert (found.open_draws, found.bound) == (19, upper_bound(19, 45, 0.9))
    assert "2 of 3 texts, 2 known from earlier answers, 1 open" in screen(found)
    assert "ojeon review import" in screen(found)
    found = known_after(store, {"14:00": Verdict.AFTERNOON}, purpose=Purpose.AUDIT)
    assert (found.state, found.judged, found.known, found.unfounded) == (State.PASSED, 3, 2, 0)
    assert found.bound == upper_bound(0, 45, 0.9)


def test_an_answer_that_is_no_longer_in_force_opens_what_rests_on_it(store):
    known_after(store, ANSWERED | {"14:00": Verdict.AFTERNOON}, purpose=Purpose.AUDIT)
    found = known_after(store, {"정오": Verdict.NEITHER}, reviewer="reviewer-2")
    assert (found.state, found.known, found.unfounded, found.conflicts) == (State.PENDING, 1, 1, 1)
    assert found.bound == upper_bound(1, 45, 0.9)
    found = known_after(store, {"정오": Verdict.WITHDRAWN}, reviewer="reviewer-2")
    assert (found.state, found.known, found.unfounded) == (State.PASSED, 2, 0)
    found = known_after(store, {"오전 10시": Verdict.WITHDRAWN}, purpose=Purpose.AUDIT)
    assert (found.state, found.known, found.unfounded, found.open_draws) == (State.PENDING, 1, 1, 25)
    assert "ojeon run: 1 text decided by an answer that is no longer in force" in screen(found)


def test_an_answer_that_was_changed_since_the_run_makes_its_decision_wrong(store):
    known_after(store, ANSWERED)
    found = known_after(store, {"정오": Verdict.MORNING})
    assert (found.state, found.known, found.errors) == (State.FAILED, 1, 1)
    assert [wrong.sampled.raw for wrong in found.disagreements] == ["정오"]


def test_a_census_counts_what_is_known_as_the_sample_does(store):
    census = Sample(10, 2, (Sampled("오전 10시", "reviewed", "MORNING", 9, 9), CENSUS.lines[1]))
    known_after(store, {"오전 10시": Verdict.MORNING})
    found = standing(census, store.standing(), LIMITS)
    assert (found.state, found.is_census, found.known, found.bound) == (State.PENDING, True, 1, 0.1)


verdicts = st.sampled_from([None, Verdict.MORNING, Verdict.AFTERNOON, Verdict.NEITHER])


@given(st.lists(verdicts, min_size=4, max_size=4), st.lists(verdicts, min_size=4, max_size=4))
def test_judging_more_never_raises_the_bound_unless_something_is_wrong(first, more):
    """Open counts as wrong, so that nobody can choose what to judge until the figure pleases."""

    def words(given):
        said = {
            line.raw: answers.Settled(
                verdict, (Answer(line.raw, verdict, "r", BEGAN, "", RUN, "T0", "test", Purpose.AUDIT),)
            )
            for line, verdict in zip(SAMPLE.lines, given, strict=True)
            if verdict
        }
        return answers.Standing(said, {}, len(said), "")

    before = standing(SAMPLE, words(first), LIMITS)
    after = standing(SAMPLE, words([old or new for old, new in zip(first, more, strict=True)]), LIMITS)
    assert after.bound <= before.bound
    assert after.judged >= before.judged
    assert after.errors >= before.errors
    assert after.errors + after.open_draws <= before.errors + before.open_draws
    for found in (before, after):
        assert found.bound == upper_bound(found.errors + found.open_draws, 45, 0.9)
        assert (found.state is State.FAILED) == bool(found.disagreements)
        assert (found.state is State.PASSED) == (found.judged == 4 and not found.disagreements)


HOSTILE = "예약자 김하늘 010-1234-5678 [bold]오후\u202e 3시[/bold]\x1b[31m"


def failed():
    line = Sampled(HOSTILE, "halfday_clock", "AFTERNOON", 1_200, 2)
    words = Answer(HOSTILE, Verdict.NEITHER, "접수1", BEGAN, "", RUN, "T0", "test", Purpose.AUDIT)
    said = answers.Standing({HOSTILE: answers.Settled(Verdict.NEITHER, (words,))}, {}, 1, "")
    return standing(Sample(5_000, 900, (line, *SAMPLE.lines)), said, LIMITS)


def test_a_script_learns_all_and_no_personal_data():
    told = json.loads(json.dumps(as_dict(RUN, failed())))
    (wrong,) = told.pop("disagreements")
    assert wrong["text"].startswith("예약자 ••• •••")
    assert "김하늘" not in wrong["text"]
    assert "5678" not in wrong["text"]
    assert "\u202e" not in wrong["text"]
    assert wrong["key"].startswith("T")
    assert {name: wrong[name] for name in ("rows", "draws", "decided", "rule", "verdict", "reviewers")} == {
        "rows": 1_200,
        "draws": 2,
        "decided": "AFTERNOON",
        "rule": "halfday_clock",
        "verdict": "NEITHER",
        "reviewers": ["접수1"],
    }
    assert told.pop("sentence").startswith("with 90 % confidence at most ")
    assert told.pop("bound") == upper_bound(47, 47, 0.9)
    assert told == {
        "run": RUN,
        "state": "failed",
        "rows": 5_000,
        "texts": 5,
        "judged": 1,
        "known": 0,
        "open": 4,
        "unfounded": 0,
        "conflicts": 0,
        "draws": 47,
        "errors": 2,
        "open_draws": 45,
        "max_error": 0.05,
        "confidence": 0.9,
        "census": False,
    }


def test_a_person_sees_the_same_with_markup_and_controls_spelled_out():
    shown = screen(failed())
    for piece in ("failed", "1 of 5 texts, 4 open", "47 rows drawn at random out of 5,000", "1 text, drawn 2 times"):
        assert piece in shown
    assert "[bold]" in shown
    assert "\x1b" not in shown
    assert "5678" not in shown
    assert "halfday_clock" in shown
    assert "접수1" in shown


def test_a_long_list_of_disagreements_is_cut_for_people_only():
    lines = tuple(Sampled(f"{number}시", "clock", "MORNING", number, 1) for number in range(60))
    said = {
        line.raw: answers.Settled(
            Verdict.NEITHER, (Answer(line.raw, Verdict.NEITHER, "r", BEGAN, "", RUN, "T0", "test", Purpose.AUDIT),)
        )
        for line in lines
    }
    found = standing(Sample(9_999, 999, lines), answers.Standing(said, {}, 60, ""), LIMITS)
    assert [wrong.sampled.rows for wrong in found.disagreements] == list(range(59, -1, -1))
    assert "and 10 more; --json lists all" in screen(found)
    assert len(as_dict(RUN, found)["disagreements"]) == 60


@given(st.floats(1e-9, 1))
def test_a_bound_is_never_told_smaller_than_it_is(share):
    told = audit._percent(share)
    assert told.endswith(" %")
    assert share <= float(told.removesuffix(" %")) / 100 * (1 + 1e-12) <= share * 1.1 * (1 + 1e-9)
