import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline import answers
from pipeline.answers import NOTHING, Answer, Answers, Purpose, Verdict, open_answers, reviewer_name
from pipeline.errors import RunError, UsageError

START = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
TEXTS = (None, "", "8시", "가", "\u1100\u1161", "8시\n", "a\0b")  # the two 가 look alike and are two texts


def an_answer(
    text: str | None = "8시", verdict: Verdict = Verdict.MORNING, reviewer: str = "reviewer-1", **more: object
) -> Answer:
    given = {"at": START, "note": "", "run_id": "run-1", "key": "T0", "source": "test", "purpose": Purpose.REVIEW}
    return Answer(text, verdict, reviewer, **(given | more))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Answers]:
    with open_answers(tmp_path / "answers.sqlite") as kept:
        yield kept


def test_an_answer_comes_back_as_it_was_given(tmp_path: Path) -> None:
    seoul = timezone(timedelta(hours=9))
    given = [
        an_answer(text, note="전화로\n확인", source="a.xlsx", at=datetime(2025, 11, 3, 18, 0, 0, 7, tzinfo=seoul))
        for text in TEXTS
    ]
    with open_answers(tmp_path / "answers.sqlite") as kept:
        assert kept.add(given) == len(TEXTS)
    with open_answers(tmp_path / "answers.sqlite", create=False) as kept:
        assert kept.current() == given
        assert [kept.history(text) for text in TEXTS] == [[answer] for answer in given]
        assert kept.history("9시") == []
        assert kept.current()[0].at == START + timedelta(microseconds=7)


def test_what_reviewers_agree_on_is_settled(store: Answers) -> None:
    first, second = an_answer(), an_answer(reviewer="reviewer-2", run_id="run-2")
    store.add([first, second, an_answer(None, Verdict.NEITHER)])
    settled = store.settled()
    assert {text: found.verdict for text, found in settled.items()} == {"8시": "MORNING", None: "NEITHER"}
    assert settled["8시"].answers == (first, second)
    assert store.conflicts() == {}


def test_where_reviewers_differ_nothing_is_settled(store: Answers) -> None:
    words = [an_answer(), an_answer(verdict=Verdict.NEITHER, reviewer="reviewer-2", purpose=Purpose.AUDIT)]
    store.add(words)
    assert store.settled() == {}
    assert store.conflicts() == {"8시": words}


def test_the_latest_word_counts_and_can_be_taken_back(store: Answers) -> None:
    store.add([an_answer(), an_answer(verdict=Verdict.AFTERNOON, at=START - timedelta(days=1))])
    assert store.settled()["8시"].verdict is Verdict.AFTERNOON  # by the order of coming: clocks may be wrong
    store.add([an_answer(verdict=Verdict.WITHDRAWN)])
    assert store.settled() == store.conflicts() == {}
    assert store.current() == []
    assert len(store.history("8시")) == 3


def test_withdrawing_ends_a_conflict(store: Answers) -> None:
    store.add([an_answer(), an_answer(verdict=Verdict.AFTERNOON, reviewer="reviewer-2")])
    store.add([an_answer(verdict=Verdict.WITHDRAWN)])
    assert store.settled()["8시"].verdict is Verdict.AFTERNOON


def test_current_looks_at_one_run_or_one_purpose(store: Answers) -> None:
    review = an_answer()
    audit = an_answer(verdict=Verdict.AFTERNOON, run_id="run-2", purpose=Purpose.AUDIT)
    store.add([review, audit])
    assert store.current() == [audit]
    assert store.current(run_id="run-1") == store.current(purpose=Purpose.REVIEW) == [review]
    assert store.current("run-2", Purpose.AUDIT) == [audit]
    assert store.current("run-1", Purpose.AUDIT) == []


def test_the_hash_names_the_lines(tmp_path: Path) -> None:
    lines = [an_answer("8시"), an_answer("9시"), an_answer("8시", Verdict.WITHDRAWN)]
    hashes = set()
    for number, lines_kept in enumerate(
        [lines, lines[:2], lines[::-1], [lines[0], an_answer("9시", note="왜"), lines[2]]]
    ):
        with open_answers(tmp_path / f"{number}.sqlite") as kept:
            kept.add(lines_kept)
            hashes.add(kept.standing().sha256)
            assert kept.standing().lines == len(lines_kept)
    assert len(hashes) == 4
    with open_answers(tmp_path / "empty.sqlite") as kept:
        assert kept.standing() == NOTHING


