"""The three standard streams, made fit to be written to: closed, full, of another encoding, or left by their reader."""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_NEVER_FOLDED = 4_000


def prepare() -> None:
    """Open what the caller closed onto the null device, and let no character be refused for its encoding.

    A descriptor left closed would be given to the next file that is opened, and our words would land in that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            _null(number, os.O_WRONLY if number else os.O_RDONLY)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")


def settle(stream: TextIO) -> str | None:
    """Write out what is buffered; where that fails say why, and drop it, so that the exit does not fail of it too."""
    try:
        stream.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            _null(stream.fileno(), os.O_WRONLY)
            stream.flush()
        return getattr(error, "strerror", None) or str(error)
    return None


def page() -> "Console":
    """Where a command prints its tables: fit to a terminal's window; in a pipe or a file no line is folded."""
    from rich.console import Console  # noqa: PLC0415 - the streams are made ready before anything is loaded

    return Console(highlight=False, width=None if sys.stdout.isatty() else _NEVER_FOLDED)


def _null(number: int, flags: int) -> None:
    """Put the null device on the descriptor ``number``."""
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
