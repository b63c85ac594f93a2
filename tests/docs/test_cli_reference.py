"""``docs/cli.md`` is what ``make docs`` makes of the commands' help."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "cli.md"
_RECIPE = re.compile(r"^docs:.*\n\t\.venv/bin/typer (?P<arguments>.+) --output docs/cli\.md$", re.MULTILINE)
ELSEWHERE = {
    "narrow": {"COLUMNS": "40", "TERM": "dumb", "NO_COLOR": "1"},
    "wide, coloured, with settings": {
        "COLUMNS": "300",
        "FORCE_COLOR": "1",
        "LC_ALL": "C",
        "OJEON_LANG": "ko",
        "DATABASE_URL": "postgresql://elsewhere/clinic",
    },
}


def made_anew(surroundings):
    recipe = _RECIPE.search((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert recipe, "make docs no longer calls typer"
    command = [sys.executable, "-m", "typer", *shlex.split(recipe["arguments"])]
    environment = os.environ | {"PYTHONUTF8": "1"} | surroundings
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("where", ELSEWHERE)
def test_reference_is_what_the_help_says(where):
    now = made_anew(ELSEWHERE[where]).decode("utf-8").rstrip()
    assert now == PAGE.read_text(encoding="utf-8").rstrip(), "the help has changed: run `make docs`"