class Reviewing(RuleBasedStateMachine):
    """The store beside a list of all that was ever said."""

    @initialize()
    def start(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        answers._prepare(connection, Path("memory"))
        self.store = Answers(connection, Path("memory"))
        self.said: list[Answer] = []
        self.hashes: list[str] = [NOTHING.sha256]

    @rule(
        words=st.lists(
            st.tuples(
                st.sampled_from(TEXTS) | st.text(max_size=3),
                st.sampled_from(Verdict),
                st.sampled_from(["reviewer-1", "reviewer-2", "접수1"]),
                st.sampled_from(["run-1", "run-2"]),
                st.sampled_from(Purpose),
            ),
            max_size=4,
        )
    )
    def say(self, words: list[tuple[str | None, Verdict, str, str, Purpose]]) -> None:
        added = [an_answer(*word[:3], run_id=word[3], purpose=word[4]) for word in words]
        assert self.store.add(added) == len(added)
        self.said += added

    @rule()
    def history_is_all_that_was_said(self) -> None:
        for text in {word.text for word in self.said}:
            assert self.store.history(text) == [word for word in self.said if word.text == text]

    @rule(run=st.sampled_from([None, "run-1", "run-3"]), purpose=st.sampled_from([None, *Purpose]))
    def current_is_the_latest_of_each(self, run: str | None, purpose: Purpose | None) -> None:
        among = [w for w in self.said if run in (None, w.run_id) and purpose in (None, w.purpose)]
        latest = [w for w in among if w is [o for o in among if (o.text, o.reviewer) == (w.text, w.reviewer)][-1]]
        found = self.store.current(run, purpose)
        assert sorted(found, key=repr) == sorted((w for w in latest if w.verdict != "WITHDRAWN"), key=repr)

    @invariant()
    def each_text_is_settled_in_conflict_or_open(self) -> None:
        standing = self.store.standing()
        assert standing.lines == len(self.said)
        for text in {word.text for word in self.said}:
            latest = {word.reviewer: word.verdict for word in self.said if word.text == text}
            verdicts = {verdict for verdict in latest.values() if verdict is not Verdict.WITHDRAWN}
            settled, conflict = standing.settled.get(text), standing.conflicts.get(text)
            assert (settled is not None) == (len(verdicts) == 1)
            assert (conflict is not None) == (len(verdicts) > 1)
            assert settled is None or {settled.verdict} == verdicts
        assert len(standing.settled.keys() | standing.conflicts.keys()) <= len({word.text for word in self.said})

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


TestReviewing = Reviewing.TestCase


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE answers SET verdict = 'NEITHER'",
        "DELETE FROM answers",
        f"INSERT OR REPLACE INTO answers (number, {answers._COLUMNS}) SELECT number, {answers._COLUMNS} FROM answers",
    ],
)
def test_lines_are_only_added_whoever_writes(tmp_path: Path, change: str) -> None:
    path = tmp_path / "answers.sqlite"
    with open_answers(path) as kept:
        kept.add([an_answer()])
        with sqlite3.connect(path) as other, pytest.raises(sqlite3.IntegrityError, match="never"):
            other.execute(change)
        other.close()
        assert kept.current() == [an_answer()]


def test_a_call_adds_all_or_nothing(store: Answers) -> None:
    def breaks() -> Iterator[Answer]:
        yield an_answer()
        raise OSError("the file behind the answers went away")

    with pytest.raises(OSError, match="went away"):
        store.add(breaks())
    with pytest.raises(UsageError, match="no UTF-8"):
        store.add([an_answer(), an_answer("\ud800")])  # SQLite keeps UTF-8
    assert store.current() == []
    assert store.add([an_answer()]) == 1


ADD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.answers import Answer, Verdict, open_answers

path, name, calls, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for number in range(calls):
    with open_answers(path) as kept:
        kept.add(
            Answer(f"{number}-{line}", Verdict.MORNING, name, datetime.now(UTC), "", "run", "T0", "test")
            for line in range(size)
        )
    print(number, flush=True)
