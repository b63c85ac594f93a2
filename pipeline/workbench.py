"""The DuckDB file of one run: the tables every step reads and writes.

This module is the one place that says what those tables look like.
"""

from pathlib import Path

import duckdb

FILE_NAME = "workbench.duckdb"

SCHEMA = """
-- One line per row of the live table, only the columns the pipeline needs. raw is the preferred time byte for byte.
-- current_period is what the row's period column held at extract (NULL: not set, or the column does not exist yet).
-- fingerprint is a hash of all columns that no move fills (NULL: not taken, as from a dump), updated_at when the
-- application last said it changed the row (NULL: not known).
CREATE TABLE IF NOT EXISTS reservations (
    id VARCHAR NOT NULL,
    raw VARCHAR,
    preferred_date DATE,
    created_at TIMESTAMP,
    current_period VARCHAR,
    fingerprint BIGINT,
    updated_at TIMESTAMP
);
-- One line per distinct raw text (NULL is one of them). rows counts all its rows, already_set those of them that had
-- a period at extract and are left alone.
CREATE TABLE IF NOT EXISTS texts (
    raw VARCHAR,
    rows BIGINT NOT NULL,
    already_set BIGINT NOT NULL,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP
);
-- One line per distinct raw text: the dictionary. Columns as parsers.Decision.
CREATE TABLE IF NOT EXISTS decisions (
    raw VARCHAR,
    disposition VARCHAR NOT NULL,
    period VARCHAR,
    start_time VARCHAR,
    end_time VARCHAR,
    confidence DOUBLE NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR,
    seen VARCHAR NOT NULL
);
-- One line per distinct raw text: the format bucket it falls in, by meaning (token kinds) and by pattern (characters).
CREATE TABLE IF NOT EXISTS text_shapes (
    raw VARCHAR,
    meaning VARCHAR NOT NULL,
    pattern VARCHAR NOT NULL
);
-- One line per AUTO text that people judge blind, in random order (position). rows would be filled by its decision,
-- draws of them were drawn (0: it is there only so that its rule is). Decision columns as in decisions.
CREATE TABLE IF NOT EXISTS audit_sample (
    position BIGINT NOT NULL,
    raw VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    period VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    draws BIGINT NOT NULL
);
-- Facts about the run that steps hand on (source, types discovered, counts), one JSON value each.
CREATE TABLE IF NOT EXISTS facts (
    name VARCHAR PRIMARY KEY,
    value VARCHAR NOT NULL
);
"""


def read_workbench(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the workbench of a finished run in ``folder`` for reading only.

    Raises:
        duckdb.Error: the file is not there, is not a DuckDB database, or is locked by another process.
    """
    return duckdb.connect(str(folder / FILE_NAME), read_only=True)


def open_workbench(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the run's workbench in ``folder`` and create the tables it does not have yet.

    Raises:
        duckdb.Error: the file is not a DuckDB database, is locked by another process, or cannot be written.
    """
    connection = duckdb.connect(str(folder / FILE_NAME))
    connection.execute(SCHEMA)
    return connection
