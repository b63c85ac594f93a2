"""What people answered about texts: one SQLite file shared by all runs, to which lines are only ever added.

An answer is one reviewer's word about one raw text, byte for byte. Of each reviewer the latest word counts; to take it
back is a line of its own (``WITHDRAWN``). What the reviewers agree on goes before every parser in the next run. A word
given while auditing counts like any other: a person has looked at the text.

Several processes may read and write at once. An answer is on the disk when ``add`` returns; a process killed during
``add`` leaves all of that call's answers or none. The file must lie on a disk of this machine, not on a network share.
"""

import hashlib
import json
import os
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from pipeline.errors import RunError, UsageError

LONGEST_NAME = 100
"""Characters a reviewer's name may have."""

_APPLICATION = 0x6F6A656F  # "ojeo": how SQLite knows whose file this is
_VERSION = 1
_PATIENCE = 30.0  # seconds to wait while another process writes
_COLUMNS = "text, verdict, reviewer, at, note, run_id, key, source, purpose"


class Verdict(StrEnum):
    """A reviewer's word about a text; NEITHER means that no half of the day can be told or was meant."""

    MORNING = "MORNING"
    AFTERNOON = "AFTERNOON"
    NEITHER = "NEITHER"
    WITHDRAWN = "WITHDRAWN"


class Purpose(StrEnum):
    """Why the reviewer was asked: the text waited for a person, or an AUTO decision was judged."""

    REVIEW = "REVIEW"
    AUDIT = "AUDIT"


_VERDICTS, _PURPOSES = (", ".join(f"'{word}'" for word in words) for words in (Verdict, Purpose))
_SCHEMA = f"""
CREATE TABLE answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT,
    verdict TEXT NOT NULL CHECK (verdict IN ({_VERDICTS})),
    reviewer TEXT NOT NULL CHECK (reviewer <> ''),
    at TEXT NOT NULL,
    note TEXT NOT NULL,
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ({_PURPOSES}))
);
CREATE INDEX answers_text ON answers (text);
CREATE TRIGGER answers_stay BEFORE UPDATE ON answers BEGIN SELECT raise(ABORT, 'answers are never changed'); END;
CREATE TRIGGER answers_last BEFORE DELETE ON answers BEGIN SELECT raise(ABORT, 'answers are never deleted'); END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER answers_come_after BEFORE INSERT ON answers
WHEN EXISTS (SELECT 1 FROM answers WHERE number = NEW.number)
BEGIN SELECT raise(ABORT, 'answers are never replaced'); END;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""


def reviewer_name(name: str) -> str:
    """A reviewer's name in the one form in which it is kept, so that the same person is not two.

    Raises:
        UsageError: nothing is left of it, it is too long or holds what cannot be seen.

    >>> reviewer_name("  reviewer-1 ")
    'reviewer-1'
    """
    kept = " ".join(unicodedata.normalize("NFC", name).split())
    if not kept or len(kept) > LONGEST_NAME or not kept.isprintable():
        raise UsageError(
            f"A reviewer needs a name of 1 to {LONGEST_NAME} visible characters, so that answers can be told apart: "
            "give it with --reviewer."
        )
    return kept


@dataclass(frozen=True, slots=True)
class Answer:
    """One reviewer's word about one text (None: the NULL).

    ``at`` is in UTC; ``note`` why, in the reviewer's words; ``run_id`` and ``key`` where the text was shown; ``source``
    how the word came in, such as the name of a file.
    """

    text: str | None
    verdict: Verdict
    reviewer: str
    at: datetime
    note: str
    run_id: str
    key: str
    source: str
    purpose: Purpose = Purpose.REVIEW

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an answer's time needs a time zone")
        if self.reviewer != reviewer_name(self.reviewer):
            raise ValueError("a reviewer's name is kept as reviewer_name gives it")


@dataclass(frozen=True, slots=True)
class Settled:
    """What all reviewers who have a word about a text say of it, and their words."""

    verdict: Verdict
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The store at one instant: what is settled, what is in conflict, how many lines there are and their hash.

    Lines are only added, so the first ``lines`` of them have this ``sha256`` for ever.
    """

    settled: Mapping[str | None, Settled]
    conflicts: Mapping[str | None, list[Answer]]
    lines: int
    sha256: str


NOTHING = Standing({}, {}, 0, hashlib.sha256().hexdigest())
"""What an empty store says."""


