"""The commands of the review round trip, ``ojeon review …``; as in ``pipeline.cli``, heavy modules load inside."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline import audit_command, serve_command, streams
from pipeline.errors import UsageError
from pipeline.figures import counted, percent
from pipeline.flags import takes
from pipeline.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.answers import Answer, Standing
    from pipeline.review.asked import Asked
    from pipeline.review.filled import Complaint
    from pipeline.review.status import Status
    from pipeline.review.take_in import Taken
    from pipeline.settings import Settings

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in the runs.")]
Reviewer = Annotated[str, typer.Option(help="Whose decisions these are; each reviewer's latest word counts.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout for a script to read.")]
_SHOWN = 20
_LONGEST = 400

talk = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)


class Format(StrEnum):
    """A kind of file that reviewers fill in."""

    XLSX = "xlsx"
    CSV = "csv"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    review = typer.Typer(
        no_args_is_help=True, help="Get decisions from people and hand them to the next run, which uses them first."
    )
    review.command("serve", epilog=serve_command.EXAMPLE)(serve_command.serve)
    review.command("audit", epilog=audit_command.EXAMPLE)(audit_command.audit)
    review.command(
        "import", epilog="Example: `ojeon review import 20261123-101500-3f2a manual_review.xlsx --reviewer 접수1`"
    )(import_files)
    review.command("export", epilog="Example: `ojeon review export 20261123-101500-3f2a -o open.xlsx`")(export_open)
    review.command(
        "judge", epilog="Example: `ojeon review judge 20261123-101500-3f2a '오후 3시 말고' NEITHER --reviewer 접수1`"
    )(judge_text)
    review.command("status", epilog="Example: `ojeon review status 20261123-101500-3f2a`")(show_status)
    review.command("history", epilog="Example: `ojeon review history '8시'`")(show_history)
    review.command(
        "withdraw", epilog="Example: `ojeon review withdraw 20261123-101500-3f2a Te31046b6bb354a18 --reviewer 접수1`"
    )(withdraw_word)
    app.add_typer(review, name="review")


@takes("runs", "answers")
def import_files(  # noqa: PLR0913 - one parameter an option
    *,
    run: RunFolder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Filled .xlsx or .csv files of one reviewer.")],
    reviewer: Reviewer,
    settings: "Settings",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look whether the files are right.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in decisions from filled review files: all of them or, where one line is wrong, none (exit code 2).

    Only key, decision and note are read. Decisions are 오전, 오후, 둘 다 아님 (also MORNING, AFTERNOON, NEITHER; am,
    pm; M, A, N); empty ones are not decided yet. The same file may be imported again: nothing is taken twice.
    """
    from pipeline.answers import open_answers, reviewer_name
    from pipeline.review.status import status_of
    from pipeline.review.take_in import Refused, take_in

    name, asked = reviewer_name(reviewer), _asked(run, settings)
    with open_answers(_answers_file(asked, settings)) as answers:
        found = take_in(asked, files, name, answers, keep=not dry_run)
        if isinstance(found, Refused):
            _refuse(found.complaints, asked, settings, as_json=as_json)
        status = status_of(asked, answers.standing())
    if as_json:
        told = {"run": asked.run_id, "reviewer": name, "kept": not dry_run, **asdict(found)}
        typer.echo(json.dumps({**told, "status": asdict(status)}, ensure_ascii=False))
    else:
        talk.print(_taken_view(found, status, kept=not dry_run), soft_wrap=True)


def _refuse(complaints: "Sequence[Complaint]", asked: "Asked", settings: "Settings", *, as_json: bool) -> NoReturn:
    if as_json:
        told = [complaint._asdict() for complaint in complaints]
        typer.echo(json.dumps({"run": asked.run_id, "kept": False, "complaints": told}, ensure_ascii=False))
    for complaint in complaints[:_SHOWN]:
        talk.print(Text(visible(str(complaint), _LONGEST)), soft_wrap=True)
    wrong = "one place is wrong" if len(complaints) == 1 else f"{len(complaints):,} places are wrong"
    rest = len(complaints) - _SHOWN
    more = f"; {rest:,} more are not shown (--json lists all)" if rest > 0 else ""
    raise UsageError(
        f"Nothing was imported: {wrong}{more}.{_whose(complaints, asked, settings)} Mend the files and import again."
    )


