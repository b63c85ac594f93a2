import csv
import gzip
import io
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.extract import ExtractReport, extract, source_of
from pipeline.settings import TableNames
from pipeline.workbench import open_workbench

HEADER = "id,preferredTime,preferredDate,createdAt,period\n"


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workbench(tmp_path) as connection:
        yield connection


def read(path: Path, workbench: duckdb.DuckDBPyConnection, **names: str) -> ExtractReport:
    return extract(source_of(None, path), workbench, TableNames(**names))


def written(tmp_path: Path, content: str | bytes, name: str = "dump.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, workbench: duckdb.DuckDBPyConnection, **names: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(path, workbench, **names)
    assert caught.value.exit_code == 2
    assert workbench.execute("SELECT count(*) FROM reservations").fetchall() == [(0,)]
    return str(caught.value)


def raws(workbench: duckdb.DuckDBPyConnection) -> list[str | None]:
    return [raw for (raw,) in workbench.execute("SELECT raw FROM reservations ORDER BY id").fetchall()]


def test_a_csv_with_everything(tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    told: list[tuple[int, int]] = []
    content = (
        HEADER
        + 'a,"오후 3시, 또는\n""4시""",2025-10-30,2025-10-01 10:00:00.123,\n'
        + "b,,,2025-10-01T10:00:00+09:00,MORNING\n"
        + 'c,"",2025-10-30T00:00:00.000Z,2025-10-01T10:00:00.5Z,""\n'
        + "d,NULL,,,\n"
        + "e,  9:30 ,infinity,-infinity,\n"
    )
    report = extract(source_of(None, written(tmp_path, content)), workbench, TableNames(), lambda *n: told.append(n))
    moment = datetime.fromisoformat
    assert workbench.execute(
        "SELECT id, raw, preferred_date, created_at, current_period FROM reservations ORDER BY id"
    ).fetchall() == [
        ("a", '오후 3시, 또는\n"4시"', date(2025, 10, 30), moment("2025-10-01T10:00:00.123"), None),
        ("b", None, None, moment("2025-10-01T01:00:00"), "MORNING"),
        ("c", "", date(2025, 10, 30), moment("2025-10-01T10:00:00.5"), ""),
        ("d", "NULL", None, None, None),
        ("e", "  9:30 ", None, None, None),
    ]
    assert (report.rows, report.texts, report.already_set, report.notices) == (5, 5, 2, ())
    assert (report.source["kind"], report.source["file"]) == ("csv", "dump.csv")
    assert told == [(5, 5)]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_other_separators_line_ends_and_a_byte_order_mark(
    separator: str, ending: str, mark: str, tmp_path: Path, workbench: duckdb.DuckDBPyConnection
) -> None:
    lines = ['"id",other,preferredTime', "1,x,9시", '2,,"a,b\r\nc"', "3,,"]
    content = mark + ending.join(line.replace(",", separator) for line in lines) + ending
    report = read(written(tmp_path, content), workbench, preferred_date="", created_at="")
    assert raws(workbench) == ["9시", f"a{separator}b\r\nc", None]
    assert report.notices == ("There is no column 'period'; it counts as empty in every row.",)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(given_texts=st.lists(texts, max_size=20))
def test_every_text_of_a_csv_arrives_byte_for_byte(tmp_path: Path, given_texts: list[str]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [("id", "preferredTime"), *((f"{n:02}", raw) for n, raw in enumerate(given_texts))]
    )
    path = written(tmp_path, buffer.getvalue())
    with open_workbench(tmp_path) as connection:
        read(path, connection)
        assert raws(connection) == given_texts


def test_a_csv_as_postgresql_writes_it(database: str, tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            """CREATE TABLE reservations AS SELECT * FROM (VALUES
            ('a', E'two\nlines \\\\ "quoted", \\.', date '2025-10-30', timestamptz '2025-10-01 10:00+09'),
            ('b', '', NULL, NULL), ('c', NULL, NULL, NULL), ('d', repeat('가', 350000), NULL, NULL)
            ) AS rows (id, "preferredTime", "preferredDate", "createdAt")"""
        )
        with connection.cursor().copy("COPY reservations TO STDOUT (FORMAT csv, HEADER)") as copy:
            path = written(tmp_path, b"".join(copy))
        extract(source_of(None, path), workbench, TableNames())
        dumped = workbench.execute(
            "SELECT id, raw, preferred_date, created_at, current_period FROM reservations ORDER BY id"
        ).fetchall()
        connection.commit()
        extract(source_of(database, None), workbench, TableNames())
    assert (
        dumped
        == workbench.execute(
            "SELECT id, raw, preferred_date, created_at, current_period FROM reservations ORDER BY id"
        ).fetchall()
    )
    assert [row[1] is None for row in dumped] == [False, False, True, False]


def test_parquet(tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    table = pa.table(
        {
            "period": pa.array([None, "MORNING"]).dictionary_encode(),
            "preferredTime": pa.array(["오후 3시\n".encode(), None], pa.binary()),
            "preferredDate": pa.array([date(2025, 10, 30), None]),
            "createdAt": pa.array(
                [datetime.fromisoformat("2025-10-01T10:00:00+09:00"), None], pa.timestamp("us", "UTC")
            ),
            'odd "name"': pa.array([9007199254740993, 2]),
        }
    )
    pq.write_table(table, tmp_path / "dump")
    report = read(tmp_path / "dump", workbench, id='odd "name"')
    assert workbench.execute(
        "SELECT id, raw, preferred_date, created_at, current_period FROM reservations ORDER BY raw NULLS LAST"
    ).fetchall() == [
        ("9007199254740993", "오후 3시\n", date(2025, 10, 30), datetime.fromisoformat("2025-10-01T01:00:00"), None),
        ("2", None, None, None, "MORNING"),
    ]
    assert (report.source["kind"], report.rows, report.already_set) == ("parquet", 2, 1)


@pytest.mark.parametrize("name", ["d[um]p*.csv", "what?.csv", "it's.csv", "a=b.csv", "{x}.csv"])
def test_names_of_files_are_no_patterns(name: str, tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    for other in ("dp.csv", "dup.csv", "whatx.csv"):
        written(tmp_path, "id,preferredTime\n2,other\n", other)
    read(written(tmp_path, "id,preferredTime\n1,9시\n", name), workbench)
    assert raws(workbench) == ["9시"]


GOOD = "id,preferredTime\n1,geheim\n2,geheim\n"


FAULTS: list[tuple[str | bytes, str]] = [
    (GOOD + "3\n", "line 4, has 1 values where the header names 2 columns"),
    (GOOD + "3,geheim,9시\n", "line 4, has 3 values where the header names 2 columns"),
    (GOOD + '3,"geheim\n', "line 4, has a quote that is not closed"),
    (GOOD + '3,"geheim', "line 4, has a quote that is not closed"),
    (GOOD + '3,"geheim"9시\n', "line 4, has a quote that is not closed, or text behind a closing quote"),
    (GOOD.encode() + "3,오후 geheim\n".encode("cp949"), "is not UTF-8. .*iconv"),
    ((GOOD + "4," + "x" * 99_000).encode() + b"\n3,\xff\n", "is not UTF-8"),
    ("아이디,preferredTime\n".encode("cp949"), "is not UTF-8"),
    (GOOD.encode("utf-16"), "is UTF-16"),
    (gzip.compress(GOOD.encode()), "is compressed; unpack it"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"PAR1 geheim", "begins as Parquet but cannot be read"),
    (b"", "is empty or no CSV"),
    (b"\n", "is empty or no CSV"),
    ("id,preferredTime,preferredTime\n1,geheim,9시\n", "more than one column 'preferredTime'"),
    ("id,preferred_time\n1,geheim\n", "no column 'preferredTime'. It has 'preferred_time': name it with OJEON_"),
    ("no,preferredTime\n1,geheim\n", "no column 'id'"),
    (GOOD + "1,geheim\n", "1 rows of the dump .* that another row has too"),
    (GOOD + ",geheim\n", "has a row without an id"),
    ("id,preferredTime,preferredDate\n1,geheim,30/10/2025\n", "column 'preferredDate' a date not written like"),
    ("id,preferredTime,createdAt\n1,geheim,Thu Oct 30 2025\n", "column 'createdAt' a date not written like"),
    (GOOD + "3,오\0후\n", "in the column 'preferredTime' a NUL"),
    (GOOD + "3\0,오후\n", "in the column 'id' a NUL"),
    ("1,geheim 9시,2025-10-30\n2,오후,2025-10-30\n", "begins with 3 values that do not all look like names"),
    ("geheim 9시,geheim 9시,x\n", "more than one column of the same name"),
    ("id,preferredTime\r\n1,geheim\r\n2,x\n3,y\r\n", "line endings are mixed"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_dump_that_cannot_be_trusted(
    content: str | bytes, sentence: str, tmp_path: Path, workbench: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        read(written(tmp_path, content), workbench)
    assert "geheim" not in str(caught.value)
    assert workbench.execute("SELECT count(*) FROM reservations").fetchall() == [(0,)]


def test_a_damaged_parquet_file_is_called_so(tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    table = pa.table({"id": [str(n) for n in range(2_000)], "preferredTime": [f"{n}시" for n in range(2_000)]})
    pq.write_table(table, tmp_path / "dump")
    content = bytearray((tmp_path / "dump").read_bytes())
    content[50:2_000:7] = b"x" * len(content[50:2_000:7])
    told = refusal(written(tmp_path, bytes(content)), workbench)
    assert "cannot be read as Parquet: it is damaged" in told
    assert "line endings" not in told


def test_a_pipe_is_no_dump(tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is no regular file" in refusal(tmp_path / "pipe", workbench)


def test_a_header_alone(tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    report = read(written(tmp_path, HEADER), workbench)
    assert report.rows == 0
    assert "no rows" in report.notices[-1]


@pytest.mark.parametrize("name", ["nothing.csv", "folder"])
def test_a_path_that_is_no_file(name: str, tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    (tmp_path / "folder").mkdir()
    assert "cannot be read: " in refusal(tmp_path / name, workbench)


def test_columns_that_are_missing_are_told(tmp_path: Path, workbench: duckdb.DuckDBPyConnection) -> None:
    report = read(written(tmp_path, "id,preferredTime,Period\n1,9시,MORNING\n"), workbench)
    assert [notice.split("'")[1] for notice in report.notices] == ["preferredDate", "createdAt", "period"]
    assert "did you mean 'Period'?" in report.notices[2]
    assert report.already_set == 0


def test_many_lines_with_quoted_line_ends_keep_their_number(
    tmp_path: Path, workbench: duckdb.DuckDBPyConnection
) -> None:
    """Far more than one of DuckDB's buffers, so that boundaries fall inside quoted texts."""
    text = "오후\n3시, " * 400
    lines = [f'{number},"{number}{text}"\n' for number in range(5_000)]
    report = read(written(tmp_path, "id,preferredTime\n" + "".join(lines)), workbench)
    assert (report.rows, report.texts) == (5_000, 5_000)
    found: Any = workbench.execute("SELECT bool_and(raw = id || $text) FROM reservations", {"text": text}).fetchone()
    assert found == (True,)
