"""Texts and names as PostgreSQL reads them, in a file that people read too.

A literal stays on its line and shows what it holds: whatever would break the line, vanish or turn the reading direction
is written as an escape. ``psql`` never sees a backslash outside ``E'…'``, so neither its own commands nor the server's
``standard_conforming_strings`` can change what a literal means.
"""

import re
import unicodedata

from psycopg import sql

from pipeline.errors import RunError
from pipeline.visible import is_unseen

_PLAIN = re.compile(r"[ -&(-\[\]-~]*")  # printable ASCII without quote and backslash: nearly every id
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


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
    escaped = "".join(char if _speaks_for_itself(char) else _escape(char) for char in doubled)
    return f"'{doubled}'" if escaped == doubled else f"E'{escaped}'"


def identifier(*names: str) -> str:
    """Write a name, or a schema and a name, always quoted.

    >>> print(identifier("public", "preferredTime"))
    "public"."preferredTime"
    """
    return sql.Identifier(*names).as_string(None)


def block(body: str) -> str:
    r"""Write a ``DO`` block around ``body``, between marks that do not occur in it.

    >>> print(block("BEGIN END"), block("BEGIN PERFORM '$ojeon$'; END"), sep="")
    DO $ojeon$ BEGIN END $ojeon$;
    DO $ojeon_$ BEGIN PERFORM '$ojeon$'; END $ojeon_$;
    <BLANKLINE>
    """
    tag = "ojeon"
    while f"${tag}" in body:
        tag += "_"
    return f"DO ${tag}$ {body} ${tag}$;\n"


def _speaks_for_itself(char: str) -> bool:
    """Tell whether a character is seen, in its place, without drawing over or turning its neighbours."""
    return not (
        char == "\\"
        or is_unseen(char)
        or unicodedata.category(char).startswith("M")
        or unicodedata.bidirectional(char) in _RIGHT_TO_LEFT
    )


def _escape(char: str) -> str:
    if char == "\\":
        return r"\\"
    code = ord(char)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
