"""Ctrl-C, ``kill`` and a terminal that is closed: each ends the program as an interruption, with its own exit code."""

import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = 130
_WHAT_STAYS = {
    "run": " What was written so far stays; a run without manifest.json is not finished: start another.",
    "demo": " What was written so far stays; a run without manifest.json is not finished: start another.",
    "apply": " What was done stays done; the same command goes on.",
    "undo": " What was done stays done; the same command goes on.",
    "sync": " What was done stays done; the same command goes on.",
}

_seen: list[int] = []


def sentence() -> str:
    """What there is to say of it: what became of the work of the command that was given."""
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    return f"Interrupted.{_WHAT_STAYS.get(command, ' What was written so far stays.')}"


def end_at_once() -> None:
    """Until everything is loaded there is nothing to clean up, and a library being loaded may swallow an exception."""
    _handle_with(_end)


def raise_from_now_on() -> None:
    """Raise ``KeyboardInterrupt`` where the program is, so that what it has opened is closed again."""
    _handle_with(_raise)


def end_silently() -> None:
    """Leave the rest, the interpreter's own end, to the system: no traceback comes out of it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def stop_if_seen() -> None:
    """Raise what a library has swallowed: some catch everything while they import what they can do without."""
    if _seen:
        raise KeyboardInterrupt


def seen() -> bool:
    """Whether there was an interruption, whatever exception became of it."""
    return bool(_seen)


def forget() -> None:
    """Take the interruption as an answer that was waited for."""
    _seen.clear()


def _handle_with(handler: "signal._HANDLER") -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What nohup ignores stays ignored.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _end(number: int, frame: object) -> NoReturn:
    del number, frame
    try:
        os.write(2, f"{sentence()}\n".encode())
    finally:
        os._exit(INTERRUPTED)


def _raise(number: int, frame: object) -> NoReturn:
    del frame
    _seen.append(number)
    sys.unraisablehook = _quietly  # where it strikes inside a destructor, Python would print a traceback and go on
    raise KeyboardInterrupt


def _quietly(unraisable: "sys.UnraisableHookArgs") -> None:
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)
