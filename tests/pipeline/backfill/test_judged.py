"""What reviewers say holds a plan back: end to end, with the sentence, its exit code and the table as it was."""

import csv
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from filled_workbench import auto, fill
from live_move import OJEON, Move, seal

from fixtures.clinic.generate import generate
from fixtures.clinic.load import create, load
from pipeline import audit_file, audit_sample, dictionary, manifest, review_file, run_audit
from pipeline.answers import NOTHING, Answer, Purpose, Verdict, open_answers
from pipeline.backfill.judged import refuse_contradicted, refuse_unaudited
from pipeline.backfill.plan import find_plan
from pipeline.errors import OjeonError, RunError
from pipeline.workbench import FILE_NAME, open_workbench

TABLE = """
CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, "preferredDate" date, "createdAt" timestamp(3),
    period text, "timeSlotStart" varchar(5));
INSERT INTO reservations (id, "preferredTime")
    SELECT 'r' || n, CASE WHEN n < 10 THEN '14:00' ELSE '오전 10시' END FROM generate_series(1, 12) n;
"""
RUN = "20261123-101500-3f2a"
DECIDED = {"14:00": ("AFTERNOON", "14:00"), "오전 10시": ("MORNING", "10:00")}
RIGHT = {text: Verdict(period) for text, (period, _) in DECIDED.items()}


@pytest.fixture
def move(database, tmp_path):
    """A plan whose run drew a sample of both its texts."""
    with psycopg.connect(database) as connection:
        connection.execute(TABLE)
    with open_workbench(tmp_path) as workbench:
        fill(workbench, [auto("14:00", 9, "AFTERNOON"), auto("오전 10시", 3, "MORNING")])
        audit_sample.draw(workbench, RUN, 0.001, 0.95)
        (fact,) = workbench.execute("SELECT value FROM facts WHERE name = 'audit'").fetchone()
    folder = seal(tmp_path / RUN, database, DECIDED, facts={"audit": json.loads(fact)})
    shutil.move(tmp_path / FILE_NAME, folder / FILE_NAME)
    return Move(database, folder)


def say(move, verdicts, *, reviewer="reviewer-1", purpose=Purpose.AUDIT):
    """Keep answers where the commands look for them; returns what all of them come to."""
    now = datetime.now(UTC)
    with open_answers(move.folder.parent / "answers.sqlite") as answers:
        answers.add(
            Answer(text, verdict, reviewer, now, "", RUN, "T0", "test", purpose) for text, verdict in verdicts.items()
        )
        return answers.standing()


def ojeon(move, *words, **environment):
    ours = ("OJEON_", "PG", "DATABASE_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    settings = {"DATABASE_URL": move.url, "OJEON_RUNS": str(move.folder.parent), **environment}
    return subprocess.run([OJEON, *words], env=clean | settings, capture_output=True, text=True, check=False)


def filled(move):
    return move.execute("SELECT count(period) FROM reservations")[0][0]


def refused(move, *words, **environment):
    """What a command says that must leave the table as it was."""
    before = move.snapshot()
    done = ojeon(move, *words, **environment)
    assert done.returncode == 2, done
    assert move.snapshot() == before
    assert "오전" not in done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_without_answers_and_requirements_a_plan_is_applied_as_ever(move):
    assert ojeon(move, "apply", RUN, "--yes").returncode == 0
    assert filled(move) == 12


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("apply", RUN, "--yes", "--require-audit"), {}),
        (("apply", RUN, "--dry-run", "--require-audit"), {}),
        (("apply", RUN, "--yes"), {"OJEON_MOVE__REQUIRE_AUDIT": "true"}),
        (("dual-write", "install", RUN, "--require-audit"), {}),
        (("sync", RUN, "--yes", "--require-audit"), {}),
    ],
)
def test_where_audits_are_required_a_pending_one_holds_the_plan_back(move, words, environment):
    say(move, {"14:00": Verdict.AFTERNOON})
    assert refused(move, *words, **environment) == (
        f"The audit of {RUN} is pending: 1 of its 2 texts still to be judged, and only a run whose audit passed is "
        f"applied here (--require-audit). Have audit_sample.csv in {move.folder} filled and take it in with `ojeon "
        f"review import`; `ojeon review audit {RUN}` shows where it stands."
    )


def test_a_passed_audit_lets_it_through(move):
    say(move, RIGHT)
    assert ojeon(move, "apply", RUN, "--yes", "--require-audit").returncode == 0
    assert filled(move) == 12


@pytest.mark.parametrize(("verdict", "purpose"), [(Verdict.NEITHER, Purpose.AUDIT), (Verdict.MORNING, Purpose.REVIEW)])
def test_a_disagreement_holds_it_back_whatever_is_required(move, verdict, purpose):
    say(move, RIGHT)
    say(move, {"14:00": verdict}, purpose=purpose)
    assert refused(move, "apply", RUN, "--yes", "--no-require-audit") == (
        f"Reviewers contradict the plan in {move.folder}, or each other, about 1 text in 1 of its rows, and what may "
        "be wrong is not applied. Plan again with `ojeon run`, which goes by their answers; `ojeon undo` takes back "
        "what this run has filled."
    )


