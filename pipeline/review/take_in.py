"""Take in what reviewers decided in files: all of it or, where one line is wrong, nothing.

A decision that its reviewer has given already, or that came from this very file before, is no new word: the same file
may be imported again and again, and an old one does not bring back what was changed or withdrawn since.
"""

import hashlib
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.answers import Answer, Answers, Purpose, Verdict
from pipeline.review.asked import Asked
from pipeline.review.filled import Complaint, Filled, FilledFile, read_filled


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did, in texts.

    ``new`` words were kept, ``changed`` of them take the place of another word of the same reviewer; ``repeated`` were
    there already; ``blank`` are not decided yet. ``missing`` are the keys of texts that still wait and stand in none of
    the files, ``conflicts`` those of the run's texts about which reviewers differ now.
    """

    new: int
    changed: int
    repeated: int
    blank: int
    missing: tuple[str, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was taken."""

    complaints: tuple[Complaint, ...]


def take_in(
    asked: Asked, paths: Sequence[Path], reviewer: str, answers: Answers, *, keep: bool = True
) -> Taken | Refused:
    """Take in the files of one ``reviewer`` (as ``reviewer_name`` gives it); ``keep=False`` only looks.

    Raises:
        RunError: the store cannot be read or written.
    """
    files = [read_filled(path) for path in paths]
    complaints = [complaint for file in files for complaint in file.complaints]
    complaints += _wrong_lines(asked, [line for file in files for line in file.lines])
    if complaints:
        return Refused(tuple(sorted(complaints, key=lambda found: (found.file, found.line or 0))))
    before = _by_text(answers.words_of(reviewer))
    given = [answer for file in files for answer in _answers(asked, file, reviewer)]
    new = [answer for answer in given if not _said_before(answer, before[answer.text])]
    if keep:
        answers.add(new)
    standing, known = answers.standing(), {**asked.arrived, **asked.texts}
    return Taken(
        new=len(new),
        changed=sum(_stands(before[answer.text]) for answer in new),
        repeated=len(given) - len(new),
        blank=sum(line.verdict is None for file in files for line in file.lines),
        missing=_missing(asked, files, standing.settled),
        conflicts=tuple(key for key, text in known.items() if text.raw in standing.conflicts),
    )


def _wrong_lines(asked: Asked, lines: Iterable[Filled]) -> Iterator[Complaint]:
    in_file: dict[tuple[str, str], Filled] = {}
    decided: dict[str, Filled] = {}
    for line in lines:
        if why := _why_not(asked, line):
            yield line.place._replace(why=why)
        earlier = in_file.setdefault((line.place.file, line.key), line)
        if line.verdict and earlier is line:
            earlier = decided.setdefault(line.key, line)
        if earlier is not line:
            place = f"{earlier.place.file}, line {earlier.place.line}"
            yield line.place._replace(why=f"its key stands in {place} already. Leave one of the two.")


def _why_not(asked: Asked, line: Filled) -> str | None:
    text = asked.find(line.key)
    if text is None:
        return f"its key is none of the run {asked.run_id}. Import the file of this run, or name the run of this file."
    if text.purpose is None:
        return f"its text was not given to people in the run {asked.run_id}."
    if text.raw is None and line.verdict not in {None, Verdict.NEITHER}:
        return "a text that is missing (NULL) names no half of the day. Write 둘 다 아님, or leave it empty."
    return None


def _answers(asked: Asked, file: FilledFile, reviewer: str) -> Iterator[Answer]:
    at, source = datetime.now(UTC), f"{file.path.name} {_fingerprint(file)}"
    for line in file.lines:
        text = asked.find(line.key)
        if line.verdict and text and text.purpose:
            whence = asked.run_id, line.key, source, text.purpose
            yield Answer(text.raw, line.verdict, reviewer, at, line.note, *whence)


def _by_text(words: Iterable[Answer]) -> defaultdict[str | None, list[Answer]]:
    texts: defaultdict[str | None, list[Answer]] = defaultdict(list)
    for word in words:
        texts[word.text].append(word)
    return texts


def _fingerprint(file: FilledFile) -> str:
    return hashlib.sha256(file.content).hexdigest()[:16]


def _said_before(answer: Answer, before: Sequence[Answer]) -> bool:
    """Whether the reviewer says so already, for this purpose too, or this very file has been heard."""
    if any(earlier.source.endswith(answer.source[-16:]) and earlier.key == answer.key for earlier in before):
        return True
    return _stands(before) and before[-1].verdict == answer.verdict and _said_for(answer.purpose, before)


def _said_for(purpose: Purpose, before: Sequence[Answer]) -> bool:
    return before[-1].verdict in [word.verdict for word in before if word.purpose is purpose][-1:]


def _stands(before: Sequence[Answer]) -> bool:
    return bool(before) and before[-1].verdict is not Verdict.WITHDRAWN


def _missing(asked: Asked, files: Iterable[FilledFile], settled: Container[str | None]) -> tuple[str, ...]:
    there = {line.key for file in files for line in file.lines}
    purposes = {asked.texts[key].purpose for key in there & asked.texts.keys()} if there else {Purpose.REVIEW}
    return tuple(
        text.key
        for text in asked.texts.values()
        if text.purpose in purposes and text.key not in there and text.raw not in settled
    )