"""


def a_writer(path: Path, name: str, calls: int, size: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ADD, str(path), name, str(calls), str(size)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_processes_make_the_file_and_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.sqlite"
    writers = [a_writer(path, f"reviewer-{number}", 20, 5) for number in range(3)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        _, complaint = writer.communicate(timeout=120)
        assert (writer.returncode, complaint) == (0, "")
    with open_answers(path, create=False) as kept:
        assert len(kept.current()) == 3 * 20 * 5
        assert all(len(found.answers) == 3 for found in kept.settled().values())


@pytest.mark.parametrize("wait", [0.0, 0.002, 0.01, 0.05])
def test_a_process_killed_while_it_adds_leaves_all_or_nothing(tmp_path: Path, wait: float) -> None:
    path, size = tmp_path / "answers.sqlite", 2_000
    with a_writer(path, "reviewer-1", 1_000, size) as writer:
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "ready\n"
        told = [writer.stdout.readline() for _ in range(2)]
        threading.Event().wait(wait)
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
    with open_answers(path, create=False) as kept:
        found = len(kept.current())
        assert found % size == 0
        assert found // size >= len(told)  # whatever was told to be kept is there
        assert kept.add([an_answer()]) == 1


def test_threads_share_a_store(store: Answers) -> None:
    def add(name: str) -> None:
        for number in range(20):
            store.add([an_answer(str(number), reviewer=name)])
            store.standing()

    threads = [threading.Thread(target=add, args=(f"reviewer-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(store.current()) == 80


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.sqlite"
    with open_answers(path) as kept:
        kept.add([an_answer()])
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("answers.sqlite", "answers.sqlite-wal", "answers.sqlite-shm"), 0o600)


def test_each_commit_reaches_the_disk(store: Answers) -> None:
    connection = store._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_missing_file_is_made_only_where_asked(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no answers at .*answers\.sqlite yet.*ojeon review import"):
        open_answers(tmp_path / "answers.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []


def a_text_file(path: Path) -> None:
    path.write_text("key,decision\n" * 100)


def a_duckdb_file(path: Path) -> None:
    duckdb.connect(str(path)).close()


def a_foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE answers (number, text)")
    connection.close()


def a_damaged_file(path: Path) -> None:
    with open_answers(path) as kept:
        kept.add(an_answer(f"글 {number}") for number in range(500))
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    path.write_bytes(content)


def a_cut_file(path: Path) -> None:
    with open_answers(path) as kept:
        kept.add(an_answer(f"글 {number}") for number in range(500))
    os.truncate(path, 4096 * 4)


@pytest.mark.parametrize("make", [a_text_file, a_duckdb_file, a_foreign_database, a_damaged_file, a_cut_file])
def test_a_damaged_or_foreign_file_is_left_alone(tmp_path: Path, make) -> None:
    path = tmp_path / "answers.sqlite"
    make(path)
    before = path.read_bytes()
    with pytest.raises(
        RunError, match=r"answers\.sqlite is .*(damaged|not a file of reviewers' answers).*setting answers"
    ):
        open_answers(path)
    assert path.read_bytes() == before


def test_a_line_that_says_nothing_known_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with open_answers(path) as kept:
        kept.add([an_answer()])
        with sqlite3.connect(path) as other:
            other.execute(
                "INSERT INTO answers SELECT 2, text, verdict, reviewer, 'x', '', '', '', '', purpose FROM answers"
            )
        other.close()
        with pytest.raises(RunError, match="damaged"):
            kept.settled()


def test_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    open_answers(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 2")
    other.close()
    with pytest.raises(RunError, match=r"format 2.*reads format 1"):
        open_answers(path)


def test_what_is_no_letter_is_not_called_damage(store: Answers) -> None:
    with pytest.raises(UsageError, match="bytes that are no UTF-8"):
        store.add([an_answer(), an_answer(note="\udcff")])
    with pytest.raises(UsageError, match="bytes that are no UTF-8"):
        store.history("\udcff")
    assert store.standing().lines == 0


def test_what_is_there_and_no_file_is_not_taken_for_no_answers(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "answers.sqlite")
    for path, why in (
        (tmp_path, "cannot be kept in .* is a folder or a device"),
        (tmp_path / "link", "There are no answers at"),
    ):
        with pytest.raises(RunError, match=why):
            answers.standing_of(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be kept in .*file/answers\.sqlite: .*setting answers"):
        open_answers(tmp_path / "file" / "answers.sqlite")
    with pytest.raises(RunError, match="cannot be kept"):
        open_answers(tmp_path)


def test_a_file_held_by_another_is_waited_for_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.answers._PATIENCE", 0.1)
    path = tmp_path / "answers.sqlite"
    with open_answers(path) as kept:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunError, match=r"locked.*do it again"):
            kept.add([an_answer()])
        other.execute("ROLLBACK")
        other.close()
        assert kept.add([an_answer()]) == 1


@given(st.text())
def test_a_name_has_one_form_or_is_refused(name: str) -> None:
    try:
        kept = reviewer_name(name)
    except UsageError:
        return
    assert kept.isprintable()
    assert reviewer_name(kept) == kept


def test_names_that_look_alike_are_one_reviewer() -> None:
    assert (
        reviewer_name(" 접수1\u3000김 ")
        == reviewer_name("\u110c\u1165\u11b8\u1109\u116e1 \u1100\u1175\u11b7")
        == "접수1 김"
    )
    for name in ("", " \n", "a\x1b[31m", "a\u200bb", "x" * 101, "\udcff"):
        with pytest.raises(UsageError, match="--reviewer"):
            reviewer_name(name)


def test_an_answer_needs_a_zone_and_a_name() -> None:
    with pytest.raises(ValueError, match="time zone"):
        an_answer(at=START.replace(tzinfo=None))
    with pytest.raises(UsageError):
        an_answer(reviewer="")
    with pytest.raises(ValueError, match="reviewer_name"):
        an_answer(reviewer=" reviewer-1")
