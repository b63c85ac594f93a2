"""Who may speak to the triage page: a browser of this machine that was given the printed address, and nobody else.

The server listens on the loopback only. Even so any page open in the browser may send requests to it, by address or
under a name of its own that resolves to the loopback, so every request shows the host it believes to speak to, where
it comes from, and a cookie that only the one-time token of the printed address can buy.
"""

import hmac
import secrets
from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105 - the name of the parameter
_COME_IN = (
    "이 주소는 한 번만 쓸 수 있습니다. 터미널에서 `ojeon review serve`를 다시 시작하고 새 주소를 여세요.\n"
    "This address admits once. Start `ojeon review serve` again and open the address it prints.\n"
)
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Door:
    """A token that admits one browser, and the cookie by which that browser is known until the server ends."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self._unused = True
        self._secret = secrets.token_urlsafe(32)
        # Cookies do not keep ports apart: two servers of one machine need two names.
        self._cookie = f"ojeon-session-{port}"

    def knows(self, request: Request) -> bool:
        """Whether the browser has been admitted."""
        return _same(request.cookies.get(self._cookie, ""), self._secret)

    def admit(self, token: str, response: Response) -> bool:
        """Let the browser in by its cookie if the token is right and has not been used."""
        if not (self._unused and _same(token, self.token)):
            return False
        self._unused = False
        response.set_cookie(self._cookie, self._secret, httponly=True, samesite="strict")
        return True


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


class Guard:
    """Stands before the whole application."""

    def __init__(self, app: ASGIApp, door: Door, port: int, hosts: Iterable[str] = ("127.0.0.1", "localhost")) -> None:
        self._app = app
        self._door = door
        self._hosts = frozenset(f"{host}:{port}" for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or hand it on; every answer carries the same headers."""
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is spoken here")  # uvicorn is told so as well

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._answer(Request(scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _answer(self, request: Request) -> Response | None:
        """What is answered in place of the application; None: nothing, the request may pass."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in self._hosts:
            return _refuse(request, HTTPStatus.MISDIRECTED_REQUEST, "unknown host")
        if origin != f"http://{host}" and (origin is not None or request.method not in {"GET", "HEAD"}):
            return _refuse(request, HTTPStatus.FORBIDDEN, "foreign origin")
        known, token = self._door.knows(request), request.query_params.get(TOKEN)
        if token is not None and request.method == "GET" and request.url.path == "/":
            inside = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            if known or self._door.admit(token, inside):
                return inside
        return None if known else _refuse(request, HTTPStatus.FORBIDDEN, "no session", _COME_IN)


def _refuse(request: Request, status: HTTPStatus, why: str, words: str | None = None) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return PlainTextResponse(words or f"{why}\n", status)
