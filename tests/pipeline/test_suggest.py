"""What a suggestion promises is what accepting it would bring."""

import json
import os
import subprocess
import sys
from pathlib import Path

from waiting_run import RUN, make_run

from parsers import Policy
from pipeline.normalize import normalize
from pipeline.suggest import suggest
from pipeline.workbench import open_workbench


def test_the_word_that_settles_most_rows_comes_first(tmp_path):
    workbench = open_workbench(tmp_path)
    lines = [
        ("오전 10시 짜장", 7, 0),
        ("짜장 오후 3시", 5, 1),
        ("오후 2시 짬뽕", 9, 0),
        ("8시 탕수육", 90, 0),  # ambiguous even without the word
        ("오전 10시 짜장 짬뽕", 50, 0),  # two unknown words
        ("오후 3시", 100, 0),
        ("홍길동", 100, 0),
    ]
    workbench.executemany("INSERT INTO texts VALUES (?, ?, ?, NULL, NULL)", lines)
    normalize(workbench, Policy())
    found = [(suggestion.word, suggestion.rows, suggestion.texts) for suggestion in suggest(workbench, Policy())]
    assert found == [("짜장", 11, 2), ("짬뽕", 9, 1)]


def test_examples_hide_personal_data(tmp_path):
    workbench = open_workbench(tmp_path)
    workbench.execute("INSERT INTO texts VALUES ('오전 10시 010-0000-1234', 3, 0, NULL, NULL)")
    normalize(workbench, Policy())
    told = repr(suggest(workbench, Policy()))
    assert "1234" not in told


def suggested(*words, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OJEON_")}
    command = [Path(sys.executable).with_name("ojeon"), "suggest", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**clean, **environment}
    )


def test_a_run_is_found_by_its_name_and_decided_under_its_own_settings(tmp_path):
    make_run(tmp_path, [("오후 3시 짜장", 7)])
    done = suggested(RUN, "--json", OJEON_RUNS=str(tmp_path), OJEON_AUTO_THRESHOLD="1.0")
    assert done.returncode == 0, done.stderr
    assert [found["word"] for found in json.loads(done.stdout)] == ["짜장"]


def test_a_workbench_that_is_in_use_is_refused_with_a_sentence(tmp_path):
    folder = make_run(tmp_path, ["오후 3시 짜장"])
    with open_workbench(folder):
        done = suggested(folder)
    assert done.returncode == 4
    assert "open in another program" in done.stderr
    assert "Traceback" not in done.stderr
