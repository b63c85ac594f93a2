"""The triage page and what it asks for: one HTML page, and answers as JSON below ``/api/``.

Texts leave here as JSON strings only, with everything unseen spelled out; the page puts them on the screen as text.
"""

import json
import secrets
import tomllib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from parsers import Policy, Reason
from pipeline.answers import Answer, Verdict, reviewer_name
from pipeline.errors import OjeonError, UsageError
from pipeline.explained import WHY
from pipeline.review.groups import Waiting
from pipeline.review.pieces import pieces_of
from pipeline.review.triage import ChangedMeanwhileError, Said, Triage, Word, version
from pipeline.review_file import EXPLANATIONS
from pipeline.visible import visible

LANGUAGES: Mapping[str, Mapping[Reason, str]] = {"ko": EXPLANATIONS, "en": WHY}
"""The languages of the page, each with what it says of a review reason."""
LONGEST_BODY = 4 << 20  # bytes: a word about fifty thousand texts
LONGEST_NOTE = 500  # characters
_SHOWN = 240  # characters of a text in the list
_SHOWN_WHOLE = 20_000
_A_YEAR = 365 * 24 * 3600
_NAME, _LANGUAGE = "ojeon-reviewer", "ojeon-language"
# One script in the end, for one page; the order is of no meaning but for the first and the last.
_SCRIPTS = (
    "state", "words", "standing", "server", "answering", "one", "alike", "views", "list", "dialogs", "keys", "start",
)  # fmt: skip
_TEMPLATES = resources.files("pipeline") / "templates"


class Page:
    """The routes; ``language`` is the one of a browser that has chosen none."""

    def __init__(self, triage: Triage, policy: Policy, language: str) -> None:
        self._triage = triage
        self._policy = policy
        self._language = language

    def app(self) -> Starlette:
        """The application, which must stand behind a ``Guard``."""
        return Starlette(
            routes=[
                Route("/", self.show, methods=["GET"]),
                Route("/api/texts", self.texts, methods=["GET"]),
                Route("/api/texts/{key}", self.text, methods=["GET"]),
                Route("/api/said", self.said, methods=["GET"]),
                Route("/api/answers", self.answer, methods=["POST"]),
                Route("/api/reviewer", self.introduce, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _http_error, OjeonError: _store_error},
        )

    async def show(self, request: Request) -> Response:
        """The page itself; ``?lang=`` keeps a language and comes back without it."""
        if (chosen := request.query_params.get("lang")) is not None:
            response: Response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            if chosen in LANGUAGES:
                _keep(response, _LANGUAGE, chosen)
            return response
        kept = request.cookies.get(_LANGUAGE, "")
        language = kept if kept in LANGUAGES else self._language
        nonce = secrets.token_urlsafe(16)
        html = render(language, nonce, self._facts(language, unquote(request.cookies.get(_NAME, ""))))
        return HTMLResponse(html, headers={"content-security-policy": _policy(nonce)})

    def _facts(self, language: str, reviewer: str) -> dict[str, Any]:
        reasons = {reason.value: said for reason, said in LANGUAGES[language].items()}
        blind, run = self._triage.blind, self._triage.run_id
        return {"run": run, "blind": blind, "reviewer": reviewer, "reasons": reasons, "longest_note": LONGEST_NOTE}

    async def texts(self, request: Request) -> Response:
        """All texts, in the order in which they are asked about, and what stands."""
        del request
        texts = [_listed(text, blind=self._triage.blind) for text in self._triage.texts.values()]
        return JSONResponse({"texts": texts, **self._all()})

    async def text(self, request: Request) -> Response:
        """One text whole, and (unless judged blind) what was read in it."""
        text = self._triage.texts.get(request.path_params["key"])
        if text is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "no such text")
        told = {"key": text.key, "text": _shown(text.raw, _SHOWN_WHOLE)}
        return JSONResponse(told if self._triage.blind else told | pieces_of(text.raw, self._policy))

    async def said(self, request: Request) -> Response:
        """What stands, or nothing new where the browser has ``seen`` it."""
        seen_all = request.query_params.get("seen") == str(self._triage.revision())
        return JSONResponse({} if seen_all else self._all())

    async def answer(self, request: Request) -> Response:
        """Take a word; it is in the store when the browser hears of it."""
        word = _word(await _body(request))
        try:
            taken = self._triage.take(word)
        except KeyError:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "no such text") from None
        except ChangedMeanwhileError as changed:
            told = self._told(self._triage.said_of(word.seen))
            return JSONResponse({"error": "changed", "changed": changed.keys, "said": told}, HTTPStatus.CONFLICT)
        return JSONResponse({"said": self._told(taken.said), "since": taken.since, "revision": taken.revision})

    async def introduce(self, request: Request) -> Response:
        """Keep the reviewer's name in a cookie, so that it is asked once for all runs."""
        name = _field(await _body(request), "name", str)
        try:
            response = JSONResponse({"name": (kept := reviewer_name(name))})
        except UsageError as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable name") from error
        _keep(response, _NAME, quote(kept))
        return response

    def _all(self) -> dict[str, Any]:
        revision = self._triage.revision()  # first: what is said in between is then told again
        return {"revision": revision, "said": self._told(self._triage.said())}

    def _told(self, said: Said) -> dict[str, Any]:
        return {
            key: {"seen": version(answers), "answers": [self._answered(answer) for answer in answers]}
            for key, answers in said.items()
        }

    def _answered(self, answer: Answer) -> dict[str, Any]:
        return {
            "reviewer": answer.reviewer,
            "verdict": answer.verdict,
            "note": visible(answer.note, LONGEST_NOTE),
            "at": answer.at.isoformat(timespec="seconds"),
        }


