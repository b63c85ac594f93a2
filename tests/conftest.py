import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from pipeline.embedded import Server, embedded_postgres

# No deadline: the first example of a kind may load a library. `HYPOTHESIS_PROFILE=nightly make test` looks further.
settings.register_profile("quick", deadline=None, max_examples=100)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One PostgreSQL for all tests of this worker."""
    with embedded_postgres() as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The address of a fresh, empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(sql.Identifier(name)))
    yield server.database_url(name)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
