"""Real processes killed at random instants: whatever the instant, ledger and table agree and the next one goes on."""

import json
import os
import random
import signal
import time
from collections import Counter

import psycopg
import pytest
from live_move import AT_WORK, NOBODY_AT_WORK, Move, decisions, seal

from fixtures.clinic.generate import generate
from fixtures.clinic.load import create, load

KILLS = 120 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 10
ROWS = 3_000
# A table so slow that batches become as small as they may: a kill falls anywhere in and between many of them.
SHORT = {"OJEON_MOVE__BATCH_SECONDS": "0.01"}
SLOW = """
CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.004); RETURN NULL; END';
CREATE TRIGGER slow AFTER UPDATE ON reservations FOR EACH STATEMENT EXECUTE FUNCTION public.slow();
"""
COLUMNS = ("period", "timeSlotStart", "serviceId", "serviceName", "estimatedDuration")
ROW = (
    'SELECT id, "preferredTime", service::text, period, "timeSlotStart", "serviceId", "serviceName", '
    '"estimatedDuration", to_jsonb(r) - %s::text[] AS rest FROM reservations r'
)
INVERSE = {"apply": "undo", "undo": "apply"}
ENDED = {"apply": "applied", "undo": "undone"}


class Audit:
    """What every row must hold, from the rows as they were and the ledger's claims alone."""

    def __init__(self, move):
        self.move = move
        self.before = self.rows()
        self.decided = decisions([row[1] for row in self.before.values()])
        services = move.execute('SELECT code, id, name, "durationMinutes" + "bufferMinutes" FROM services')
        self.services = {code: tuple(columns) for code, *columns in services}

    def rows(self):
        with psycopg.connect(self.move.url) as connection:
            return {row[0]: row for row in connection.execute(ROW, (list(COLUMNS),))}

    def wanted(self, row):
        """The values that a move means for this row."""
        period, start = self.decided.get(row[1], (None, None))
        return dict(zip(COLUMNS, (period, start, *self.services[row[2]]), strict=True))

    def claims(self):
        """For each row the columns that lines of the ledger say they filled and nobody undid."""
        claims: dict[str, list[str]] = {}
        for row_id, variant in self.move.claimed():
            claims.setdefault(row_id, []).extend(variant.split("+"))
        return claims

    def check(self):
        claims, now = self.claims(), self.rows()
        assert set(now) == set(self.before)
        for row_id, row in now.items():
            before, wanted, columns = self.before[row_id], self.wanted(row), claims.get(row_id, [])
            assert len(columns) == len(set(columns))
            held = dict(zip(COLUMNS, before[3:8], strict=True))
            assert all(held[column] is None and wanted[column] is not None for column in columns)
            should = {column: wanted[column] if column in columns else held[column] for column in COLUMNS}
            assert dict(zip(COLUMNS, row[3:8], strict=True)) == should
            assert (row[:3], row[8]) == (before[:3], before[8])
        assert self.move.not_as_left() == []

    def fillable(self):
        """Row and column, for everything that a whole move fills."""
        pairs = set()
        for row_id, row in self.before.items():
            held, wanted = dict(zip(COLUMNS, row[3:8], strict=True)), self.wanted(row)
            mine = ["serviceId", "serviceName", "estimatedDuration"]
            if held["period"] is None:  # a start is filled beside the period it goes with
                mine += ["period", "timeSlotStart"]
            pairs |= {(row_id, column) for column in mine if held[column] is None and wanted[column] is not None}
        return pairs


@pytest.fixture
def move(database, tmp_path):
    clinic = generate(ROWS, already_set=0.1)
    create(database)
    load(database, clinic)
    with psycopg.connect(database) as connection:
        connection.execute(SLOW)
    decided = decisions(clinic.reservations["preferredTime"].to_pylist())
    return Move(database, seal(tmp_path / "20261123-101500-3f2a", database, decided), ("period", "slot", "service"))


def killed_at_work(move, verb, longest):
    """Kill ``verb`` within ``longest`` seconds of its beginning; return whether it was still at work then."""
    with move.start(verb, "--yes", **SHORT) as process:
        if move.wait_until(AT_WORK, process):
            time.sleep(random.uniform(0, longest))  # noqa: S311 - an instant, no secret
        process.kill()
        said = process.stderr.read()
    assert process.returncode in (0, -signal.SIGKILL), said
    move.wait_until(NOBODY_AT_WORK)  # the server notices a moment later
    return process.returncode != 0


def run(move, verb):
    with move.start(verb, "--yes", "--json", **SHORT) as process:
        out, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return json.loads(out)


def test_no_kill_at_any_instant_loses_repeats_or_spoils_a_row(move):
    audit, bytes_before = Audit(move), move.snapshot()
    began = time.monotonic()
    run(move, "apply")
    longest = 0.6 * (time.monotonic() - began)
    kills, verb = Counter(), "undo"
    while kills.total() < KILLS:
        kills[verb] += killed_at_work(move, verb, longest)
        audit.check()
        if move.state() == ENDED[verb]:
            verb = INVERSE[verb]
    assert run(move, "apply")["left"] == 0
    audit.check()
    assert {(row_id, column) for row_id, columns in audit.claims().items() for column in columns} == audit.fillable()
    assert run(move, "undo")["left_alone"] == 0
    assert audit.claims() == {}
    assert move.snapshot() == bytes_before
    assert min(kills["apply"], kills["undo"]) > 0, kills
