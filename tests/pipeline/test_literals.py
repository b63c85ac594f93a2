import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.embedded import Server
from pipeline.errors import RunError
from pipeline.literals import identifier, literal

HOSTILE = json.loads((Path(__file__).parent / "hostile_texts.json").read_text(encoding="utf-8"))
# Any text that PostgreSQL can hold, with the characters that matter to a lexer drawn often.
TEXTS = st.text(
    st.one_of(st.sampled_from("'\\\n\r:;$-\"!E\u202e"), st.characters(codec="utf-8", exclude_characters="\0"))
)


def read_back(server: Server, database: str, texts: list[str], folder: Path) -> list[str]:
    """Let psql read a file of literals and tell what the server understood."""
    values = ",\n".join(f"({number}, {literal(text)})" for number, text in enumerate(texts))
    query = f"""\\encoding UTF8
SELECT encode(convert_to(raw, 'UTF8'), 'hex') FROM (VALUES {values}) AS given(number, raw) ORDER BY number;
"""
    file = folder / "literals.sql"
    file.write_text(query, encoding="utf-8", newline="\n")
    done = subprocess.run([server.psql, "-XAt", "-f", file, database], capture_output=True, check=True)
    assert done.stderr == b""
    return [bytes.fromhex(line).decode() for line in done.stdout.decode().split("\n")[:-1]]


@pytest.mark.parametrize("strings", ["on", "off"])
def test_hostile_texts_reach_the_server_unchanged(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strings: str
) -> None:
    monkeypatch.setenv("PGOPTIONS", f"-c standard_conforming_strings={strings} -c escape_string_warning=on")
    assert read_back(server, database, list(HOSTILE.values()), tmp_path) == list(HOSTILE.values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=1, max_size=60))
def test_any_text_reaches_the_server_unchanged(server: Server, database: str, tmp_path: Path, texts: list[str]) -> None:
    assert read_back(server, database, texts, tmp_path) == texts


@given(text=TEXTS)
def test_a_literal_is_one_line_of_printable_characters(text: str) -> None:
    written = literal(text)
    assert written.splitlines() == [written]
    assert written.isprintable()


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_unseen_is_spelled_out(name: str) -> None:
    unseen = set("\u202e\u2066\u2069\u200b\u200d\ufeff\u3164\u2800\u00a0\u3000\u202f\u0301\ue000")
    assert not unseen & set(literal(HOSTILE[name]))


def test_korean_stays_readable() -> None:
    assert literal("오후 3시 👍") == "'오후 3시 👍'"


def test_null_is_not_the_word() -> None:
    assert (literal(None), literal("NULL")) == ("NULL", "'NULL'")


@pytest.mark.parametrize("text", ["3시\0", "\ud83d", "'\0"])
def test_what_postgresql_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="Mend the dump"):
        literal(text)


def test_names_are_always_quoted() -> None:
    assert identifier("public", 'pre"ferred;Time') == '"public"."pre""ferred;Time"'
