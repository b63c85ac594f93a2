"""An embedded PostgreSQL for the demo and the tests: started in a second, gone when its owner is gone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline import embedded_guard
from pipeline.embedded_programs import Account, account, make_folder, programs, version
from pipeline.errors import RunError

# Durability costs time and gives nothing to data that is deleted at the end.
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_BUILTIN_LOCALE_SINCE = 17


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
def embedded_postgres(*, durable: bool = False) -> Iterator[Server]:
    """Start a private PostgreSQL (UTF-8, reachable by a socket only); remove it and all its data afterwards.

    It also goes when this process is killed: a guard process of its own watches. ``durable`` keeps fsync on, so that
    speeds are those of a real server.

    Raises:
        RunError: it cannot be started; the message holds the last lines of the server's log.
    """
    user = account()
    folder = make_folder(user)
    command = [sys.executable, "-I", "-S", embedded_guard.__file__, str(folder)]
    with subprocess.Popen(  # noqa: S603 - our own program; a session of its own is out of reach of Ctrl-C
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as guard:
        # Leaving this block closes the guard's input, whereupon it cleans up, and waits for its end.
        place = programs(folder, user)
        _order(guard, _commands(folder, place, version(place, user), durable=durable), user)
        yield Server(folder, place)


def _commands(folder: Path, place: Path, major: int, *, durable: bool) -> dict[str, list[str]]:
    locale = ["--locale=C.UTF-8"]
    if major >= _BUILTIN_LOCALE_SINCE:  # the same order and case rules on every machine
        locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    settings = ["listen_addresses=", f"unix_socket_directories={folder}", *(() if durable else _FORGETFUL)]
    data = str(folder / "data")
    initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions", *locale]
    return {
        "initdb": [str(place / "initdb"), *initdb],
        "postgres": [str(place / "postgres"), "-D", data, *(word for pair in settings for word in ("-c", pair))],
    }


def _order(guard: "subprocess.Popen[bytes]", commands: dict[str, list[str]], user: Account | None) -> None:
    order: dict[str, Any] = {**commands, "account": (user.uid, user.gid) if user else None}
    reply = {"error": "its guard process ended"}
    if guard.stdin and guard.stdout:
        with suppress(BrokenPipeError):  # the guard is gone: its missing answer says so
            guard.stdin.write(json.dumps(order).encode() + b"\n")
            guard.stdin.flush()
        reply = json.loads(guard.stdout.readline() or json.dumps(reply))
    if "error" in reply:
        raise RunError(
            f"The embedded PostgreSQL did not start: {reply['error']}. "
            "Give a database of your own with --database-url, or free some space in the temporary folder."
        )
