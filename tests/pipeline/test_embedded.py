import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipeline import embedded, embedded_programs
from pipeline.embedded import Server, embedded_postgres
from pipeline.errors import RunError

ROOT = Path(__file__).parents[2]
OWNER = """
import os, time
from pipeline.embedded import embedded_postgres
with embedded_postgres() as server:
    print(server.folder, os.geteuid(), flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def owner(python: str = sys.executable, **options: Any) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    """A process of its own that owns a server; yields it, the server's folder and the user it runs as."""
    command = [python, "-c", OWNER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **{"cwd": ROOT, **options}) as process:
        try:
            folder, uid = process.stdout.readline().split()
            yield process, Path(folder), int(uid)
        finally:
            process.kill()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Unlike pytest's own folders, one that other users may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def share(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:  # on another disk
        shutil.copy(source, target)


def copy_for_everyone(target: Path) -> dict[str, Any]:
    """Put Python, the modules and PostgreSQL where everyone may read them; how to start that Python."""
    library = Path(sysconfig.get_path("stdlib"))
    unneeded = shutil.ignore_patterns(
        "*-packages", "test", "config-*", "idlelib", "lib2to3", "*.opt-?.pyc", "ensurepip"
    )
    shutil.copytree(library, target / "lib" / library.name, ignore=unneeded, copy_function=share)
    for shared in library.parent.glob("libpython*"):
        shutil.copy(shared, target / "lib")
    python = target / "bin" / library.name
    python.parent.mkdir()
    shutil.copy(Path(sys.executable).resolve(), python)
    (target / "pipeline").mkdir()
    for module in ("__init__", "errors", "embedded", "embedded_guard", "embedded_programs"):
        shutil.copy(ROOT / "pipeline" / f"{module}.py", target / "pipeline")
    packages = next(embedded_programs._places()).parents[2]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / part, target / part, ignore=shutil.ignore_patterns("include"), copy_function=share)
    return {"python": str(python), "cwd": target, "env": {"LD_LIBRARY_PATH": str(target / "lib"), "PYTHONPATH": "."}}


def server_pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def is_gone(folder: Path, pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not folder.exists() and not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


def fsync_of(url: str) -> str:
    with psycopg.connect(url) as connection:
        return connection.execute("SHOW fsync").fetchone()[0]


def test_it_is_postgresql_with_utf8_and_no_open_port(server: Server) -> None:
    with psycopg.connect(server.url) as connection:
        settings = ["server_version_num", "server_encoding", "listen_addresses", "data_directory"]
        version, encoding, addresses, data = (connection.execute(f"SHOW {name}").fetchone()[0] for name in settings)
    assert int(version) >= 150000
    assert (encoding, addresses, data) == ("UTF8", "", str(server.folder / "data"))


def test_its_own_psql_reaches_it(server: Server) -> None:
    done = subprocess.run(
        [server.psql, server.url, "-Atc", "SELECT '오후 3시'"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "오후 3시\n"


def test_the_folder_is_closed_to_others(server: Server) -> None:
    assert server.folder.stat().st_mode & 0o077 == 0


def test_the_server_never_runs_as_root(server: Server) -> None:
    uid = Path(f"/proc/{server_pid(server.folder)}").stat().st_uid
    assert uid != 0
    assert uid == embedded_programs.account().uid


def test_two_at_once_and_nothing_left_after() -> None:
    with embedded_postgres() as one, embedded_postgres(durable=True) as two:
        seen = [(server.folder, server_pid(server.folder)) for server in (one, two)]
        fsync = [fsync_of(server.url) for server in (one, two)]
    assert fsync == ["off", "on"]
    assert seen[0][0] != seen[1][0]
    assert all(is_gone(folder, pid, seconds=0.5) for folder, pid in seen)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_goes_when_its_owner_is_killed(number: signal.Signals) -> None:
    with owner() as (process, folder, _):
        pid = server_pid(folder)
        process.send_signal(number)
        assert is_gone(folder, pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_signal_to_all_of_the_terminal_does_not_leave_it_behind(number: signal.Signals) -> None:
    with owner(process_group=0) as (process, folder, _):
        pid = server_pid(folder)
        os.killpg(process.pid, number)
        assert is_gone(folder, pid)


def test_it_works_for_an_ordinary_user(public_folder: Path) -> None:
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        options |= copy_for_everyone(public_folder)
    with owner(**options) as (process, folder, uid):
        assert uid != 0
        pid = server_pid(folder)
        process.send_signal(signal.SIGKILL)
        assert is_gone(folder, pid)


def test_programs_in_a_private_folder_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest's folder is private (0700), as a clone in root's home is."""
    original = next(embedded_programs._places())
    private = tmp_path / "site-packages"
    private.mkdir()
    private.chmod(0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (private / part).symlink_to(original.parents[2] / part)
    monkeypatch.setattr(
        embedded_programs, "_places", lambda: iter([private / "embedded_postgres" / "pginstall" / "bin"])
    )
    with embedded_postgres() as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        expected = server.folder / "programs" if os.geteuid() == 0 else private
        assert server.programs.is_relative_to(expected)


def test_no_programs_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_programs, "_places", lambda: iter([Path("/nowhere/bin")]))
    with pytest.raises(RunError, match=r"looked at: /nowhere/bin.*--database-url"), embedded_postgres():
        pass


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    public_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (public_folder / "initdb").write_text("#!/bin/sh\npwd\necho the disk is full\nexit 1\n")
    (public_folder / "initdb").chmod(0o755)
    monkeypatch.setattr(embedded, "programs", lambda *_: public_folder)
    with pytest.raises(RunError, match=r"did not start: (.*) \| the disk is full\. Give") as caught:
        embedded_postgres().__enter__()
    folder = re.search(r"start: (\S*)", str(caught.value))
    assert folder
    assert Path(folder[1]).name.startswith("ojeon-pg-")
    assert is_gone(Path(folder[1]), 0, seconds=2)


@pytest.mark.parametrize(
    ("places", "python", "why"),
    [([], sys.executable, "no folder for its data"), (["/"], "/nowhere/python", "/nowhere/python: No such file")],
)
def test_other_reasons_not_to_start(places: list[str], python: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "places_for", lambda _: places)
    monkeypatch.setattr(sys, "executable", python)
    with pytest.raises(RunError, match=f"did not start: {why}.*--database-url"):
        embedded_postgres().__enter__()


def test_a_guard_whose_owner_is_gone_says_nothing(public_folder: Path) -> None:
    user = embedded_programs.account()
    command = [sys.executable, "-I", "-S", embedded.embedded_guard.__file__, str(user.uid), str(user.gid)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*command, str(public_folder)], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(public_folder.iterdir()) == []


def test_a_guard_that_ends_early_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, public_folder: Path
) -> None:
    """It answers with its folder and is gone before it can take the order."""
    guard = tmp_path / "guard.py"
    answer = json.dumps({"folder": str(public_folder)})
    guard.write_text(f"import os; os.write(1, {answer.encode()!r} + b'\\n'); os.close(0)")
    monkeypatch.setattr(embedded.embedded_guard, "__file__", str(guard))
    with pytest.raises(RunError, match="its guard process ended"):
        embedded_postgres().__enter__()
