import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from pipeline.embedded import Server, embedded_postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# No deadline: the first example of a kind may load a library. `HYPOTHESIS_PROFILE=nightly make test` looks further.
settings.register_profile("quick", deadline=None, max_examples=100)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_numbers = itertools.count(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what takes long (marker ``slow``) to the long profile."""
    if os.environ.get("HYPOTHESIS_PROFILE") != "nightly":
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


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


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The executable of a Chromium; where none is to be had, every test that asks fails with one sentence."""
    from browser import NoBrowserError, find_chromium  # noqa: PLC0415 - only the tests of pages pay for Playwright

    try:
        return find_chromium()
    except NoBrowserError as error:
        pytest.fail(str(error), pytrace=False)


# A module's, not the session's: while it is open, Playwright keeps an event loop running in the tests' thread.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> "Iterator[Browser]":
    """A running Chromium for the tests of a module; `browser.new_context(...)` gives a fresh profile."""
    from browser import opened  # noqa: PLC0415 - see above

    with opened(chromium) as running:
        yield running


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """An empty tab in a profile of the test's own."""
    with browser.new_context() as context:
        yield context.new_page()
