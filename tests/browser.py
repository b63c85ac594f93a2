"""A real Chromium for the tests: found on the machine, else installed, else one sentence that says what to do.

Only the program is taken from the machine: every browser starts with an empty profile of its own.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ARTEFACTS = Path(__file__).parent / "artefacts"
"""Where screenshots are kept; git ignores it."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PLAYWRIGHTS_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""
_SECONDS_TO_INSTALL = 600
_SECONDS_TO_ANSWER = 60


class NoBrowserError(Exception):
    """No Chromium could be found or installed; the message is the sentence for people."""


def find_chromium() -> Path:
    """The executable of a Chromium that runs here; where there is none, one is installed.

    Raises:
        NoBrowserError: none is there and none can be installed.
    """
    with _one_at_a_time():
        for way in (_on_the_machine, _from_the_distribution, _from_playwright):
            if found := way():
                return found
    raise NoBrowserError(
        "The browser tests need Chromium: none runs on this machine, and neither the distribution's package (takes "
        "root and apt-get) nor `python -m playwright install chromium` (takes a network) could be installed; install "
        "Chromium and test again."
    )


@contextmanager
def opened(executable: Path) -> Iterator[Browser]:
    """A headless browser that lives as long as the context."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        try:
            yield browser
        finally:
            browser.close()


def keep(page: Page, name: str, *, whole: bool = False) -> Path:
    """Keep a screenshot of what is seen (``whole``: of the whole page) as ``artefacts/<name>.png``."""
    path = ARTEFACTS / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    return path


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Parallel test processes take turns: the first installs, the others find what it installed."""
    ARTEFACTS.mkdir(exist_ok=True)
    with (ARTEFACTS / "browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _on_the_machine() -> Path | None:
    for name in NAMES:
        # Some distributions put a placeholder in its place that only says how to install it.
        if (place := shutil.which(name)) and _output([place, "--version"]) is not None:
            return Path(place)
    place = _output([sys.executable, "-c", _PLAYWRIGHTS_OWN])
    return Path(place) if place and _output([place, "--version"]) is not None else None


def _from_the_distribution() -> Path | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        if _output(["apt-get", *arguments], _SECONDS_TO_INSTALL, DEBIAN_FRONTEND="noninteractive") is None:
            return None
    return _on_the_machine()


def _from_playwright() -> Path | None:
    may_add_libraries = os.geteuid() == 0 and shutil.which("apt-get")
    for options in (["--with-deps"], []) if may_add_libraries else ([],):
        _output([sys.executable, "-m", "playwright", "install", *options, "chromium"], _SECONDS_TO_INSTALL)
        if found := _on_the_machine():
            return found
    return None


def _output(command: list[str], seconds: float = _SECONDS_TO_ANSWER, **environment: str) -> str | None:
    """What a program prints; None where it cannot be run, fails or takes too long."""
    surroundings = {**os.environ, **environment}
    try:
        done = subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=surroundings,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
