"""The guard of one embedded PostgreSQL: starts it, and removes it when the process it serves is gone.

A program of its own (``python -I -S embedded_guard.py UID GID PLACE…``) in a session of its own, so that neither Ctrl-C
nor a killed owner ends it before it has cleaned up. It makes a folder in the first place that will do and answers with
its name; the owner then writes one line into its standard input, the order, and keeps that open. When it closes,
however the owner ended, the server is stopped and its folder deleted. Standard library only.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

START_SECONDS = 60
STOP_SECONDS = 20
LOG_LINES = 8


def main() -> None:
    """Make the folder, wait for the order, start the server, keep watch, clean up; answers are lines of JSON."""
    owner = os.getppid()
    uid, gid, *places = sys.argv[1:]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder: Path | None = None
    server: subprocess.Popen[bytes] | None = None
    try:
        folder = make_folder(places, int(uid), int(gid))
        answer({"folder": str(folder)})
        order = sys.stdin.readline()
        if order:
            server = start(folder, int(uid), int(gid), **json.loads(order))
            answer({"ready": True})
            watch(owner, server)
    except (OSError, RuntimeError) as error:
        answer({"error": str(error)})
    finally:
        if server is not None:
            stop(server)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def make_folder(places: list[str], uid: int, gid: int) -> Path:
    """Make a private folder that belongs to the server's account.

    Raises:
        RuntimeError: none of the places will do.
    """
    for place in places:
        try:
            folder = Path(tempfile.mkdtemp(prefix="ojeon-pg-", dir=place))
        except OSError:
            continue
        try:
            os.chown(folder, uid, gid)
        except OSError:
            folder.rmdir()
            continue
        return folder
    raise RuntimeError(f"no folder for its data can be made in {', '.join(places) or 'any place'}")


def start(folder: Path, uid: int, gid: int, initdb: list[str], postgres: list[str]) -> "subprocess.Popen[bytes]":
    """Run two commands in ``folder``: one that makes the data folder, one that is the server, until it is ready.

    Raises:
        RuntimeError: it did not start; the text holds the last lines it wrote.
        OSError: the programs cannot be executed.
    """
    log = folder / "server.log"
    common: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    if os.geteuid() == 0:
        common |= {"user": uid, "group": gid, "extra_groups": []}
    with log.open("wb") as output:
        if subprocess.run(initdb, stdout=output, check=False, **common).returncode:  # noqa: S603 - the owner's order
            raise RuntimeError(last_lines(log))
        server = subprocess.Popen(postgres, stdout=output, **common)  # noqa: S603 - the owner's order
    deadline = time.monotonic() + START_SECONDS
    while not accepts(folder / "data" / "postmaster.pid"):
        if server.poll() is not None or time.monotonic() > deadline:
            stop(server)
            raise RuntimeError(last_lines(log))
        time.sleep(0.01)
    return server


def accepts(pid_file: Path) -> bool:
    """Whether the server has written into its pid file that it is ready (line 8)."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def watch(owner: int, server: "subprocess.Popen[bytes]") -> None:
    """Return when the owner or the server is gone."""
    # A forked child of the owner may hold the pipe open for longer than the owner lives: look at both.
    while os.getppid() == owner and server.poll() is None:
        if select.select([sys.stdin], [], [], 0.5)[0]:
            return


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Stop the server at once; its data is about to be deleted, so nothing needs to be written out."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def answer(message: dict[str, Any]) -> None:
    """Say one thing to the owner, who may be gone already."""
    with contextlib.suppress(BrokenPipeError):
        # Past the buffer: what is left in it would fail again, loudly, at exit.
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")


def last_lines(log: Path) -> str:
    """The last lines of the server's log, as one text."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


if __name__ == "__main__":
    main()