def test_reviewers_who_differ_hold_it_back_until_they_agree(move):
    say(move, RIGHT)
    say(move, {"14:00": Verdict.MORNING}, reviewer="reviewer-2")
    assert "about 1 text in 1 of its rows" in refused(move, "apply", RUN, "--yes")
    say(move, {"14:00": Verdict.WITHDRAWN}, reviewer="reviewer-2")
    assert ojeon(move, "apply", RUN, "--yes", "--require-audit").returncode == 0


def test_a_mistake_found_late_stops_all_but_the_way_back(move):
    assert ojeon(move, "apply", RUN, "--yes").returncode == 0
    say(move, {"14:00": Verdict.NEITHER})
    for words in (("apply", RUN, "--yes"), ("sync", RUN, "--yes"), ("dual-write", "install", RUN)):
        assert refused(move, *words).startswith("Reviewers contradict the plan")
    assert ojeon(move, "undo", RUN, "--yes").returncode == 0
    assert filled(move) == 0


def test_a_sync_goes_by_what_reviewers_say(move):
    """Also of texts of which the plan knows nothing, such as those that people settled before it was made."""
    assert ojeon(move, "apply", RUN, "--yes").returncode == 0
    arrived = {"15:00": 1, "16:00": 2, "아무때나": 3, "미정": 4, "17:00": 5}
    for number, (text, rows) in enumerate(arrived.items()):
        for row in range(rows):
            insert = 'INSERT INTO reservations (id, "preferredTime") VALUES (%s, %s)'
            move.execute(insert, f"new {number}.{row}", text)
    settled = {"15:00": Verdict.NEITHER, "16:00": Verdict.MORNING, "아무때나": Verdict.AFTERNOON}
    say(move, settled | {"17:00": Verdict.AFTERNOON}, purpose=Purpose.REVIEW)
    say(move, {"17:00": Verdict.NEITHER}, reviewer="reviewer-2")
    done = ojeon(move, "sync", RUN, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["texts"], told["changed"], told["waiting_texts"], told["waiting_rows"]) == (2, 5, 2, 9)
    query = """SELECT DISTINCT "preferredTime", period FROM reservations WHERE id LIKE 'new%'"""
    assert dict(move.execute(query)) == {
        "15:00": None,
        "16:00": "MORNING",
        "아무때나": "AFTERNOON",
        "미정": None,
        "17:00": None,
    }
    (listed,) = told["written_down"]
    assert review_file.keys_in(Path(listed)) == {review_file.key(RUN, text) for text in ("미정", "17:00")}


def test_answers_are_looked_for_where_they_are_kept(move, tmp_path):
    say(move, {"14:00": Verdict.NEITHER})
    told = refused(move, "apply", str(move.folder), "--yes", OJEON_RUNS=str(tmp_path / "other"))  # beside the run
    assert told.startswith("Reviewers contradict the plan")
    (tmp_path / "answers.sqlite").rename(tmp_path / "elsewhere.sqlite")
    told = refused(move, "apply", RUN, "--yes", "--answers", tmp_path / "elsewhere.sqlite")
    assert told.startswith("Reviewers contradict the plan")


def test_words_about_other_texts_hold_nothing_back(move):
    words = say(move, {"아무때나": Verdict.MORNING, None: Verdict.NEITHER} | RIGHT)
    refuse_contradicted(find_plan(move.folder), words)
    refuse_unaudited(find_plan(move.folder), words)


@pytest.mark.parametrize(
    ("verdicts", "holds"),
    [
        ({"14:00": Verdict.AFTERNOON}, True),
        ({"14:00": Verdict.MORNING}, False),
        ({"14:00": Verdict.WITHDRAWN}, False),  # taken back
        ({"오전 10시": Verdict.MORNING}, False),  # about another text: the store has never heard of the answer
    ],
)
def test_a_decision_made_by_people_holds_as_long_as_their_word(move, verdicts, holds):
    path = move.folder / dictionary.FILE_NAME
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    reviewed = [line | {"rule": "reviewed"} if line["raw"] == "14:00" else line for line in lines]
    path.write_text("".join(json.dumps(line) + "\n" for line in reviewed), encoding="utf-8")
    plan, words = find_plan(move.folder), say(move, verdicts)
    if holds:
        refuse_contradicted(plan, words)
    else:
        with pytest.raises(OjeonError, match="about 1 text in 1 of its rows"):
            refuse_contradicted(plan, words)


