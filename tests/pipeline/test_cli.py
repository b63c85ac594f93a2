"""The command line as people and scripts use it: real processes, exit codes, both streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.corpus import cases
from parsers import Reason
from pipeline.cli import app
from pipeline.explained import HOW, WHY

OJEON = Path(sys.executable).with_name("ojeon")
COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands)
ROOT = Path(__file__).parents[2]


def ojeon(*arguments: str, given: bytes = b"", cwd: Path | None = None, **environment: str):
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("OJEON_", "PG", "DATABASE_"))
    }
    return subprocess.run(
        [OJEON, *arguments],
        input=given,
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**inherited, "COLUMNS": "160", **environment},
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(command):
    done = ojeon(command, "--help")
    assert done.returncode == 0
    assert f"ojeon {command}" in done.stdout.decode().split("Example:")[1]
    assert f"ojeon {command}" in (ROOT / "README.md").read_text(encoding="utf-8") or command == "demo"


def test_help_does_not_load_what_it_does_not_need():
    code = (
        "import sys; sys.argv = ['ojeon', '--help']\n"
        "from pipeline.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'great_expectations', 'polars', 'pandas', 'duckdb', 'pyarrow', 'pydantic', 'dateparser', 'altair'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_parse_shows_decisions():
    done = ojeon("parse", "오후 3시", "8시")
    assert done.returncode == 0
    first, second = done.stdout.decode().splitlines()[1:3]
    assert "AUTO" in first
    assert "AFTERNOON" in first
    assert "ambiguous_hour" in second


def test_who_types_is_told_how_to_end():
    ours, theirs = os.openpty()
    os.write(ours, "오후 3시\n\x04".encode())
    done = subprocess.run([OJEON, "parse"], stdin=theirs, capture_output=True, check=False, timeout=60)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert b"Ctrl-D" in done.stderr
    assert b"AFTERNOON" in done.stdout
    assert b"Ctrl-D" not in ojeon("parse", given="오후 3시".encode()).stderr


def test_json_lines_keep_order_and_every_value():
    texts = ["오후 3시", None, "9:30", "", "\ud83d 9시", "오후 3시"]
    given = "".join(json.dumps(text) + "\n" for text in texts).encode()
    done = ojeon("parse", "--jsonl", given=given)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [line["raw"] for line in told] == texts
    assert [line["period"] for line in told[:3]] == ["AFTERNOON", None, "MORNING"]
    assert {"raw", "disposition", "period", "start", "confidence", "rule", "reason"} <= told[0].keys()
    assert told[1]["reason"] == "empty"


WRONG_LINES = [b"9\n", b"{}\n", "오전\n".encode(), b'"\xff"\n', b"\n", b"[" * 100_000 + b"\n"]


@pytest.mark.parametrize("line", WRONG_LINES, ids=lambda line: repr(line[:8]))
def test_a_wrong_line_is_named_and_what_came_before_is_told(line):
    done = ojeon("parse", "--jsonl", given=b'"9:30"\n' + line)
    assert done.returncode == 2
    assert json.loads(done.stdout)["period"] == "MORNING"
    assert b"Line 2 of stdin" in done.stderr
    assert b"Traceback" not in done.stderr


def test_settings_change_a_decision():
    done = ojeon("parse", "--jsonl", "--slot", "Mon 13:00-21:00", given='"7시"'.encode())
    assert json.loads(done.stdout)["start"] == "19:00"


def test_explain_tells_the_pieces_and_the_deciding_parser():
    done = ojeon("explain", "오후 2-4시 사이", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert [token["text"] for token in told["tokens"]] == ["오후", "2", "-", "4시", "사이"]
    assert (told["decision"]["rule"], told["decision"]["start"], told["decision"]["end"]) == ("range", "14:00", "16:00")
    shown = ojeon("explain", "오전 [bold]9시[/bold] \x1b[31m").stdout.decode()
    assert "\x1b[31m" not in shown
    assert "unexplained_text" in shown


def test_config_tells_where_each_value_came_from(tmp_path):
    (tmp_path / "ojeon.toml").write_text('grace = 60\nmin_auto = 0.5\n[names]\ntable = "bookings"\n')
    told = json.loads(ojeon("config", "--json", cwd=tmp_path, OJEON_MIN_AUTO="0.9").stdout)
    assert told["grace"] == {"value": 60, "from": "ojeon.toml"}
    assert told["min_auto"] == {"value": 0.9, "from": "environment"}
    assert told["names"]["value"]["table"] == "bookings"
    assert told["noon"] == {"value": "12:00", "from": "default"}


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["parse", "--noon", "25:00", "x"], {}, "noon"),
        (["parse", "--slot", "Mo 9-12", "x"], {}, "slots"),
        (["parse", "--auto-threshold", "2", "x"], {}, "auto_threshold"),
        (["config"], {"OJEON_GRACE": "soon"}, "grace"),
        (["parse", "--timezone", "Mars/Base", "x"], {}, "timezone"),
        (["parse", "--jsonl", "text"], {}, "--jsonl"),
        (["nonsense"], {}, "nonsense"),
        (["run", "--min-auto", "much"], {}, "min-auto"),
        (["run", "--table", ""], {}, "names.table, from a flag"),
        (["config"], {"OJEON_NAMES__ID": ""}, "names.id, from the environment"),
        (["config"], {"OJEON_NAMES__TABLE": ""}, "names.table"),
        (["config"], {"OJEON_RUNS": ""}, "runs"),
        (["config"], {"OJEON_MINAUTO": "0.5"}, "OJEON_MINAUTO, which is no setting. Did you mean OJEON_MIN_AUTO"),
        (["config"], {"OJEON_NAMES__IDD": "x"}, "OJEON_NAMES__ID"),
        (["config"], {"OJEON_GRACE": "721"}, "grace"),
        (["config"], {"OJEON_SLOTS": "Mon 09:00-12:00"}, """OJEON_SLOTS='["Mon 09:00-12:00", "Mon 14:00-18:00"]'"""),
        (["parse", "--slot", "Mon 12:00-09:00", "x"], {}, "'Mon 12:00-09:00' must end after it starts"),
        (["parse", "--slot", "Mon 12:00-24:30", "x"], {}, "24:00 at the latest"),
        (["parse", "--noon", "24:00", "x"], {}, "'24:00' does not lie within a day"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(arguments, environment, named):
    done = ojeon(*arguments, **environment)
    assert done.returncode == 2
    assert named in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_what_an_argument_hides_is_shown():
    done = ojeon("run", "--dump", "no\x1b[31m\u202e.csv")
    assert done.returncode == 2
    assert "no⟨U+001B⟩[31m⟨U+202E⟩.csv" in done.stderr.decode()


def test_a_wrong_settings_file_is_named(tmp_path):
    (tmp_path / "ojeon.toml").write_text("grace = [")
    done = ojeon("config", cwd=tmp_path)
    assert done.returncode == 2
    assert "ojeon.toml" in done.stderr.decode()
    (tmp_path / "ojeon.toml").write_text("gracee = 60")
    done = ojeon("config", cwd=tmp_path)
    assert done.returncode == 2
    assert "gracee" in done.stderr.decode()


def test_a_settings_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "ojeon.toml").write_bytes(b"\xef\xbb\xbfgrace = 61\n")
    told = json.loads(ojeon("config", "--json", cwd=tmp_path).stdout)
    assert told["grace"] == {"value": 61, "from": "ojeon.toml"}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes("# \uc624\uc804\ngrace = 60".encode("cp949")), "is not UTF-8"),
        (lambda path: path.write_text("grace = " + "[" * 100_000), "is not valid TOML"),
        (lambda path: path.symlink_to("/proc/self/mem"), "cannot be read: Input/output error"),
        (lambda path: path.symlink_to("nowhere"), "is no file that can be read"),
        (lambda path: path.mkdir(), "is no file that can be read"),
    ],
    ids=["cp949", "deep", "unreadable", "dangling", "folder"],
)
def test_a_settings_file_that_cannot_be_read(make, why, tmp_path):
    make(tmp_path / "ojeon.toml")
    done = ojeon("config", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"ojeon.toml in this folder {why}")
    assert done.stderr.count(b"\n") == 1


def test_flags_and_environment_name_different_parts_of_the_table():
    done = ojeon("run", "--table", "bookings", "--dump", "/nowhere", OJEON_NAMES__ID="")
    assert "names.id, from the environment" in done.stderr.decode()


def test_every_rule_and_reason_has_its_line_of_the_policy():
    decided = {case.rule for case in cases() if case.auto and not case.known_failure}
    assert decided <= HOW.keys()
    assert set(Reason) == WHY.keys()
