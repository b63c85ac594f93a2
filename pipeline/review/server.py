"""Serving the triage page on the loopback until Ctrl-C."""

import errno
import os
import socket
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from parsers import Policy
from pipeline import interrupts
from pipeline.errors import RunError, UsageError
from pipeline.review.guard import TOKEN, Door, Guard
from pipeline.review.page import Page
from pipeline.review.triage import Triage

LOOPBACK = "127.0.0.1"
_PATIENCE = 2  # seconds an answer under way may still take when the server is told to end


def serve(triage: Triage, policy: Policy, port: int, language: str, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; ``announce`` is told the address as soon as it can be opened.

    Raises:
        UsageError: the port is taken or may not be used.
        RunError: this machine lets nobody listen.
    """
    with _listening(port) as listener:
        port = listener.getsockname()[1]
        door = Door(port)
        config = uvicorn.Config(
            Guard(Page(triage, policy, language).app(), door, port),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_PATIENCE,
        )
        with suppress(KeyboardInterrupt):
            announce(f"http://{LOOPBACK}:{port}/?{TOKEN}={door.token}")
            uvicorn.Server(config).run(sockets=[listener])
        interrupts.forget()


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            why = "taken by another program" if error.errno == errno.EADDRINUSE else "not free for everybody"
            raise UsageError(f"Port {port} is {why}. Give another with --port, or none for any free one.") from error
        raise RunError(f"Nobody can listen on {LOOPBACK}: {error.strerror}.") from error
    return listener


def show_in_browser(address: str) -> None:
    """Open the address where a person sits before a screen; elsewhere a browser would take over the terminal."""
    has_screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_screen and sys.stdout.isatty():
        webbrowser.open(address)