def test_a_run_from_before_there_were_audits(move, tmp_path):
    (tmp_path / "other").mkdir()
    old = find_plan(seal(tmp_path / "other" / RUN, move.url, DECIDED))
    with pytest.raises(
        OjeonError, match=r"drew no audit sample, .* \(--require-audit\)\. Plan again with `ojeon run`\."
    ):
        refuse_unaudited(old, NOTHING)
    refuse_contradicted(old, say(move, RIGHT))


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM audit_sample WHERE raw = '14:00'",
        "UPDATE audit_sample SET draws = 8 WHERE raw = '14:00'",
        "UPDATE audit_sample SET period = 'MORNING'",
        "DELETE FROM facts WHERE name = 'audit'",
        """UPDATE facts SET value = replace(value, '"rows": 12', '"rows": 1') WHERE name = 'audit'""",
    ],
)
def test_a_sample_that_is_not_the_one_that_was_drawn(move, change):
    words = say(move, RIGHT)
    with open_workbench(move.folder) as workbench:
        assert workbench.execute(change).fetchone() != (0,)
    with pytest.raises(RunError, match=r"is not the one that the run drew\. Put the file back .*`ojeon run`\."):
        run_audit.standing_in(move.folder, words)


def test_a_sample_that_cannot_be_read(move):
    (move.folder / FILE_NAME).unlink()
    told = r"workbench\.duckdb, which holds the audit sample, cannot be read \(IOException\)"
    with pytest.raises(RunError, match=told):
        refuse_unaudited(find_plan(move.folder), say(move, RIGHT))


def test_the_command_shows_where_it_stands(move):
    done = ojeon(move, "review", "audit", RUN)
    assert done.returncode == 0
    assert "pending" in done.stdout
    assert "0 of 2 texts" in done.stdout
    say(move, RIGHT)
    told = json.loads(ojeon(move, "review", "audit", str(move.folder), "--json").stdout)
    assert (told["run"], told["state"], told["bound"], told["census"]) == (RUN, "passed", 0.0, True)
    say(move, {"14:00": Verdict.NEITHER})
    done = ojeon(move, "review", "audit", RUN, "--json")
    assert done.returncode == 1
    (wrong,) = json.loads(done.stdout)["disagreements"]
    assert (wrong["text"], wrong["decided"], wrong["rule"], wrong["verdict"]) == (
        "14:00",
        "AFTERNOON",
        "clock",
        "NEITHER",
    )
    assert "failed" in ojeon(move, "review", "audit", RUN).stdout


def test_the_command_says_what_is_missing(move, tmp_path):
    assert "There is no run nowhere" in refused(move, "review", "audit", "nowhere")
    (tmp_path / "runs").mkdir()
    seal(tmp_path / "runs" / RUN, move.url, DECIDED)
    assert "drew no audit sample" in refused(move, "review", "audit", RUN, OJEON_RUNS=str(tmp_path / "runs"))


def test_from_the_run_to_the_table_through_reviewers(database, tmp_path):
    """A run draws, a reviewer judges blind, import takes it in, apply goes ahead; then the reviewer thinks again."""
    create(database)
    load(database, generate(1_500))
    runs = tmp_path / "runs"
    move = Move(database, runs / "none")
    done = ojeon(move, "run", "--max-error", "0.02", "--confidence", "0.9")
    assert done.returncode == 0, done.stderr
    assert "AUTO texts drawn at random, in audit_sample.xlsx" in done.stderr
    move = Move(database, Path(done.stdout.strip()))
    assert {audit_file.FILE_NAME, audit_file.SHEET_NAME} <= set(manifest.read(move.folder)["files"])
    before = move.snapshot()
    assert "is pending" in refused(move, "apply", move.run_id, "--yes", "--require-audit")
    periods = {entry.raw: entry.period for entry in dictionary.read(move.folder)}
    told = {review_file.key(move.run_id, raw): period for raw, period in periods.items()}
    path = tmp_path / "filled.csv"
    with (move.folder / audit_file.FILE_NAME).open(encoding="utf-8-sig", newline="") as file:
        lines = [line | {"decision": told[line["key"]]} for line in csv.DictReader(file)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    done = ojeon(move, "review", "import", move.run_id, str(path), "--reviewer", "접수1")
    assert done.returncode == 0, done.stderr
    standing = json.loads(ojeon(move, "review", "audit", move.run_id, "--json").stdout)
    assert (standing["state"], standing["texts"], standing["draws"]) == ("passed", len(lines), 114)
    assert 0 < standing["bound"] <= 0.02
    assert ojeon(move, "apply", move.run_id, "--yes", "--require-audit").returncode == 0
    assert ojeon(move, "undo", move.run_id, "--yes").returncode == 0
    assert move.snapshot() == before
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["key", "decision"], [lines[0]["key"], "둘 다 아님"]])
    assert ojeon(move, "review", "import", move.run_id, str(path), "--reviewer", "접수1").returncode == 0
    assert ojeon(move, "review", "audit", move.run_id).returncode == 1
    assert refused(move, "apply", move.run_id, "--yes").startswith("Reviewers contradict the plan")
