"""The command line: it reads arguments, runs the way, and shows what came of it.

Artefacts and ``--json`` go to stdout, talk and progress to stderr. Heavy modules are imported inside the commands.
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from pipeline import interrupts, move_commands, report_command, review_commands, streams
from pipeline.errors import OjeonError, RunError, UsageError
from pipeline.flags import AUDIT, CLINIC, TABLE, takes
from pipeline.visible import visible

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.way import Progress, Run, Step

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Turn free-text appointment times into MORNING or AFTERNOON and plan their backfill.\n\n"
    "Exit codes: 0 ok, 1 a check failed, 2 wrong usage or settings, 3 only the share of AUTO was missed (more is left "
    "for people than --min-auto allows), 4 database or other run-time failure, 130 interrupted, 141 nobody reads on.",
)

Texts = Annotated[list[str] | None, typer.Argument(help="Texts to read; without any, lines of stdin.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout for a script to read.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="postgresql://… of the live database; else DATABASE_URL, else libpq's PGSERVICE and PG* variables.",
        show_default=False,
    ),
]
Dump = Annotated[
    Path | None, typer.Option(help="Read a .csv or .parquet dump instead of a database.", show_default=False)
]

_LONGEST_SENTENCE = 4_000
BROKEN_PIPE = 128 + signal.SIGPIPE
# Where nobody watches (a log, a pipe) lines need not fit a window.
talk = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)


def main() -> NoReturn:
    """Run the command line; every expected failure is one sentence on stderr and an exit code."""
    interrupts.raise_from_now_on()
    try:
        code, sentence = _run()
    except Exception:
        if not interrupts.seen():
            raise
    if interrupts.seen():  # inside a library it may have surfaced as an error of the library's own, or not at all
        code, sentence = interrupts.INTERRUPTED, ""
    interrupts.end_silently()
    unwritten = streams.settle(sys.stdout)
    if unwritten and code == 0:
        code, sentence = RunError.exit_code, _cannot_write(unwritten)
    with suppress(OSError):
        _complain(interrupts.sentence() if code == interrupts.INTERRUPTED else sentence)
    streams.settle(sys.stderr)
    sys.exit(code)


def _run() -> tuple[int, str]:
    """The exit code, and the sentence that tells why where it has not been told yet."""
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return interrupts.INTERRUPTED, ""
    except SystemExit:
        return BROKEN_PIPE, ""  # the reader of our output has gone: nothing more to say to it
    except OjeonError as error:
        return error.exit_code, str(error)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return RunError.exit_code, _cannot_write(why) if error.filename is None else f"{error.filename}: {why}."
    except Exception as error:  # noqa: BLE001 - what is not Typer's is raised again
        return _usage_error(error), ""
    return (code if isinstance(code, int) else 0), ""


def _cannot_write(why: str) -> str:
    return f"What there is to say cannot be written: {why}. Make room where the output goes, or send it elsewhere."


def _usage_error(error: Exception) -> int:
    """Typer's own complaints about arguments: shown its way, exit code 2."""
    show = getattr(error, "show", None)
    if show is None:
        raise error
    with suppress(OSError):
        show()
    return int(getattr(error, "exit_code", 2))


def _complain(sentence: str) -> None:
    if sentence:
        talk.print(Text(visible(sentence, _LONGEST_SENTENCE), "bold red"), soft_wrap=True)


