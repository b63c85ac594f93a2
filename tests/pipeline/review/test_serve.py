"""The server behind the triage page: who may speak to it, what it takes, how it starts and ends."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from served_page import Served, serving
from waiting_run import RUN, make_run

from pipeline.review_file import key
from pipeline.workbench import open_workbench

OJEON = Path(sys.executable).with_name("ojeon")
EIGHT = key(RUN, "8시")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs", [("8시", 9), ("미정", 4)])


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    with serving(folder) as running:
        yield running


@pytest.fixture
def session(served: Served) -> dict[str, str]:
    return admitted(served)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that get nothing out of it, and nothing into it."""
    with serving(make_run(tmp_path_factory.mktemp("closed"), [("8시", 9), ("미정", 4)])) as running:
        yield running


@pytest.fixture(scope="module")
def inside(closed: Served) -> dict[str, str]:
    return admitted(closed)


def admitted(served: Served) -> dict[str, str]:
    """What an admitted browser sends along."""
    status, headers, _ = served.ask("GET", "/?" + urlsplit(served.address).query)
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"].split(";")[0]
    return {"cookie": cookie, "origin": served.origin, "content_type": "application/json"}


def word(**changed: object) -> bytes:
    told = {"reviewer": "reviewer-1", "verdict": "MORNING", "note": "", "seen": {EIGHT: ""}}
    return json.dumps(told | changed).encode()


def test_the_cookie_is_for_this_server_and_out_of_reach_of_scripts(served: Served) -> None:
    _, headers, _ = served.ask("GET", "/?" + urlsplit(served.address).query)
    cookie = headers["set-cookie"].lower()
    assert cookie.startswith(f"ojeon-session-{served.port}=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_the_token_admits_once(served: Served) -> None:
    used = "/?" + urlsplit(served.address).query
    assert served.ask("HEAD", used)[0] == 403  # a preview does not use it up
    cookie = admitted(served)["cookie"]
    status, headers, body = served.ask("GET", used)
    assert status == 403
    assert "set-cookie" not in headers
    assert "한 번만" in body.decode()
    assert served.ask("GET", used, cookie=cookie)[0] == 303  # whoever is in may come in again


@pytest.mark.parametrize("token", ["", "x", "한글", "\x00", "a" * 5000])
def test_no_other_token_admits(closed: Served, token: str) -> None:
    assert closed.ask("GET", f"/?token={quote(token)}")[0] == 403


@pytest.mark.parametrize("path", ["/", "/api/texts", f"/api/texts/{EIGHT}", "/api/said", "/nothing"])
def test_without_the_cookie_nothing_is_told(closed: Served, path: str) -> None:
    for cookie in ("", "ojeon-session=x", f"ojeon-session-{closed.port}=x"):
        status, _, body = closed.ask("GET", path, cookie=cookie)
        assert status == 403
        assert "8시" not in body.decode()


@pytest.mark.parametrize("path", ["/", "/api/texts", "/api/said"])
def test_a_foreign_host_is_refused_even_with_the_cookie(closed: Served, inside: dict[str, str], path: str) -> None:
    ours = f"127.0.0.1:{closed.port}"
    for host in (
        "evil.invalid",
        f"evil.invalid:{closed.port}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"a.{ours}",
        f"{ours}1",
        "",
    ):
        status, _, body = closed.ask("GET", path, host=host, cookie=inside["cookie"])
        assert status in {400, 421}, host
        assert "8시" not in body.decode()


def test_a_foreign_origin_is_refused_even_with_the_cookie(closed: Served, inside: dict[str, str]) -> None:
    for origin in ("http://evil.invalid", "null", f"https://127.0.0.1:{closed.port}", "http://127.0.0.1:1", ""):
        assert closed.ask("GET", "/api/texts", **{**inside, "origin": origin})[0] == 403, origin
        assert closed.ask("POST", "/api/answers", word(), **{**inside, "origin": origin})[0] == 403, origin
    without = {name: value for name, value in inside.items() if name != "origin"}
    assert closed.ask("POST", "/api/answers", word(), **without)[0] == 403
    assert closed.said() == {}


def test_only_json_is_taken(closed: Served, inside: dict[str, str]) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert closed.ask("POST", "/api/answers", word(), **{**inside, "content_type": kind})[0] == 415
    assert closed.said() == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"[" * 200_000, b"\xff\xfe", word(verdict="NOON"), word(verdict=1), word(verdict=None),
     word(reviewer=""), word(reviewer="\u202e"), word(reviewer="a" * 101), word(reviewer=None), word(seen={}),
     word(seen=[]), word(seen={EIGHT: 1}), word(seen={"T0000000000000000": ""}), word(note=None), word(note="a" * 501),
     word(seen={EIGHT: "", "T0000000000000000": ""})],
)  # fmt: skip
def test_what_is_not_a_word_is_refused_and_nothing_is_kept(closed: Served, inside: dict[str, str], body: bytes) -> None:
    status, _, told = closed.ask("POST", "/api/answers", body, **inside)
    assert status in {400, 422}
    assert "error" in json.loads(told)
    assert closed.said() == {}


