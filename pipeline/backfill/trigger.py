"""The SQL of the trigger that fills rows as the application writes them.

It runs inside the application's own statements, so above all it must not disturb them: whatever goes wrong in it, the
row is written as the application gave it, and ``ojeon sync`` fills it later. It runs with the rights of its owner,
because the application needs none on the ledger.

- INSERT: what the plan knows goes into columns that are empty, as ``ojeon apply`` would fill them.
- UPDATE of the text: where the period is empty, the same. Where the period is the plan's for the text that was there,
  it was about that text only: the new text's takes its place, or NULL where the plan does not know it. Any other
  period, and one that the statement itself changes, is the application's own and stays.

Each row it fills is noted with the values and the transaction, so that undo can take them back. An INSERT of an id that
is there already can only become an UPDATE (ON CONFLICT), so nothing is filled for it; that UPDATE is looked at itself.
A constraint that forbids an empty period makes the application's UPDATE to an unknown text fail: remove the trigger
before such a constraint is added.
"""

from psycopg import sql

from pipeline.backfill.target import PERIOD, SERVICE, SLOT, Target

NAME = "zz_ojeon_dual_write"
"""Triggers fire in the order of their names, and those of the application may still change the text."""

_FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS {body}
"""
_REVOKE = "REVOKE ALL ON FUNCTION {function}() FROM PUBLIC"
_TRIGGER = """
CREATE TRIGGER {name} BEFORE INSERT{or_update} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}({run})
"""
_BODY = """
-- ojeon fills what its plan knows (the argument is the run). Take it off with: ojeon dual-write remove RUN
DECLARE
    filled record := NEW;
    known record;
    wrote jsonb := '{{}}';
BEGIN{period}{service}
    IF wrote = '{{}}' THEN
        RETURN filled;
    END IF;
    IF TG_OP = 'INSERT' AND EXISTS (SELECT FROM {table} r WHERE r.{id} = NEW.{id}) THEN
        RETURN NEW;
    END IF;
    INSERT INTO ojeon.dual_writes (run_id, id, filled, writer)
    VALUES (TG_ARGV[0], filled.{id}::text, wrote, pg_current_xact_id()::xid::text);
    RETURN filled;
EXCEPTION WHEN OTHERS THEN
    RETURN NEW;
END
"""
_KNOWN = """SELECT p.period, p.slot_start INTO known FROM ojeon.plan p
        WHERE p.run_id = TG_ARGV[0] AND p.raw = {row}.{text}::text COLLATE "C";"""
_FILL_PERIOD = """
    IF TG_OP = 'UPDATE' THEN
        IF NEW.{text}::text COLLATE "C" IS NOT DISTINCT FROM OLD.{text}::text COLLATE "C" THEN
            RETURN NEW;
        END IF;
        IF NEW.{period}::text COLLATE "C" IS DISTINCT FROM OLD.{period}::text COLLATE "C" THEN
            RETURN NEW;
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.{period} IS NOT NULL THEN
        {known_before}
        IF NOT FOUND OR known.period IS DISTINCT FROM OLD.{period}::text COLLATE "C" THEN
            RETURN NEW;
        END IF;
        filled.{period} := NULL;{empty_slot}
    END IF;
    IF filled.{period} IS NULL THEN
        {known_now}
        IF FOUND THEN
            filled.{period} := known.period;
            wrote := wrote || jsonb_build_object({period_name}, filled.{period});{fill_slot}
        END IF;
    END IF;"""
_EMPTY_SLOT = """
        IF NEW.{slot}::text COLLATE "C" = known.slot_start
            AND NEW.{slot}::text COLLATE "C" = OLD.{slot}::text COLLATE "C"
        THEN
            filled.{slot} := NULL;
        END IF;"""
_FILL_SLOT = """
            IF known.slot_start IS NOT NULL AND filled.{slot} IS NULL THEN
                filled.{slot} := known.slot_start;
                wrote := wrote || jsonb_build_object({slot_name}, filled.{slot});
            END IF;"""
_FILL_SERVICE = """
    IF TG_OP = 'INSERT' AND NEW.{id} IS NULL AND NEW.{name} IS NULL AND NEW.{duration} IS NULL THEN
        SELECT s."id", s."name", s."durationMinutes" + s."bufferMinutes" AS duration INTO known
        FROM {services} s WHERE s."code"::text = NEW.{code}::text COLLATE "C";
        IF FOUND THEN
            filled.{id} := known.id;
            filled.{name} := known.name;
            filled.{duration} := known.duration;
            wrote := wrote || jsonb_build_object(
                {id_name}, filled.{id}, {name_name}, filled.{name}, {duration_name}, filled.{duration}
            );
        END IF;
    END IF;"""


def create_statements(target: Target, run_id: str) -> tuple[sql.Composed, ...]:
    """What puts the trigger on the table: the function, nobody's right to call it, the trigger."""
    function = function_of(target.oid)
    body = sql.Literal(_body(target).as_string(None))
    text = sql.Identifier(target.names.preferred_time)
    return (
        sql.SQL(_FUNCTION).format(function=function, body=body),
        sql.SQL(_REVOKE).format(function=function),
        sql.SQL(_TRIGGER).format(
            name=sql.Identifier(NAME),
            or_update=sql.SQL(" OR UPDATE OF {}").format(text) if PERIOD in target.fills else sql.SQL(""),
            table=target.table,
            function=function,
            run=sql.Literal(run_id),
        ),
    )


def drop_statements(schema: str, table: str, oid: int) -> tuple[sql.Composed, ...]:
    """What takes it off again, the function too."""
    return (
        sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(NAME), sql.Identifier(schema, table)),
        sql.SQL("DROP FUNCTION IF EXISTS {}()").format(function_of(oid)),
    )


def function_of(oid: int) -> sql.Identifier:
    """The name of the function for the table ``oid``; it is the table's own, since it names the table's columns."""
    return sql.Identifier("ojeon", f"dual_write_{oid}")


def _body(target: Target) -> sql.Composed:
    return sql.SQL(_BODY).format(
        table=target.table,
        id=target.id,
        period=_period(target) if PERIOD in target.fills else sql.SQL(""),
        service=_service(target) if SERVICE in target.fills else sql.SQL(""),
    )


def _period(target: Target) -> sql.Composed:
    names = target.names
    text = sql.Identifier(names.preferred_time)
    with_slot = SLOT in target.fills
    slot = {"slot": sql.Identifier(names.slot_start), "slot_name": sql.Literal(names.slot_start)}
    return sql.SQL(_FILL_PERIOD).format(
        text=text,
        period=sql.Identifier(names.period),
        period_name=sql.Literal(names.period),
        known_before=sql.SQL(_KNOWN).format(row=sql.SQL("OLD"), text=text),
        known_now=sql.SQL(_KNOWN).format(row=sql.SQL("NEW"), text=text),
        empty_slot=sql.SQL(_EMPTY_SLOT if with_slot else "").format(**slot),
        fill_slot=sql.SQL(_FILL_SLOT if with_slot else "").format(**slot),
    )


def _service(target: Target) -> sql.Composed:
    names = target.names
    columns = {"id": names.service_id, "name": names.service_name, "duration": names.estimated_duration}
    return sql.SQL(_FILL_SERVICE).format(
        services=sql.Identifier(names.table_schema, names.services),
        code=sql.Identifier(names.service),
        **{key: sql.Identifier(column) for key, column in columns.items()},
        **{f"{key}_name": sql.Literal(column) for key, column in columns.items()},
    )
