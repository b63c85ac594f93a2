"""Interruptions at awkward moments, in processes of their own."""

import signal
import subprocess
import sys

import pytest

WHILE_LOADING = """
import os, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder)
sys.argv = ["ojeon", "--version"]
from pipeline.__main__ import main
main()
"""
INSIDE_A_LIBRARY = """
import os, sys, signal
from pipeline import cli
def swallow(**_):
    try:
        os.kill(os.getpid(), {number})
    except KeyboardInterrupt:
        raise {error} from None
cli.app = swallow
cli.main()
"""
AFTER_THE_ANSWER = """
import os
from pipeline import cli
cli.signal.pause = lambda: os.kill(os.getpid(), {number})
def wait(**_):
    cli._wait_for_interrupt()
    raise ValueError
cli.app = wait
cli.main()
"""


def run(code: str, number: signal.Signals, **values: str) -> subprocess.CompletedProcess[str]:
    code = code.format(number=int(number), **values)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_while_everything_is_still_being_loaded(number):
    done = run(WHILE_LOADING, number)
    assert done.returncode == 130
    assert done.stderr.startswith("Interrupted. ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError('Query interrupted')",
        "__import__('duckdb').InvalidInputException('Query interrupted')",
        "__import__('pipeline.errors').errors.RunError('damaged')",
        "OSError(4, 'Interrupted system call')",
    ],
)
def test_an_interruption_stays_one_whatever_a_library_makes_of_it(error):
    done = run(INSIDE_A_LIBRARY, signal.SIGINT, error=error)
    assert (done.returncode, done.stderr.count("\n")) == (130, 1)
    assert done.stderr.startswith("Interrupted. ")


def test_an_interruption_that_was_waited_for_is_none():
    done = run(AFTER_THE_ANSWER, signal.SIGINT)
    assert done.stderr.strip().endswith("ValueError")


def test_what_nohup_ignores_stays_ignored():
    code = WHILE_LOADING.replace(
        "import os, sys", "import os, sys, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)", 1
    )
    done = run(code, signal.SIGHUP)
    assert done.returncode == 0
    assert done.stdout.startswith("ojeon ")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("run", "a run without manifest.json"),
        ("apply", "the same command goes on"),
        ("undo", "the same command goes on"),
    ],
)
def test_each_command_tells_what_became_of_its_own_work(command, says):
    done = run(WHILE_LOADING.replace("--version", command), signal.SIGINT)
    assert says in done.stderr
    assert ("manifest.json" in done.stderr) == (command == "run")
