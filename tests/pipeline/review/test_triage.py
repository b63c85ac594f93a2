"""How a word is taken: against what its reviewer saw, all of it or none, and never twice."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.answers import Answer, Answers, Purpose, Verdict, open_answers
from pipeline.review.groups import Waiting
from pipeline.review.triage import ChangedMeanwhileError, Triage, Word, version

TEXTS = [Waiting("T1", "8시", 3), Waiting("T2", "7시", 2), Waiting("T3", None, 1)]
MORNING = Word("reviewer-1", Verdict.MORNING, "", {"T1": ""})


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with open_answers(tmp_path / "answers.sqlite") as opened:
        yield opened


@pytest.fixture
def triage(answers: Answers) -> Triage:
    return Triage("run-1", TEXTS, answers, Purpose.REVIEW)


def verdicts(triage: Triage) -> dict[str, list[str]]:
    return {key: [answer.verdict for answer in said] for key, said in triage.said().items()}


def test_a_word_stands_for_all_its_texts(triage: Triage) -> None:
    told = triage.take(Word("reviewer-1", Verdict.NEITHER, "why", {"T1": "", "T3": ""})).said
    assert {key: [answer.note for answer in said] for key, said in told.items()} == {"T1": ["why"], "T3": ["why"]}
    assert verdicts(triage) == {"T1": ["NEITHER"], "T3": ["NEITHER"]}


def test_a_word_against_what_was_not_seen_is_refused_whole(triage: Triage) -> None:
    seen = version(triage.take(MORNING).said["T1"])
    late = Word("reviewer-2", Verdict.AFTERNOON, "", {"T1": "", "T2": ""})
    with pytest.raises(ChangedMeanwhileError) as refused:
        triage.take(late)
    assert refused.value.keys == ("T1",)
    assert verdicts(triage) == {"T1": ["MORNING"]}
    triage.take(replace(late, seen={"T1": seen, "T2": ""}))
    assert verdicts(triage) == {"T1": ["MORNING", "AFTERNOON"], "T2": ["AFTERNOON"]}


def test_the_same_word_sent_again_is_taken_once(triage: Triage, answers: Answers) -> None:
    assert triage.take(MORNING).said == triage.take(MORNING).said
    assert len(answers.history("8시")) == 1
    back = replace(MORNING, verdict=Verdict.WITHDRAWN, seen={"T1": version(triage.said()["T1"])})
    assert triage.take(back).said == triage.take(back).said == {"T1": ()}
    assert [answer.verdict for answer in answers.history("8시")] == ["MORNING", "WITHDRAWN"]


def test_another_note_is_another_word(triage: Triage) -> None:
    seen = {"T1": version(triage.take(MORNING).said["T1"])}
    told = triage.take(replace(MORNING, note="by telephone", seen=seen)).said
    assert [answer.note for answer in told["T1"]] == ["by telephone"]


def test_what_is_not_shown_cannot_be_answered(triage: Triage) -> None:
    with pytest.raises(KeyError):
        triage.take(replace(MORNING, seen={"T1": "", "T9": ""}))
    assert verdicts(triage) == {}


def test_one_reviewer_cannot_take_back_anothers_word(triage: Triage) -> None:
    seen = {"T1": version(triage.take(MORNING).said["T1"])}
    triage.take(Word("reviewer-2", Verdict.WITHDRAWN, "", seen))
    assert verdicts(triage) == {"T1": ["MORNING"]}


def test_an_audit_hears_only_what_was_said_blind(answers: Answers, triage: Triage) -> None:
    triage.take(MORNING)
    audit = Triage("run-1", TEXTS, answers, Purpose.AUDIT)
    assert verdicts(audit) == {}
    audit.take(Word("reviewer-2", Verdict.AFTERNOON, "", {"T1": ""}))
    assert verdicts(audit) == {"T1": ["AFTERNOON"]}
    assert verdicts(triage) == {"T1": ["MORNING", "AFTERNOON"]}


def test_a_version_names_what_stands(triage: Triage) -> None:
    assert version(()) == ""
    first = version(triage.take(MORNING).said["T1"])
    other = Word("reviewer-2", Verdict.MORNING, "", {"T1": first})
    assert len({"", first, version(triage.take(other).said["T1"])}) == 3


def test_a_revision_moves_with_every_word_and_only_then(triage: Triage) -> None:
    before = triage.revision()
    taken = triage.take(MORNING)
    assert (taken.since, taken.revision) == (before, triage.revision())
    assert taken.revision != before
    again = triage.take(MORNING)
    assert again.since == again.revision == taken.revision


def test_a_revision_is_not_told_where_somebody_spoke_in_between(triage: Triage, answers: Answers) -> None:
    speak, other = answers.add, Triage("run-1", TEXTS, answers, Purpose.REVIEW)

    def both(words: Iterable[Answer]) -> int:
        answers.add = speak  # type: ignore[method-assign]
        other.take(Word("reviewer-2", Verdict.MORNING, "", {"T2": ""}))
        return speak(words)

    answers.add = both  # type: ignore[method-assign]
    assert triage.take(MORNING).revision is None
    assert verdicts(triage).keys() == {"T1", "T2"}
