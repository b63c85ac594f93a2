"""An embedded PostgreSQL for the demo and the tests: started in a second, gone when its owner is gone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline import embedded_guard
from pipeline.embedded_programs import Account, account, places_for, programs, version
from pipeline.errors import RunError

# Durability costs time and gives nothing to data that is deleted at the end.
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_BUILTIN_LOCALE_SINCE = 17
_WAY_OUT = "Give a database of your own with --database-url, or set TMPDIR to a short path with room, open to all."


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its folder (socket, data, log) and the folder of its programs (psql, pg_dump, …)."""

    folder: Path
    programs: Path

    @property
    def url(self) -> str:
        """The address of the database ``postgres``, as its superuser of the same name; needs no password."""
        return self.database_url("postgres")

    @property
    def psql(self) -> Path:
        """The terminal client of the server's own version."""
        return self.programs / "psql"

    def database_url(self, database: str, user: str = "postgres") -> str:
        """The address of a database of this server, as psycopg, ADBC and psql take it."""
        name, role, folder = (quote(part, safe="") for part in (database, user, str(self.folder)))
        return f"postgresql://{role}@/{name}?host={folder}"


@contextmanager
def embedded_postgres(*, durable: bool = False, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Start a private PostgreSQL (UTF-8, reachable by a socket only); remove it and all its data afterwards.

    It also goes when this process is killed: a guard process of its own watches. ``durable`` keeps fsync on, so that
    speeds are those of a real server; ``settings`` are the server's own, each as ``name=value``.

    Raises:
        RunError: it cannot be started; the message holds the last lines of the server's log.
    """
    user = account()
    with _guarded(user) as guard:
        folder = Path(_answer(guard)["folder"])
        place = programs(folder, user)
        _order(guard, _commands(folder, place, version(place, user), durable=durable, settings=settings))
        _answer(guard)
        yield Server(folder, place)


@contextmanager
def _guarded(user: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the guard; leaving the context closes its input, whereupon it cleans up, and waits for its end."""
    identity = (str(user.uid), str(user.gid))
    command = [sys.executable, "-I", "-S", embedded_guard.__file__, *identity, *places_for(user)]
    try:  # a session of its own is out of reach of Ctrl-C and of signals to our process group
        guard = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise RunError(
            f"The embedded PostgreSQL did not start: {sys.executable}: {error.strerror}. {_WAY_OUT}"
        ) from error
    with guard:
        yield guard


def _commands(
    folder: Path, place: Path, major: int, *, durable: bool, settings: Sequence[str] = ()
) -> dict[str, list[str]]:
    locale = ["--locale=C.UTF-8"]
    if major >= _BUILTIN_LOCALE_SINCE:  # the same order and case rules on every machine
        locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    given = ["listen_addresses=", f"unix_socket_directories={folder}", *(() if durable else _FORGETFUL), *settings]
    data = str(folder / "data")
    initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions", *locale]
    return {
        "initdb": [str(place / "initdb"), *initdb],
        "postgres": [str(place / "postgres"), "-D", data, *(word for pair in given for word in ("-c", pair))],
    }


def _order(guard: "subprocess.Popen[bytes]", commands: dict[str, list[str]]) -> None:
    if guard.stdin:
        with suppress(BrokenPipeError):  # the guard is gone: its missing answer says so
            # Past the buffer: what is left in it would fail again when it is closed.
            os.write(guard.stdin.fileno(), json.dumps(commands).encode() + b"\n")


def _answer(guard: "subprocess.Popen[bytes]") -> dict[str, Any]:
    line = guard.stdout.readline() if guard.stdout else b""
    reply: dict[str, Any] = json.loads(line) if line else {"error": "its guard process ended"}
    if "error" in reply:
        raise RunError(f"The embedded PostgreSQL did not start: {reply['error']}. {_WAY_OUT}")
    return reply
