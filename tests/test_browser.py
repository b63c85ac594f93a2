"""The tests' own browser: what it is found by, and that its absence is told and never skipped."""

from pathlib import Path

import browser as chromiums
import pytest
from playwright.sync_api import Page


def _program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser, whose package managers are programs of ours; they tell what they were asked."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromiums, "ARTEFACTS", tmp_path)
    monkeypatch.setattr(chromiums.sys, "executable", str(_program(tmp_path, "python", "exit 1")))
    return tmp_path


def test_shows_a_page(page: Page) -> None:
    page.set_content("<h1>오전 9시</h1>")
    assert page.inner_text("h1") == "오전 9시"
    assert chromiums.keep(page, "browser").stat().st_size > 1_000


def test_takes_the_first_program_that_runs(nowhere: Path) -> None:
    _program(nowhere, "chromium", "echo 'install the snap' >&2; exit 10")
    works = _program(nowhere, "google-chrome", "echo Chromium 1.0")
    assert chromiums.find_chromium() == works


def test_installs_the_distributions_package_once(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromiums.os, "geteuid", lambda: 0)
    told = nowhere / "told"
    ready = _program(nowhere, "package", "echo Chromium 1.0")
    _program(nowhere, "apt-get", f'echo "$@" >> {told}; [ "$1" = update ] || /bin/mv {ready} {nowhere}/chromium')
    assert chromiums.find_chromium() == chromiums.find_chromium() == nowhere / "chromium"
    assert told.read_text().splitlines() == ["update", "install --yes --no-install-recommends chromium"]


@pytest.mark.usefixtures("nowhere")
def test_says_in_one_sentence_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromiums.os, "geteuid", lambda: 1_000)
    with pytest.raises(chromiums.NoBrowserError, match=r"^The browser tests need Chromium: [^.]*; install .* again\.$"):
        chromiums.find_chromium()
