"""Which tables a plan can be applied to, as the catalog tells before anything is written."""

import psycopg
import pytest

from pipeline.catalog import look_up
from pipeline.settings import TableNames

ENUMS = """
CREATE TYPE "Period" AS ENUM ('MORNING', 'AFTERNOON');
CREATE TYPE half AS ENUM ('MORNING');
CREATE TYPE lower AS ENUM ('morning', 'afternoon');
CREATE DOMAIN strict AS text CHECK (VALUE IN ('AM', 'PM'));
CREATE DOMAIN wide AS varchar(20);
CREATE EXTENSION citext;
"""


def why(database: str, period: str, then: str = "", **names: str) -> str | None:
    """Why the table with a column ``period`` of such a type is not writable."""
    with psycopg.connect(database) as connection:
        connection.execute(ENUMS)
        column = f", period {period}" if period else ""
        connection.execute(f'CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text{column})'.encode())
        connection.execute(then.encode())
        found = look_up(connection, TableNames(**names)).unwritable
        assert connection.execute("SELECT 1").fetchone() == (1,)  # the transaction goes on whatever was found
        connection.rollback()
    return found


@pytest.mark.parametrize("period", ["text", "varchar", "varchar(9)", "char(12)", '"Period"', "citext", "wide", "name"])
def test_types_that_hold_the_periods(database: str, period: str) -> None:
    assert why(database, period) is None


@pytest.mark.parametrize(
    ("period", "lost"),
    [
        ("varchar(8)", "AFTERNOON"),
        ("char(2)", "MORNING and AFTERNOON"),
        ("half", "AFTERNOON"),
        ("lower", "MORNING and AFTERNOON"),
        ("strict", "MORNING and AFTERNOON"),
        ("boolean", "MORNING and AFTERNOON"),
        ("integer", "MORNING and AFTERNOON"),
        ("text[]", "MORNING and AFTERNOON"),
        ("timestamptz", "MORNING and AFTERNOON"),
    ],
)
def test_types_that_do_not(database: str, period: str, lost: str) -> None:
    said = why(database, period)
    assert said
    assert said.startswith("""The column 'period' of "public"."reservations" is of type """)
    assert f", which cannot hold {lost}. Widen the type or add the enum's missing labels, then run again." in said


def test_a_period_that_is_not_there_yet(database: str) -> None:
    said = why(database, "")
    assert said
    assert said.startswith("""There is no column 'period' of "public"."reservations" yet. Add it""")


def test_a_period_that_postgresql_computes(database: str) -> None:
    said = why(database, """text GENERATED ALWAYS AS (CASE WHEN "preferredTime" = '' THEN 'MORNING' END) STORED""")
    assert said
    assert said.startswith("PostgreSQL itself computes the column 'period'")


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_views_are_read_but_not_written(database: str, kind: str) -> None:
    said = why(database, "text", f"CREATE {kind} seen AS TABLE reservations", table="seen")
    assert said == (
        f'"public"."seen" is a {kind.lower()}, and a plan changes tables. Name the table under it with --table.'
    )


def test_partitioned_tables_are_written(database: str) -> None:
    then = "CREATE TABLE parts (LIKE reservations) PARTITION BY HASH (id)"
    assert why(database, "text", then, table="parts") is None
