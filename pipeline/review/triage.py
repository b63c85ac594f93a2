"""What reviewers have said about the texts that are shown, and how a word of theirs is taken.

A word says what its reviewer saw. Where somebody has answered meanwhile nothing is taken, and the reviewer is told.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from pipeline.answers import Answer, Answers, Purpose, Verdict
from pipeline.review.groups import Waiting

SOURCE = "page"
"""How an answer says that it came in here."""

Said = Mapping[str, tuple[Answer, ...]]
"""The standing answers by the key of their text; a text without any is left out."""


@dataclass(frozen=True, slots=True)
class Word:
    """One reviewer's word about one or several texts; ``seen`` is what the reviewer saw of each, by its key."""

    reviewer: str
    verdict: Verdict
    note: str
    seen: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands about the texts of a word that was taken.

    It is all that has changed between the revisions ``since`` and ``revision``, unless somebody else said something
    in between: then ``revision`` is None.
    """

    said: Said
    since: int
    revision: int | None


class ChangedMeanwhileError(Exception):
    """Others have answered about the texts ``keys`` since the reviewer saw them; nothing was taken."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(f"{len(keys)} texts were answered meanwhile")
        self.keys = tuple(keys)


class Triage:
    """The texts of one run that people are asked about, and the store that keeps their answers."""

    def __init__(self, run_id: str, texts: Sequence[Waiting], answers: Answers, purpose: Purpose) -> None:
        self.run_id = run_id
        self.texts = {text.key: text for text in texts}
        self.purpose = purpose
        self._keys = {text.raw: text.key for text in texts}
        self._answers = answers
        self._one_at_a_time = Lock()

    @property
    def blind(self) -> bool:
        """Whether reviewers judge what was decided without being told."""
        return self.purpose is Purpose.AUDIT

    def said(self) -> Said:
        """What stands now; while auditing only what was said while auditing.

        Raises:
            RunError: the store cannot be read.
        """
        standing: defaultdict[str, list[Answer]] = defaultdict(list)
        for answer in self._answers.current(purpose=self.purpose if self.blind else None):
            if answer.text in self._keys:
                standing[self._keys[answer.text]].append(answer)
        return {key: tuple(answers) for key, answers in standing.items()}

    def said_of(self, keys: Iterable[str]) -> Said:
        """What stands now about a few texts, each of them named though nothing may stand about it.

        Raises:
            KeyError: one of the texts is not among those shown.
            RunError: the store cannot be read.
        """
        return {key: self._standing(self.texts[key]) for key in keys}

    def revision(self) -> int:
        """A number that stays the same as long as all that stands does.

        Raises:
            RunError: the store cannot be read.
        """
        return self._answers.lines()

    def take(self, word: Word) -> Taken:
        """Keep a word, about all its texts or none; it is on the disk when this returns.

        A word that stands already is not said twice, so it is safe to send it again.

        Raises:
            KeyError: one of the texts is not among those shown.
            ChangedMeanwhileError: somebody answered about one of the texts since ``word.seen``.
            RunError: the store cannot be read or written.
        """
        with self._one_at_a_time:
            since, said = self.revision(), self.said_of(word.seen)
            new = [key for key in word.seen if not _stands(word, said[key])]
            if changed := [key for key in new if version(said[key]) != word.seen[key]]:
                raise ChangedMeanwhileError(changed)
            after = since + self._answers.add(self._answer(word, self.texts[key]) for key in new)
            return Taken(self.said_of(word.seen), since, after if self.revision() == after else None)

    def _standing(self, text: Waiting) -> tuple[Answer, ...]:
        words = self._answers.history(text.raw)
        latest = {word.reviewer: word for word in words if not self.blind or word.purpose is self.purpose}
        return tuple(word for word in latest.values() if word.verdict is not Verdict.WITHDRAWN)

    def _answer(self, word: Word, text: Waiting) -> Answer:
        at = datetime.now(UTC)
        whence = self.run_id, text.key, SOURCE, self.purpose
        return Answer(text.raw, word.verdict, word.reviewer, at, word.note, *whence)


def version(answers: Sequence[Answer]) -> str:
    """A name for what stands about one text: it changes whenever that does; empty where nothing stands."""
    if not answers:
        return ""
    said = sorted(f"{answer.reviewer}\x1f{answer.verdict}\x1f{answer.at.isoformat()}" for answer in answers)
    return hashlib.sha256("\x1e".join(said).encode()).hexdigest()[:16]


def _stands(word: Word, answers: Sequence[Answer]) -> bool:
    """Whether the reviewer's word about a text is already what stands of theirs."""
    own = next((answer for answer in answers if answer.reviewer == word.reviewer), None)
    if own is None:
        return word.verdict is Verdict.WITHDRAWN
    return (own.verdict, own.note) == (word.verdict, word.note)
