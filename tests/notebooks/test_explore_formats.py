"""The notebook as a plain script, on a small run."""

import os
import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_formats.py"


def test_it_looks_and_changes_nothing(tmp_path):
    (tmp_path / "dump.csv").write_text("id,preferredTime\n1,오후 3시\n2,8시\n3,9:30\n", encoding="utf-8")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("OJEON_")}
    command = [
        Path(sys.executable).with_name("ojeon"),
        "run",
        "--dump",
        "dump.csv",
        "--runs",
        "runs",
        "--min-auto",
        "0",
    ]
    subprocess.run(command, check=True, cwd=tmp_path, env=ours, capture_output=True)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    environment = {**ours, "RUNS": str(tmp_path / "runs"), "COLUMNS": "160"}
    done = subprocess.run([sys.executable, NOTEBOOK], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for told in ("3 rows, 3 distinct texts", "ambiguous_hour", "halfday_clock", "range"):
        assert told in done.stdout
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
