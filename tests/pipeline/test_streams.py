"""Streams that are closed, full, left by their reader or of another encoding: a sentence and an exit code."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

OJEON = Path(sys.executable).with_name("ojeon")


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OJEON_")}
    whole = command.replace("ojeon", shlex.quote(str(OJEON)), 1)
    return subprocess.run(
        ["bash", "-c", whole],
        capture_output=True,
        check=False,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("command", ["--help", "--version", "parse 9:30", "config --json", "explain 9:30"])
def test_a_full_disk_behind_stdout_is_a_sentence(command):
    done = shell(f"ojeon {command} > /dev/full")
    assert done.returncode == 4
    assert done.stderr.decode().count("\n") == 1
    assert "cannot be written: No space left" in done.stderr.decode()


def test_a_full_disk_behind_stderr_changes_no_exit_code():
    assert shell("ojeon nonsense 2> /dev/full").returncode == 2
    assert shell("ojeon parse --jsonl <<< '9' 2> /dev/full").returncode == 2
    assert shell("ojeon parse 9:30 2> /dev/full").returncode == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("parse 9:30 >&-", 0),
        ("parse 9:30 2>&-", 0),
        ("parse --jsonl <&-", 0),
        ("nonsense 2>&-", 2),
        ("config <&- >&- 2>&-", 0),
    ],
)
def test_a_closed_stream_is_an_empty_one(command, code):
    done = shell(f"ojeon {command}")
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_what_is_written_does_not_land_in_a_file_opened_later(tmp_path):
    (tmp_path / "dump.csv").write_text("id,preferredTime\n" + "".join(f"{n},9:30\n" for n in range(200)))
    done = shell(f"ojeon run --dump {tmp_path}/dump.csv --runs {tmp_path}/runs >&- 2>&-", OJEON_MAX_PERIOD_SHARE="1")
    assert done.returncode == 0
    assert len(list(tmp_path.glob("runs/*/manifest.json"))) == 1


def test_the_reader_may_leave():
    done = shell("ojeon parse --jsonl < <(yes '\"9:30\"' | head -200000) | head -1; exit ${PIPESTATUS[0]}")
    assert done.returncode == 141
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=str)
def test_a_stream_of_ascii_spells_out_what_it_cannot_hold(environment):
    done = shell("ojeon parse <<< '오후 3시'", **environment)
    assert done.returncode == 0
    assert b"AFTERNOON" in done.stdout
    assert rb"\uc624\ud6c4 3" in done.stdout
    assert done.stderr == b""
