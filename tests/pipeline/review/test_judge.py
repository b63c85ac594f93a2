"""A wrong decision found late, said in one command."""

import subprocess
import sys
from pathlib import Path

import pytest
from reviewed_run import finish

from pipeline.answers import Verdict, standing_of

RUN = "run-1"
OJEON = Path(sys.executable).with_name("ojeon")


def judge(runs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [OJEON, "review", "judge", RUN, *words, "--reviewer", "reviewer-1", "--runs", runs]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    finish(tmp_path / RUN, {"오후 3시": 20, "8시": 5})
    return tmp_path


@pytest.mark.parametrize(("text", "decision", "refused"), [("오후 3시", "오전", True), ("오후 3시", "PM", False)])
def test_an_auto_text_that_nobody_was_shown_takes_a_word(runs, text, decision, refused):
    done = judge(runs, text, decision, "--note", "전화로 확인")
    assert done.returncode == 0, done.stderr
    verdict = Verdict.MORNING if refused else Verdict.AFTERNOON
    assert standing_of(runs / "answers.sqlite").settled[text].verdict is verdict
    assert f"wins in the next run: {verdict}" in done.stderr
    assert ("Applying this run is refused now: Reviewers contradict the plan" in done.stderr) == refused


def test_a_listed_text_holds_nothing_back(runs):
    done = judge(runs, "8시", "MORNING")
    assert done.returncode == 0, done.stderr
    assert "refused" not in done.stderr


@pytest.mark.parametrize(("words", "why"), [(("8 시", "AM"), "says exactly this"), (("8시", "maybe"), "no decision")])
def test_nothing_is_kept_of_what_cannot_be_taken(runs, words, why):
    done = judge(runs, *words)
    assert done.returncode == 2
    assert why in done.stderr
    assert not standing_of(runs / "answers.sqlite").settled
