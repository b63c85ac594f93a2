import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.embedded import Server, _commands
from pipeline.embedded_guard import accepts
from pipeline.embedded_programs import account, version


@dataclass
class Restartable:
    """A durable server of one test's own, whose data outlives its processes."""

    server: Server
    commands: dict[str, list[str]]
    identity: dict[str, Any]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with (self.server.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.commands["postgres"], stdout=log, stderr=log, cwd=self.server.folder, **self.identity
            )
        until = time.monotonic() + 30
        while not accepts(self.server.folder / "data" / "postmaster.pid"):
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)

    def stop_at_once(self) -> None:
        """Immediate shutdown: sessions are cut, nothing is written out, the next start recovers from the log."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)


@pytest.fixture
def restartable(server: Server) -> Iterator[Restartable]:
    user = account()
    identity = {"user": user.uid, "group": user.gid, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(server.folder) / f"again-{time.monotonic_ns()}"
    folder.mkdir()
    os.chown(folder, user.uid, user.gid)
    commands = _commands(folder, server.programs, version(server.programs, user), durable=True)
    subprocess.run(commands["initdb"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **identity)
    running = Restartable(Server(folder, server.programs), commands, identity)
    running.start()
    yield running
    running.stop_at_once()