def _whose(complaints: "Iterable[Complaint]", asked: "Asked", settings: "Settings") -> str:
    """Name the run to which the file belongs, where it is another one."""
    from pipeline.review.elsewhere import run_of

    foreign = [complaint.key for complaint in complaints if complaint.key and not asked.find(complaint.key)]
    other = run_of(foreign, settings.runs) if foreign else None
    return f" These are keys of the run {other}: ojeon review import {other} …" if other else ""


def _taken_view(found: "Taken", status: "Status", *, kept: bool) -> RenderableType:
    took = "would be kept" if not kept else "kept"
    lines = Table.grid(padding=(0, 2))
    instead = f", {found.changed:,} of them instead of an earlier one" if found.changed else ""
    lines.add_row(Text(took, "dim"), Text(f"{counted(found.new, 'decision')}{instead}", "bold"))
    lines.add_row(Text("known", "dim"), f"{found.repeated:,} were taken before")
    lines.add_row(Text("not yet", "dim"), f"{found.blank:,} without a decision")
    if found.missing:
        lines.add_row(
            Text("missing", "dim"),
            f"{counted(len(found.missing), 'text')} to decide in none of the files",
        )
    if found.conflicts:
        told = f"{counted(len(found.conflicts), 'text')} about which reviewers differ, left with people"
        lines.add_row(Text("conflict", "dim"), Text(told, "yellow"))
    if kept:
        lines.add_row(Text("AUTO", "dim"), _shares(status))
    return lines


def _shares(status: "Status") -> str:
    now, then = percent(status.auto_share, 2), percent(status.next_auto_share, 2)
    return f"{now} of the rows without a period in this run, {then} in the next with these answers (`ojeon run`)"


@takes("runs", "answers")
def export_open(
    *,
    run: RunFolder,
    settings: "Settings",
    as_: Annotated[
        Format | None, typer.Option("--format", help="xlsx (recommended) or csv.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write; else review-RUN.xlsx here.", show_default=False),
    ] = None,
) -> None:
    """Write the texts of a run that are still open, with the answers so far, for a reviewer to fill in."""
    from pipeline.answers import standing_of
    from pipeline.review.export import export

    asked = _asked(run, settings)
    path = _output(asked.run_id, as_, output)
    texts = export(asked, standing_of(_answers_file(asked, settings)), path)
    then = f"ojeon review import {asked.run_id} {path} --reviewer …"
    told = f"{counted(texts, 'text')} {'is' if texts == 1 else 'are'} open. Take in the filled file with `{then}`."
    talk.print(Text(told), soft_wrap=True)
    typer.echo(path)


def _output(run_id: str, as_: Format | None, output: Path | None) -> Path:
    path = output or Path(f"review-{run_id}.{as_ or Format.XLSX}")
    if path.suffix.lower() not in {f".{kind}" for kind in ([as_] if as_ else Format)}:
        raise UsageError(
            f"{path} is no name for a file of the format {as_ or 'xlsx or csv'}. Name it *.{as_ or 'xlsx'}."
        )
    if path.exists():
        raise UsageError(f"{path} is there already and may hold decisions, so it is not written over. Name another.")
    return path


