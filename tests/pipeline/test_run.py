"""The whole way in real processes: exit codes, what is left in the folder, and that every row is accounted for."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from fixtures.clinic.dump import write_csv, write_parquet
from fixtures.clinic.generate import generate
from fixtures.clinic.load import create, load

OJEON = Path(sys.executable).with_name("ojeon")
ROWS = 2_000
ARTEFACTS = {
    "manifest.json",
    "manual_review.csv",
    "manual_review.xlsx",
    "report.html",
    "undo",
    "updates",
    "workbench.duckdb",
}


def environment(**extra: str) -> dict[str, str]:
    ours = ("OJEON_", "PG", "DATABASE_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(ours)}, **extra}


def ojeon(*arguments: object, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [str(OJEON), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(**extra))


@pytest.fixture
def clinic(database):
    made = generate(ROWS, already_set=0.1)
    create(database)
    load(database, made)
    return database


def test_a_run_accounts_for_every_row_and_leaves_everything(clinic, tmp_path):
    done = ojeon("run", "--runs", tmp_path, "--json", DATABASE_URL=clinic)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    rows = manifest["rows"]
    with psycopg.connect(clinic) as connection:
        there = connection.execute("SELECT count(*), count(period) FROM reservations").fetchone()
    assert (rows["extracted"], rows["already_set"]) == there
    assert rows["extracted"] == rows["auto"] + rows["review"] + rows["already_set"] == ROWS
    assert manifest["apply"] == "allowed"
    assert {path.name for path in (tmp_path / manifest["run"]).iterdir()} >= ARTEFACTS
    assert "postgres@" not in (tmp_path / manifest["run"] / "manifest.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("OJEON_MIN_AUTO", "0.999", 3), ("OJEON_MAX_PERIOD_SHARE", "0.3", 1)],
)
def test_a_failed_check_leaves_the_evidence_and_a_plan_that_refuses(  # noqa: PLR0917 - three fixtures, three values
    clinic, server, tmp_path, setting, value, code
):
    done = ojeon("run", "--runs", tmp_path, DATABASE_URL=clinic, **{setting: value})
    assert done.returncode == code
    folder = Path(done.stdout.strip())
    assert {path.name for path in folder.iterdir()} >= ARTEFACTS
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["apply"] == "refused"
    command = [server.psql, "-X", "-d", clinic, "-f", folder / "updates" / "0001.sql"]
    played = subprocess.run(command, capture_output=True, text=True, check=False)
    assert played.returncode != 0
    assert "not to be applied" in played.stderr
    with psycopg.connect(clinic) as connection:
        changed = connection.execute("SELECT count(period) FROM reservations").fetchone()
    assert changed == (generate(ROWS, already_set=0.1).reservations["period"].drop_null().length(),)


def test_a_table_that_cannot_take_the_plan_is_said_so_everywhere(clinic, tmp_path):
    done = ojeon("run", "--runs", tmp_path, DATABASE_URL=clinic, OJEON_NAMES__PERIOD="half")
    assert done.returncode == 1
    why = 'There is no column \'half\' of "public"."reservations" yet.'
    folder = Path(done.stdout.strip())
    assert why in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["why"]
    report = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert "<title>NO-GO" in report
    assert why in report


def test_dumps_are_decided_like_the_table(tmp_path):
    made = generate(ROWS)
    write_csv(made, tmp_path / "dump.csv")
    write_parquet(made, tmp_path / "dump.parquet")
    rows = []
    for name in ("dump.csv", "dump.parquet"):
        done = ojeon("run", "--dump", tmp_path / name, "--runs", tmp_path / "runs", "--json")
        assert done.returncode == 0, done.stderr
        rows.append(json.loads(done.stdout)["rows"])
    assert rows[0] == rows[1]
    assert rows[0]["auto"] == sum(made.truth["auto"].to_pylist())


@pytest.mark.parametrize("command", ["run", "profile"])
def test_what_extract_noticed_is_told_and_kept(tmp_path, command):
    (tmp_path / "dump.csv").write_text("id,preferredTime,preferredDate,createdAt\n1,9:30,,\n")
    done = ojeon(command, "--dump", tmp_path / "dump.csv", "--json", OJEON_RUNS=str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    noticed = "There is no column 'period'; it counts as empty in every row."
    assert f"note: {noticed}" in done.stderr
    if command == "run":
        assert json.loads(done.stdout)["source"]["notices"] == [noticed]


def test_a_table_without_rows_is_said_to_have_none(tmp_path):
    (tmp_path / "dump.csv").write_text("id,preferredTime,preferredDate,createdAt,period\n")
    done = ojeon("run", "--dump", tmp_path / "dump.csv", "--runs", tmp_path / "runs")
    assert done.returncode == 1
    assert "note: There are no rows" in done.stderr


def test_a_closed_terminal_leaves_nothing_of_a_profile(tmp_path):
    command = [str(OJEON), "profile", "--dump", str(tmp_path / "dump.csv")]
    (tmp_path / "dump.csv").write_text("id,preferredTime\n" + "".join(f"{n},{n} 9:30\n" for n in range(100_000)))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(TMPDIR=str(tmp_path))) as run:
        assert run.stderr
        for line in run.stderr:
            if line.startswith("normalize"):
                run.send_signal(signal.SIGHUP)
                break
        run.stderr.read()
        assert run.wait(60) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["dump.csv"]


def test_profile_counts_every_row_and_keeps_nothing(clinic, tmp_path):
    done = ojeon("profile", "--json", DATABASE_URL=clinic, TMPDIR=str(tmp_path))
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert told["rows"] == ROWS == sum(shape["rows"] for shape in told["by_meaning"])
    assert list(tmp_path.iterdir()) == []


def test_the_demo_shows_the_way_there_and_back(tmp_path):
    of_another_clinic = {"OJEON_NAMES__TABLE": "bookings", "OJEON_SLOTS": '["Mon 13:00-21:00"]'}
    done = ojeon("demo", "--rows", 500, "--runs", tmp_path, **of_another_clinic)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / "manifest.json").is_file()
    assert "again 0" in done.stderr
    assert "table as it was, byte for byte" in done.stderr
    assert re.search(r"answered (\d+) of \d+ texts .*; AUTO (\S+)% before, (\S+)% after", done.stderr)
    first, again = sorted(tmp_path.iterdir())
    before, after = (json.loads((run / "manifest.json").read_text(encoding="utf-8")) for run in (first, again))
    assert before["facts"]["answers"]["lines"] == 0 < after["facts"]["answers"]["settled"]
    assert before["rows"]["auto"] < after["rows"]["auto"]
    assert after["rows"]["neither"] > 0
    assert after["review"]["rows"] == after["rows"]["review"] - after["rows"]["neither"] < before["review"]["rows"]
    assert after["apply"] == "allowed"
    assert not list(tmp_path.glob("*.sqlite"))  # invented answers are not for real runs


def test_the_demo_on_a_given_server_uses_a_database_of_its_own(clinic, server, tmp_path):
    def databases() -> list[tuple[object, ...]]:
        with psycopg.connect(server.url) as connection:
            return connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()

    before = [name for name in databases() if str(name[0]).startswith("ojeon_demo")]
    path = f"{server.psql.parent}:{os.environ['PATH']}"
    done = ojeon("demo", "--rows", 200, "--runs", tmp_path, DATABASE_URL=clinic, PATH=path)
    assert done.returncode == 0, done.stderr
    assert [name for name in databases() if str(name[0]).startswith("ojeon_demo")] == before
    with psycopg.connect(clinic) as connection:
        assert connection.execute("SELECT count(*) FROM reservations").fetchone() == (ROWS,)
        assert connection.execute("SELECT to_regnamespace('ojeon')").fetchone() == (None,)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_is_not_finished(tmp_path, signal_number):
    command = [str(OJEON), "demo", "--rows", "20000", "--runs", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()) as run:
        assert run.stderr
        for line in run.stderr:
            if line.startswith("check"):
                time.sleep(0.3)
                run.send_signal(signal_number)
                break
        said = run.stderr.read()
        assert run.wait(60) == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("*/manifest.json"))