def _version(value: bool) -> None:  # noqa: FBT001 - typer hands the flag over by position
    if value:
        from importlib.metadata import version

        typer.echo(f"ojeon {version('ojeon')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@contextmanager
def _progress() -> Iterator[Callable[["Step"], "Progress"]]:
    """A bar for each step, on stderr; on no terminal a line for each step."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=talk, disable=not talk.is_terminal) as bars:

        def announce(step: "Step") -> "Progress":
            interrupts.stop_if_seen()
            if not talk.is_terminal:
                talk.print(f"{step.name}: {step.does}", style="dim")
            for earlier in bars.tasks:
                bars.update(earlier.id, completed=earlier.total or 1, total=earlier.total or 1)
            task = bars.add_task(step.name, total=None)
            return lambda done, planned: bars.update(task, completed=done, total=planned)

        yield announce
        for task in bars.tasks:
            bars.update(task.id, completed=task.total or 1, total=task.total or 1)


@app.command(epilog="Example: `ojeon run --database-url postgresql://clinic@localhost/clinic`")
@takes(*TABLE, *CLINIC, "min_auto", *AUDIT, "lang", "runs", "answers")
def run(*, database_url: DatabaseUrl = None, dump: Dump = None, settings: "Settings", as_json: AsJson = False) -> None:
    """Go the whole way: extract, profile, normalize, check, emit. The database is only read.

    The run's folder holds the plan (`dictionary.jsonl`, `updates/*.sql`, `undo/*.sql`), what people fill in
    (`manual_review.xlsx` and .csv, `audit_sample.xlsx` and .csv), `report.html` and `manifest.json`.
    """
    from pipeline.extract import source_of
    from pipeline.way import open_run, travel

    under_way = open_run(settings, source_of(database_url, dump))
    with _progress() as announce:
        travel(under_way, announce)
    _show_run(under_way, as_json=as_json)
    raise typer.Exit(_gate(under_way))


def _show_run(done: "Run", *, as_json: bool) -> None:
    from pipeline import manifest
    from pipeline.summary import run_summary

    _show_notices(done)
    if as_json:
        typer.echo(json.dumps(manifest.read(done.folder), ensure_ascii=False))
        return
    talk.print(run_summary(done.reports, done.folder))
    typer.echo(done.folder)


def _show_notices(done: "Run") -> None:
    from pipeline.summary import notices

    for notice in notices(done.reports):
        talk.print(notice, soft_wrap=True)


def _gate(done: "Run") -> int:
    """The exit code of a finished run: 0, or 3 where only the share of AUTO was missed, or 1."""
    failures = [result.law for _, result in done.reports["check"].failures()]
    if not failures:
        return 1 if done.reports["emit"].refused else 0
    return 3 if failures == ["enough_auto"] else 1


@app.command(epilog="Example: `ojeon profile --dump reservations.parquet`")
@takes(*TABLE, *CLINIC)
def profile(
    *,
    database_url: DatabaseUrl = None,
    dump: Dump = None,
    settings: "Settings",
    top: Annotated[int, typer.Option(help="Shapes to list; the rest is summed up.", min=1)] = 15,
    as_json: AsJson = False,
) -> None:
    """Show which formats there are and which rule would claim them; nothing is kept."""
    import tempfile

    from pipeline.extract import source_of
    from pipeline.shapes import read_profile
    from pipeline.tables import profile_table
    from pipeline.way import open_run, travel

    with tempfile.TemporaryDirectory(prefix="ojeon-profile-") as folder:
        elsewhere = settings.model_copy(update={"runs": Path(folder), "answers": settings.answers_file})
        under_way = open_run(elsewhere, source_of(database_url, dump))
        with _progress() as announce:
            travel(under_way, announce, until="normalize")
        found = read_profile(under_way.workbench)
        under_way.workbench.close()
    _show_notices(under_way)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        page = streams.page()
        page.print(profile_table(found, top, width=page.width))


@app.command(
    epilog="Example: `ojeon parse '오후 3시쯤' 9:30`, or `ojeon parse --jsonl < texts.jsonl > decisions.jsonl`"
)
@takes(*CLINIC)
def parse(
    *,
    texts: Texts = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON string or null a line in, one JSON object a line out.")
    ] = False,
    settings: "Settings",
) -> None:
    """Decide single texts, without any database."""
    from pipeline.reading import read_json_lines, write_json_lines

    policy = settings.policy()
    if not texts and sys.stdin.isatty():
        talk.print("Type one text a line; Ctrl-D ends.", style="dim")
    if jsonl:
        if texts:
            raise UsageError("--jsonl reads its texts from stdin: leave out the arguments or the option.")
        write_json_lines(read_json_lines(sys.stdin.buffer), policy, sys.stdout)
        return
    from pipeline.explained import decision_table

    lines = texts or [line.rstrip("\n") for line in sys.stdin]
    streams.page().print(decision_table(lines, policy))


@app.command(epilog="Example: `ojeon explain '오후 2-4시 사이 부탁드려요'`")
@takes(*CLINIC, "runs", "answers")
def explain(
    *,
    text: Annotated[str, typer.Argument(help="The text to explain.")],
    settings: "Settings",
    as_json: AsJson = False,
) -> None:
    """Show how one text came to its decision: what each parser said, and the characters it used.

    Where reviewers have said something about exactly this text, that is told as well: their word goes before.
    """
    import parsers
    from pipeline.answers import standing_of
    from pipeline.explained import as_dict, explanation_view, words_as_dict, words_view

    explanation, words = parsers.explain(text, settings.policy()), standing_of(settings.answers_file)
    if as_json:
        told = {**as_dict(explanation), "reviewed": words_as_dict(text, words)}
        typer.echo(json.dumps(told, ensure_ascii=not text.isprintable()))
        return
    streams.page().print(explanation_view(explanation))
    if said := words_view(text, words):
        streams.page().print(said)


@app.command(epilog="Example: `ojeon suggest reports/20261123-101500-3f2a`")
@takes("runs")
def suggest(
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in the runs.")],
    settings: "Settings",
    top: Annotated[int, typer.Option(help="Suggestions to list.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Name the words that, as fillers, would settle most of what was left for review; nothing is changed.

    Texts are decided again under the run's own settings.
    """
    from dataclasses import asdict

    from pipeline.explained import suggestion_table
    from pipeline.finished_run import open_finished
    from pipeline.run_folder import run_folder
    from pipeline.suggest import suggest as find

    finished = open_finished(run_folder(run, settings.runs))
    with finished.workbench as workbench:
        found = find(workbench, finished.policy)
    if as_json:
        typer.echo(json.dumps([asdict(suggestion) for suggestion in found[:top]], ensure_ascii=False))
    else:
        streams.page().print(suggestion_table(found, top))


@app.command(epilog="Example: `OJEON_MIN_AUTO=0.97 ojeon config`")
def config(*, as_json: AsJson = False) -> None:
    """Show every setting and where its value came from: flag, environment, ojeon.toml or default."""
    from pipeline import settings
    from pipeline.explained import settings_table

    loaded, origins = settings.load(), settings.origins()
    if as_json:
        values = loaded.model_dump(mode="json")
        told = {name: {"value": value, "from": origins[name]} for name, value in values.items()}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        streams.page().print(settings_table(loaded, origins))


@app.command(epilog="Example: `ojeon demo --rows 1000000`")
@takes("lang", "runs")
def demo(
    *,
    rows: Annotated[int, typer.Option(min=0, help="Reservations to invent.")] = 20_000,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the database up until Ctrl-C, to look around in.")
    ] = False,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="DATABASE_URL",
            show_envvar=True,
            help="Use this server instead of an embedded one: a database of its own is created there and dropped.",
            show_default=False,
        ),
    ] = None,
    settings: "Settings",
) -> None:
    """Run the whole way on an invented clinic, then rehearse the plan: apply it, apply it again, undo it."""
    from pipeline.demo import demonstrate
    from pipeline.live import redacted
    from pipeline.summary import demo_summary

    with ExitStack() as stack:
        with _progress() as announce:
            shown = stack.enter_context(demonstrate(settings, rows, database_url, announce))
        _show_notices(shown.run)
        talk.print(demo_summary(shown))
        typer.echo(shown.run.folder)
        if keep:
            talk.print(f"The database stays up until Ctrl-C: {redacted(shown.url)}", soft_wrap=True)
            _wait_for_interrupt()
    raise typer.Exit(_gate(shown.run) or (0 if shown.as_promised else 1))


def _wait_for_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        signal.pause()
    interrupts.forget()


move_commands.add_to(app)
review_commands.add_to(app)
report_command.add_to(app)