@takes("runs", "answers")
def show_status(*, run: RunFolder, settings: "Settings", as_json: AsJson = False) -> None:
    """Tell how much of a run's review list is open, settled and in conflict, and the AUTO share now and next."""
    from pipeline.answers import standing_of
    from pipeline.review.status import status_of

    asked = _asked(run, settings)
    status = status_of(asked, standing_of(_answers_file(asked, settings)))
    if as_json:
        typer.echo(json.dumps(asdict(status), ensure_ascii=False))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("", "texts", "rows"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in ("asked", "open", "settled", "conflict"):
        part = getattr(status, name)
        table.add_row(Text(name, "dim"), f"{part.texts:,}", f"{part.rows:,}")
    out = streams.page()
    out.print(table)
    out.print(Text.assemble(("AUTO  ", "dim"), _shares(status)), soft_wrap=True)


@takes("runs", "answers")
def show_history(
    *,
    text: Annotated[str, typer.Argument(help="The text, exactly as the patient wrote it.")],
    settings: "Settings",
    as_json: AsJson = False,
) -> None:
    """List every word ever said about exactly this text: who, when, what and why."""
    from pipeline.answers import open_answers

    said: list[Answer] = []
    if settings.answers_file.exists():
        with open_answers(settings.answers_file, create=False) as answers:
            said = answers.history(text)
    if as_json:
        typer.echo(json.dumps([_as_dict(word) for word in said], ensure_ascii=not text.isprintable()))
    elif said:
        streams.page().print(_history_table(said))
    else:
        talk.print("Nobody has said anything about exactly this text.")


def _as_dict(word: "Answer") -> dict[str, Any]:
    return {**asdict(word), "at": word.at.isoformat()}


def _history_table(said: "Iterable[Answer]") -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("at (UTC)", "reviewer", "verdict", "asked for in, by", "why"):
        table.add_column(heading, no_wrap=heading in {"at (UTC)", "verdict", "asked for in, by"})
    for word in said:
        whence = f"{word.purpose.lower()} {word.run_id}\n{visible(word.source, 60)}"
        table.add_row(
            *map(Text, (f"{word.at:%Y-%m-%d %H:%M}", word.reviewer, word.verdict, whence, visible(word.note, 200)))
        )
    return table


@takes("runs", "answers")
def withdraw_word(
    *,
    run: RunFolder,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The text's key, as the review file has it.")],
    reviewer: Reviewer,
    settings: "Settings",
    note: Annotated[str, typer.Option(help="Why.", show_default=False)] = "",
) -> None:
    """Take back a reviewer's word about one text; the history keeps it, the next run does without it."""
    from pipeline.answers import open_answers, reviewer_name
    from pipeline.review.withdraw import withdraw

    name, asked = reviewer_name(reviewer), _asked(run, settings)
    with open_answers(_answers_file(asked, settings), create=False) as answers:
        word = withdraw(asked, key, name, note, answers)
    told = f"Withdrawn: {word.verdict} by {word.reviewer} about {key}, said {word.at:%Y-%m-%d %H:%M} UTC."
    talk.print(Text(told), soft_wrap=True)


@takes("runs", "answers")
def judge_text(  # noqa: PLR0913 - one parameter an option
    *,
    run: RunFolder,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text, exactly as the patient wrote it.")],
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="MORNING, AFTERNOON or NEITHER.")],
    reviewer: Reviewer,
    settings: "Settings",
    note: Annotated[str, typer.Option(help="Why.", show_default=False)] = "",
) -> None:
    """Say what one text of a run means, listed for people or not: how a wrong decision found late is told.

    A plan that decided otherwise is applied no further, and the next run goes by this word.
    """
    from pipeline.answers import open_answers, reviewer_name
    from pipeline.explained import words_view
    from pipeline.review.judge import judge

    name, asked = reviewer_name(reviewer), _asked(run, settings)
    with open_answers(_answers_file(asked, settings)) as answers:
        found = judge(asked, text, decision, name, answers, note=note)
        standing = answers.standing()
    talk.print(Text(f"Kept as {found.key}, a text of {counted(found.rows, 'row')}."), soft_wrap=True)
    talk.print(words_view(text, standing), soft_wrap=True)
    if found.auto and (refusal := _held_back(asked, standing)):
        talk.print(Text(f"Applying this run is refused now: {refusal}"), soft_wrap=True)


def _held_back(asked: "Asked", standing: "Standing") -> str | None:
    """Why the run's plan is applied no further, if it is so."""
    from pipeline.backfill.judged import refuse_contradicted
    from pipeline.backfill.plan import find_plan

    try:
        refuse_contradicted(find_plan(asked.folder), standing)
    except UsageError as refusal:
        return str(refusal)
    return None


def _asked(run: str, settings: "Settings") -> "Asked":
    from pipeline.review.asked import read_asked
    from pipeline.run_folder import run_folder

    return read_asked(run_folder(run, settings.runs))


def _answers_file(asked: "Asked", settings: "Settings") -> Path:
    from pipeline.run_folder import answers_beside

    return answers_beside(asked.folder, settings)
