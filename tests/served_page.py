"""A real ``ojeon review serve`` for tests: a process of its own, its address, and the store it writes to.

The process is forked from one that has loaded the program already: tests need many, and loading takes seconds.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.answers import Answer, open_answers

PATIENCE = 30
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["pipeline.cli", "pipeline.finished_run", "pipeline.review.server"])


@dataclass
class Served:
    """A running page; ``address`` is what it printed, token included."""

    process: ForkServerProcess
    address: str
    store: Path

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid or 0, number)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(PATIENCE)

    def said(self) -> dict[str | None, Answer]:
        """The standing answers by text, read from the store itself."""
        with open_answers(self.store, create=False) as answers:
            return {answer.text: answer for answer in answers.current()}

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask by hand; ``headers`` (with _ for -) may replace the Host that a browser would send."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        sent = {"Host": urlsplit(self.origin).netloc, "Content-Length": str(len(body or b""))}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Serve the run's folder until the context ends."""
    runs = folder.parent
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "output"
        process = _forks.Process(target=_serve, args=([str(folder), "--no-open", *options], str(runs), str(output)))
        process.start()
        try:
            yield Served(process, _first_line(output, process), runs / "answers.sqlite")
        finally:
            process.kill()
            process.join(PATIENCE)


def _serve(arguments: list[str], runs: str, output: str) -> None:
    from pipeline.cli import main  # noqa: PLC0415 - in the process that has loaded it

    written = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(written, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ["OJEON_RUNS"] = runs
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.argv = ["ojeon", "review", "serve", *arguments]
    main()


def _first_line(output: Path, process: ForkServerProcess) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if output.exists() and "\n" in (text := output.read_text(encoding="utf-8")):
            return text.splitlines()[0]
        assert process.exitcode is None, f"it ended with {process.exitcode}"
        time.sleep(0.01)
    raise TimeoutError("the page printed no address")
