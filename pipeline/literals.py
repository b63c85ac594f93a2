"""Texts and names as PostgreSQL reads them, in a file that people read too.

A literal stays on its line and shows what it holds: whatever would break the line, vanish or turn the reading direction
is written as an escape. ``psql`` never sees a backslash outside ``E'…'``, so neither its own commands nor the server's
``standard_conforming_strings`` can change what a literal means.
"""

import re

import regex
from psycopg import sql

from pipeline.errors import RunError

_PLAIN = re.compile(r"[ -&(-\[\]-~]*")  # printable ASCII without quote and backslash: nearly every id
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
# Controls, formats, unassigned; all spaces but the common one; marks, which draw over their neighbours; characters
# that are drawn as nothing (Hangul fillers, blank Braille); letters and digits written from right to left.
_ESCAPED = regex.compile(
    r"[[\\\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800"
    r"\p{Bidi_Class:R}\p{Bidi_Class:AL}\p{Bidi_Class:AN}]--[ ]]",
    regex.V1,
)


def literal(text: str | None) -> str:
    r"""Write ``text`` as an untyped SQL literal on one line.

    >>> print(literal("오전 10시"), literal("it's"), literal("a\n\\b"), literal(None))
    '오전 10시' 'it''s' E'a\u000A\\b' NULL

    Raises:
        RunError: the text holds NUL or half a surrogate pair, which no PostgreSQL text can.
    """
    if text is None:
        return "NULL"
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    if _IMPOSSIBLE.search(text):
        raise RunError(
            "A text or id to be written into the plan holds a NUL character or half a surrogate pair, so it cannot be "
            "in the PostgreSQL table. Mend the dump it was read from, then start a new run."
        )
    doubled = text.replace("'", "''")
    escaped = _ESCAPED.sub(_escape, doubled)
    return f"'{doubled}'" if escaped == doubled else f"E'{escaped}'"


def identifier(*names: str) -> str:
    """Write a name, or a schema and a name, always quoted.

    >>> print(identifier("public", "preferredTime"))
    "public"."preferredTime"
    """
    return sql.Identifier(*names).as_string(None)


def _escape(match: regex.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