def test_a_body_too_long_is_refused(closed: Served, inside: dict[str, str]) -> None:
    assert closed.ask("POST", "/api/answers", word(note=" " * (5 << 20)), **inside)[0] == 413
    assert closed.ask("GET", "/api/said", **inside)[0] == 200


def test_a_word_is_taken_and_told(served: Served, session: dict[str, str]) -> None:
    status, _, told = served.ask("POST", "/api/answers", word(note="왜"), **session)
    assert status == 200
    assert [answer["verdict"] for answer in json.loads(told)["said"][EIGHT]["answers"]] == ["MORNING"]
    kept = served.said()["8시"]
    assert (kept.reviewer, kept.verdict, kept.note, kept.run_id, kept.key, kept.source, kept.purpose) == (
        "reviewer-1", "MORNING", "왜", RUN, EIGHT, "page", "REVIEW",
    )  # fmt: skip
    status, _, told = served.ask("POST", "/api/answers", word(verdict="AFTERNOON"), **session)
    assert (status, json.loads(told)["changed"]) == (409, [EIGHT])


def test_a_note_with_half_a_letter_does_not_hold_its_answer_up(served: Served, session: dict[str, str]) -> None:
    """A browser that cuts a note at its longest may cut a letter in two."""
    assert served.ask("POST", "/api/answers", word(note="왜\ud83d"), **session)[0] == 200
    assert served.said()["8시"].note == "왜?"


def test_every_answer_carries_its_armour(closed: Served, inside: dict[str, str]) -> None:
    nonces = set()
    for path in ("/", "/", "/api/texts", "/nothing"):
        _, headers, body = closed.ask("GET", path, cookie=inside["cookie"])
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
        if path == "/":
            (nonce,) = set(re.findall(r'nonce="([^"]+)"', body.decode()))
            assert f"script-src 'nonce-{nonce}'" in headers["content-security-policy"]
            assert not re.search(r"\son\w+=|javascript:|https?://(?!www\.w3\.org/2000/svg)", body.decode())
            nonces.add(nonce)
    assert len(nonces) == 2


def test_the_language_is_kept_and_nothing_else_is_taken_for_one(closed: Served, inside: dict[str, str]) -> None:
    cookie = inside["cookie"]
    assert '<html lang="ko">' in closed.ask("GET", "/", cookie=cookie)[2].decode()
    _, headers, _ = closed.ask("GET", "/?lang=en", cookie=cookie)
    kept = headers["set-cookie"].split(";")[0]
    assert '<html lang="en">' in closed.ask("GET", "/", cookie=f"{cookie}; {kept}")[2].decode()
    for odd in ("../ko", "xx", ""):
        assert "set-cookie" not in closed.ask("GET", f"/?lang={odd}", cookie=cookie)[1]
        assert '<html lang="ko">' in closed.ask("GET", "/", cookie=f"{cookie}; ojeon-language={odd}")[2].decode()


def test_a_store_that_fails_is_told_and_nothing_is_called_saved(served: Served, session: dict[str, str]) -> None:
    with closing(sqlite3.connect(served.store)) as other:
        other.execute("ALTER TABLE answers RENAME TO gone")
    status, _, told = served.ask("POST", "/api/answers", word(), **session)
    assert status == 503
    assert "answers.sqlite could not be read or written" in json.loads(told)["error"]


def ojeon(*arguments: object, runs: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [OJEON, "review", "serve", *map(str, arguments), "--no-open"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "OJEON_RUNS": str(runs), "COLUMNS": "160"},
    )


def test_ctrl_c_ends_it_quietly_and_the_address_stands_alone_on_stdout(folder: Path) -> None:
    process = subprocess.Popen(
        [OJEON, "review", "serve", folder.name, "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OJEON_RUNS": str(folder.parent)},
    )
    address = process.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}\n", address)
    with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert str(folder.parent / "answers.sqlite") in err.replace("\n", "")


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = ojeon("nowhere", runs=tmp_path)
    assert done.returncode == 2
    assert "There is no run nowhere" in done.stderr


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    done = ojeon("half", runs=tmp_path)
    assert done.returncode == 4
    assert "manifest.json" in done.stderr


def test_a_workbench_in_use_is_named(folder: Path) -> None:
    with open_workbench(folder):
        done = ojeon(folder, runs=folder.parent)
    assert done.returncode == 4
    assert "open in another program" in done.stderr.replace("\n", " ")


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ojeon(folder, "--port", port, runs=folder.parent)
    assert done.returncode == 2
    assert f"Port {port} is taken" in done.stderr


def test_a_run_without_an_audit_sample_says_so(folder: Path) -> None:
    done = ojeon(folder, "--audit", runs=folder.parent)
    assert done.returncode == 2
    assert "no audit sample" in done.stderr
