"""A run as an analyst finds it after a move: applied, verified, and partly answered by reviewers."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from live_move import Move

from fixtures.clinic.generate import generate
from fixtures.clinic.load import create, load
from parsers import Disposition, decide
from pipeline.address import read_address
from pipeline.answers import Answer, Verdict, open_answers
from pipeline.backfill.verify import verify
from pipeline.extract import source_of
from pipeline.finished_run import FinishedRun, open_finished
from pipeline.insight.open_texts import open_texts
from pipeline.review_file import key
from pipeline.settings import Settings
from pipeline.way import open_run, travel

PERSONAL = ("예약자 김하늘 010-1234-5678", "환자 김하늘 오후 3시 a.b@example.invalid")
"""Frequent texts with personal data, one for people and one that tells its half; invented."""
SECRETS = ("김하늘", "1234-5678", "a.b@example")
ANSWERED = 40
CONFLICTS = 3
_PERSONAL = """
UPDATE reservations SET "preferredTime" = CASE WHEN id < 'cd' THEN %s ELSE %s END WHERE id < 'ce' AND period IS NULL
"""
_MONDAY = datetime(2026, 1, 5, 1, tzinfo=UTC)


def prepare(url: str, runs: Path, rows: int) -> Path:
    """Take an invented clinic in the empty database at ``url`` all the way; returns the run's folder in ``runs``."""
    create(url)
    load(url, generate(rows, already_set=0.15))
    with psycopg.connect(url) as connection:
        connection.execute(_PERSONAL, PERSONAL)
    run = open_run(Settings(runs=runs, min_auto=0.0), source_of(url, None))
    travel(run, lambda _step: lambda _done, _planned: None)
    run.workbench.close()
    Move(url, run.folder, ("period", "service")).apply()
    assert verify(read_address(url), run.folder).passed
    answer(run.folder)
    return run.folder


def answer(folder: Path) -> None:
    """Let two reviewers answer some of the texts that wait: one from the top, the other as they come."""
    run = open_finished(folder)
    with run.workbench:
        waiting = [text.raw for text in open_texts(run.workbench) if _waits(run, text.raw)]
    with open_answers(run.answers_file) as answers:
        answers.add(_answers(run, waiting))


def _waits(run: FinishedRun, raw: str | None) -> bool:
    return decide(raw, run.policy).disposition is Disposition.REVIEW


def _answers(run: FinishedRun, waiting: Sequence[str | None]) -> Iterator[Answer]:
    verdicts = [Verdict.AFTERNOON, Verdict.MORNING, Verdict.NEITHER]
    half = ANSWERED // 2
    asked = [("reviewer-1", raw) for raw in waiting[:half]]
    asked += [("reviewer-2", raw) for raw in waiting[half::7][:half]]
    for place, (reviewer, raw) in enumerate(asked):
        at = _MONDAY + timedelta(seconds=20 * place) + timedelta(days=place // half)
        yield Answer(raw, verdicts[place % 3], reviewer, at, "", run.run_id, key(run.run_id, raw), "test")
    for place, raw in enumerate(waiting[:CONFLICTS]):
        at = _MONDAY + timedelta(days=2, minutes=place)
        yield Answer(raw, verdicts[place - 1], "reviewer-2", at, "", run.run_id, key(run.run_id, raw), "test")