def render(language: str, nonce: str, facts: Mapping[str, Any]) -> str:
    """Render the page; ``facts`` are handed to its script."""
    say = _words(language)
    other = next(name for name in LANGUAGES if name != language)
    return (
        _environment()
        .get_template("triage.html.j2")
        .render(
            say=say,
            other=_words(other),
            nonce=nonce,
            facts=facts,
            style=Markup(_asset("triage.css")),  # noqa: S704 - our own files, which must not be escaped
            script=Markup("".join(_asset(f"triage/{name}.js") for name in _SCRIPTS)),  # noqa: S704
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("pipeline")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _words(language: str) -> dict[str, Any]:
    return tomllib.loads(_asset(f"triage.{language}.toml"))


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_A_YEAR, httponly=True, samesite="strict")


def _listed(text: Waiting, *, blind: bool) -> dict[str, Any]:
    shown = {"key": text.key, "text": _shown(text.raw, _SHOWN), "group": text.group}
    if blind:
        return shown
    return shown | {
        "rows": text.rows,
        "suggestion": text.suggestion,
        "confidence": text.confidence,
        "reason": text.reason,
        "first": text.first_seen.date().isoformat() if text.first_seen else None,
        "last": text.last_seen.date().isoformat() if text.last_seen else None,
    }


def _shown(raw: str | None, limit: int) -> str | None:
    return None if raw is None else visible(raw.replace("\r\n", "⏎").replace("\n", "⏎"), limit)


async def _body(request: Request) -> dict[str, Any]:
    """The request's JSON object; a form of another page cannot send this content type unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "JSON is wanted")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too long")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "not JSON") from None
    if not isinstance(given, dict):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "an object is wanted")
    return given


def _field(given: Mapping[str, Any], name: str, kind: type) -> Any:
    value = given.get(name)
    if not isinstance(value, kind):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} is missing or wrong")
    return value


def _word(given: Mapping[str, Any]) -> Word:
    seen, note = _field(given, "seen", dict), _field(given, "note", str)
    if not seen or not all(isinstance(version, str) for version in seen.values()) or len(note) > LONGEST_NOTE:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "seen or note is wrong")
    note = note.encode(errors="replace").decode()  # half of a letter of two, which no store takes, must not hold it up
    try:
        return Word(reviewer_name(_field(given, "reviewer", str)), Verdict(_field(given, "verdict", str)), note, seen)
    except (UsageError, ValueError):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "reviewer or verdict is wrong") from None


async def _http_error(request: Request, error: Exception) -> Response:
    del request
    status, why = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    return JSONResponse({"error": why}, status)


async def _store_error(request: Request, error: Exception) -> Response:
    del request
    return JSONResponse({"error": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE)
