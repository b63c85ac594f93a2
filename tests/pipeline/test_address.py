from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from pipeline.address import Address, in_schema, read_address
from pipeline.errors import UsageError
from pipeline.live import redacted
from pipeline.settings import TableNames


def parts(url: str) -> dict[str, object]:
    return dict(conninfo_to_dict(read_address(url, {}).conninfo))


def test_a_prisma_url_with_all_its_parameters() -> None:
    url = (
        "postgresql://me:p%40ss@db.example:5433/clinic?schema=booking&connection_limit=5&pool_timeout=10&pgbouncer=true"
        "&socket_timeout=3&statement_cache_size=0&sslaccept=strict&sslmode=require&application_name=a%20b"
    )
    known = parts(url)
    assert {name: known[name] for name in ("user", "password", "host", "port", "dbname")} == {
        "user": "me",
        "password": "p@ss",
        "host": "db.example",
        "port": "5433",
        "dbname": "clinic",
    }
    assert (known["sslmode"], known["application_name"]) == ("require", "a b")
    assert read_address(url, {}).schema == "booking"


@pytest.mark.parametrize(
    ("url", "host", "dbname"),
    [
        ("postgres://me@h/d", "h", "d"),
        ("PostgreSQL://me@h/d", "h", "d"),
        ("postgresql+psycopg2://me@h/d", "h", "d"),
        ("postgresql://me@/d?host=%2Frun%2Fsocket", "/run/socket", "d"),
        ("host=h dbname=d user=me", "h", "d"),
        ("postgresql://me:a?b&c=d+e@h/d?sslmode=disable", "h", "d"),
        ("postgresql://me@a:1,b:2/d?target_session_attrs=read-write", "a,b", "d"),
    ],
)
def test_forms_of_a_url(url: str, host: str, dbname: str) -> None:
    known = parts(url)
    assert (known["host"], known["dbname"], known["user"]) == (host, dbname, "me")


def test_a_plus_sign_in_a_parameter_stays_one() -> None:
    assert parts("postgresql://me@h/d?options=-cfoo%3Da+b")["options"] == "-cfoo=a+b"


def test_waiting_for_a_host_has_an_end_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts("postgresql://h/d")["connect_timeout"] == "10"
    assert parts("postgresql://h/d?connect_timeout=3")["connect_timeout"] == "3"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "7")
    assert "connect_timeout" not in parts("postgresql://h/d")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geh/eim@h/d",
        "postgresql://me:12/geheim@h/d",
        "postgresql://me:geheim%zz@h/d",
        "postgresql://me:geheim@h:port/d",
        "me:geheim@h/d",
        "mysql://me:geheim@h/d",
        "prisma+postgres://accelerate.example/?api_key=geheim",
        "postgresql://me:geheim@[::1/d",
    ],
)
def test_a_wrong_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UsageError, match=r"postgresql://") as caught:
        read_address(url, {})
    assert caught.value.exit_code == 2
    assert "eheim" not in str(caught.value)
    assert "geh" not in str(caught.value)


def test_the_flag_wins_over_the_environment_and_that_over_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"DATABASE_URL": "postgresql://env/d", "PGHOST": "libpq"}
    assert "@flag:" in read_address("postgresql://flag/d", environment).shown
    assert "@env:" in read_address(None, environment).shown
    for name, value in {"PGHOST": "libpq", "PGUSER": "u", "PGDATABASE": "d", "PGPORT": "99"}.items():
        monkeypatch.setenv(name, value)
    assert read_address(None, {"PGHOST": "libpq"}).shown == "u@libpq:99/d"


def test_no_database_named() -> None:
    with pytest.raises(UsageError, match=r"--database-url .* DATABASE_URL"):
        read_address(None, {"PATH": "/bin", "DATABASE_URL": ""})


def test_the_schema_of_the_url_unless_a_setting_names_one() -> None:
    address = read_address("postgresql://h/d?schema=booking", {})
    assert in_schema(TableNames(), address).table_schema == "booking"
    assert in_schema(TableNames(table_schema="public"), address).table_schema == "public"
    assert in_schema(TableNames(), read_address("postgresql://h/d", {})).table_schema == "public"
    assert in_schema(TableNames(), Path("dump.csv")).table_schema == "public"


def test_a_password_is_neither_shown_nor_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "umwelt")
    address = read_address("postgresql://me:ge%20heim@h/d", {})
    told = [
        repr(address),
        str(address),
        address.shown,
        address.redact("ge heim umwelt"),
        repr(Address("password=geheim")),
    ]
    assert not [words for words in told if "heim" in words or "umwelt" in words]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:a@b:c@h:1/d", "postgresql://me:…@h:1/d"),
        ("postgresql://me@h/d?password=geheim&sslmode=require", "postgresql://me@h/d?password=…&sslmode=require"),
        ("postgresql://me@h/d", "postgresql://me@h/d"),
        ("host=h password='a b'", "password=… host=h"),
    ],
)
def test_redacted(url: str, shown: str) -> None:
    assert redacted(url) == shown