class Answers:
    """An open store; made by ``open_answers``. Threads of one process may share it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was added stays."""
        self._connection.close()

    def add(self, answers: Iterable[Answer]) -> int:
        """Add answers, all of them or none, and return how many; they are on the disk by then.

        Raises:
            RunError: the file cannot be written or is damaged.
            UsageError: a text or a note is no UTF-8.
        """
        lines = [_line(answer) for answer in answers]
        with self._lock, _failures_as_sentences(self._path), _transaction(self._connection):
            marks = ", ".join("?" * len(_COLUMNS.split(", ")))
            self._connection.executemany(f"INSERT INTO answers ({_COLUMNS}) VALUES ({marks})", lines)
        return len(lines)

    def settled(self) -> dict[str | None, Settled]:
        """The texts about which all reviewers who have a word say the same.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        return dict(self.standing().settled)

    def conflicts(self) -> dict[str | None, list[Answer]]:
        """The texts about which reviewers differ, with the latest word of each.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        return dict(self.standing().conflicts)

    def standing(self) -> Standing:
        """What is settled and what is in conflict at one instant, with the store's state.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        answers = self._select()
        settled: dict[str | None, Settled] = {}
        conflicts: dict[str | None, list[Answer]] = {}
        for text, words in _by_text(_latest(answers)).items():
            if len({word.verdict for word in words}) == 1:
                settled[text] = Settled(words[0].verdict, tuple(words))
            else:
                conflicts[text] = words
        return Standing(settled, conflicts, len(answers), _sha256(map(_line, answers)))

    def history(self, text: str | None) -> list[Answer]:
        """Every word ever said about a text, in the order in which they came.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        return self._select("WHERE text IS ?", text)

    def words_of(self, reviewer: str) -> list[Answer]:
        """Every word a reviewer ever said, in the order in which they came.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        return self._select("WHERE reviewer = ?", reviewer)

    def current(self, run_id: str | None = None, purpose: Purpose | None = None) -> list[Answer]:
        """The latest word of each reviewer about each text among those given in ``run_id`` for ``purpose``.

        None looks at all runs, or at all purposes. A word that was taken back is left out.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        among = "WHERE run_id = coalesce(?, run_id) AND purpose = coalesce(?, purpose)"
        return list(_latest(self._select(among, run_id, purpose)))

    def lines(self) -> int:
        """How many lines there are; they are only added, so while this stays the same, all that stands does.

        Raises:
            RunError: the file cannot be read or is damaged.
        """
        with self._lock, _failures_as_sentences(self._path):
            return int(self._connection.execute("SELECT coalesce(max(number), 0) FROM answers").fetchone()[0])

    def _select(self, where: str = "", *values: str | None) -> list[Answer]:
        with self._lock, _failures_as_sentences(self._path):
            query = f"SELECT {_COLUMNS} FROM answers {where} ORDER BY number"
            return [_answer(line) for line in self._connection.execute(query, values)]


def standing_of(path: Path) -> Standing:
    """What the store at ``path`` says now; ``NOTHING`` where there is none yet.

    Raises:
        RunError: the file is no store of answers, is damaged or cannot be read.
    """
    with _failures_as_sentences(path):
        if not path.exists() and not path.is_symlink():  # a link that leads nowhere is no store without answers
            return NOTHING
    with open_answers(path, create=False) as answers:
        return answers.standing()


def open_answers(path: Path, *, create: bool = True) -> Answers:
    """Open the store at ``path``; ``create`` makes it where there is none, for its owner's eyes only.

    Raises:
        RunError: there is no such file, it is no store of answers, or it is damaged or cannot be written.
    """
    with _failures_as_sentences(path):
        _touch(path, create=create)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return Answers(connection, path)


def _touch(path: Path, *, create: bool) -> None:
    if path.is_file():
        return
    if path.exists():
        raise RunError(
            f"Reviewers' answers cannot be kept in {path}: it is a folder or a device. Name a file (setting answers)."
        )
    if not create:
        raise RunError(f"There are no answers at {path} yet. `ojeon review import` or `ojeon review serve` takes some.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its side files the same permissions


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    if _is_new(connection):
        with _transaction(connection):
            if _is_new(connection):  # another process may have been first
                for statement in _statements(_SCHEMA):
                    connection.execute(statement)
    found = tuple(_pragma(connection, name) for name in ("application_id", "user_version"))
    if found[0] != _APPLICATION:
        raise RunError(
            f"{path} is not a file of reviewers' answers, and was left alone. Name another (setting answers)."
        )
    if found[1] != _VERSION:
        raise RunError(f"{path} holds answers in format {found[1]}, and this ojeon reads format {_VERSION}. Update it.")
    if _pragma(connection, "quick_check") != "ok":
        raise sqlite3.DatabaseError("quick_check")
    connection.execute("PRAGMA journal_mode = WAL")


def _is_new(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,) and not _pragma(
        connection, "application_id"
    )


def _statements(script: str) -> Iterator[str]:
    """Cut a script into statements, for ``executescript`` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _failures_as_sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        why = str(error)
        raise RunError(
            f"The answers in {path} could not be read or written ({why}). Nothing of this was kept: free the file or "
            "make room on its disk, then do it again."
        ) from error
    except UnicodeEncodeError as error:
        raise UsageError(
            "The text or the note has bytes that are no UTF-8, so nothing of this was kept. Write it without them."
        ) from error
    except (sqlite3.Error, ValueError, UsageError) as error:
        raise RunError(
            f"{path} is damaged or not a file of reviewers' answers ({type(error).__name__}). Bring it back from a "
            "backup, or name another (setting answers)."
        ) from error
    except OSError as error:
        raise RunError(
            f"The answers cannot be kept in {path}: {error.strerror}. Name another (setting answers)."
        ) from error


def _line(answer: Answer) -> tuple[str | None, ...]:
    at = answer.at.astimezone(UTC).isoformat(timespec="microseconds")
    whence = answer.note, answer.run_id, answer.key, answer.source, answer.purpose.value
    return answer.text, answer.verdict.value, answer.reviewer, at, *whence


def _answer(line: tuple[Any, ...]) -> Answer:
    text, verdict, reviewer, at, note, run_id, key, source, purpose = line
    when = datetime.fromisoformat(at)
    return Answer(text, Verdict(verdict), reviewer, when, note, run_id, key, source, Purpose(purpose))


def _latest(answers: Iterable[Answer]) -> Iterator[Answer]:
    words = {(answer.text, answer.reviewer): answer for answer in answers}
    return (word for word in words.values() if word.verdict is not Verdict.WITHDRAWN)


def _by_text(words: Iterable[Answer]) -> dict[str | None, list[Answer]]:
    texts: defaultdict[str | None, list[Answer]] = defaultdict(list)
    for word in words:
        texts[word.text].append(word)
    return texts


def _sha256(lines: Iterable[tuple[str | None, ...]]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(json.dumps(line).encode() + b"\n")
    return digest.hexdigest()
