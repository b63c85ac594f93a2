"""The commands that move a live table: apply, verify, undo, pause, resume, cancel, status.

As in ``pipeline.cli``, artefacts and ``--json`` go to stdout, talk and progress to stderr, heavy modules load inside.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipeline import streams
from pipeline.errors import UsageError
from pipeline.flags import takes

if TYPE_CHECKING:
    import psycopg

    from pipeline.answers import Standing
    from pipeline.backfill.plan import Plan
    from pipeline.backfill.session import Session
    from pipeline.backfill.states import State
    from pipeline.backfill.target import Target
    from pipeline.backfill.throttle import Hold
    from pipeline.backfill.worker import Batch, Observe, Worker
    from pipeline.settings import Settings

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in the runs.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run: its folder or its name.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="postgresql://… of the live database; else DATABASE_URL, else libpq's PGSERVICE and PG* variables.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout for a script to read.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the first write.")]
_SHOWN_IDS = 20
_LIMITS = ("max_busy", "max_load", "max_rows_per_second", "max_lag_seconds", "max_wal_mb_per_second")

talk = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("apply", epilog="Example: `ojeon apply reports/20261123-101500-3f2a --dry-run`")(apply_run)
    app.command("verify", epilog="Example: `ojeon verify reports/20261123-101500-3f2a --json`")(verify_run)
    app.command("undo", epilog="Example: `ojeon undo reports/20261123-101500-3f2a`")(undo_run)
    app.command("pause", epilog="Example: `ojeon pause 20261123-101500-3f2a`")(pause_run)
    app.command("resume", epilog="Example: `ojeon resume 20261123-101500-3f2a`")(resume_run)
    app.command("cancel", epilog="Example: `ojeon cancel 20261123-101500-3f2a`")(cancel_run)
    app.command("sync", epilog="Example: `ojeon sync reports/20261123-101500-3f2a`")(sync_run)
    app.add_typer(_dual_write_commands(), name="dual-write")
    app.command("status", epilog="Example: `ojeon status --json`")(status_of_runs)


@takes("runs", "answers", "fill", "max_age_days", "require_audit", *_LIMITS)
def apply_run(  # noqa: PLR0913 - one parameter an option
    *,
    run: RunFolder,
    database_url: DatabaseUrl = None,
    settings: "Settings",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the very SQL on stdout; write nothing.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Fill the live table by a run's plan, batch by batch, beside the running application.

    Killed, interrupted or cut off it has lost nothing: the same command goes on. Take it back with `ojeon undo`.
    """
    from pipeline.backfill.apply import apply, inspect, register
    from pipeline.backfill.dry_run import dry_run as spell_out

    fills, plan = settings.move.fill, _plan(run, settings)
    with _session(settings, plan, database_url) as session:
        if dry_run:
            for piece in spell_out(session, plan, fills):
                typer.echo(piece + "\n")
            return
        target = inspect(session.connection, plan, fills)
        planned = plan.manifest["plan"]["rows"]
        _confirm(
            f"Fill {', '.join(fills)} of {target.shown} on {session.address.shown}: {_planned(planned, fills)}", yes
        )
        register(session.connection, plan, target)
        with _at_work(settings, session, plan, target, "apply") as worker:
            report = apply(worker)
    if as_json:
        typer.echo(json.dumps({"run": plan.run_id, **asdict(report)}))
    else:
        talk.print(
            f"{report.state}: {report.changed:,} rows changed now, {report.changed_in_all:,} by this run in all, "
            f"{_left(report.left)}, in {report.batches:,} batches"
        )
        _tell_why(report.why_left)
        talk.print(_next(report.state, plan.run_id), soft_wrap=True)
    raise typer.Exit(0 if report.state == "applied" else 1)


@takes("runs")
def verify_run(
    *, run: RunFolder, database_url: DatabaseUrl = None, settings: "Settings", as_json: AsJson = False
) -> None:
    """Tell every row's fate again, from the live table, the ledger and the run's folder; the database is only read.

    Exit code 1 where anything is off. The report is kept in the run's folder, in moves/.
    """
    from pipeline.address import read_address
    from pipeline.backfill.verify import verify
    from pipeline.backfill.verify_table import verify_table
    from pipeline.run_folder import run_folder

    with talk.status("") as status:
        report = verify(read_address(database_url), run_folder(run, settings.runs), status.update)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        streams.page().print(verify_table(report))
    raise typer.Exit(0 if report.passed else 1)


@takes("runs", *_LIMITS)
def undo_run(  # noqa: PLR0913 - one parameter an option
    *,
    run: RunFolder,
    database_url: DatabaseUrl = None,
    settings: "Settings",
    batch: Annotated[int | None, typer.Option(help="Take back this batch only.", min=1, show_default=False)] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take back exactly the rows that a run changed and nobody has changed since.

    Rows that anybody has written to meanwhile are left alone and named. Killed, the same command goes on.
    """
    from pipeline.backfill.target import find_target
    from pipeline.backfill.undo import refuse_undo, undo

    plan = _plan(run, settings, sealed=False)
    with _session(settings, plan, database_url) as session:
        from pipeline.backfill import ledger

        line = ledger.read(session.connection, plan.run_id)
        target = find_target(session.connection, plan.names, tuple(line.fills))
        if target.oid != line.target_oid:
            raise UsageError(
                f"The ledger speaks of another table than today's {target.shown} (it was renamed, made anew or "
                "restored), so what this run wrote cannot be told. Nothing was changed."
            )
        refuse_undo(session.connection, plan.run_id)
        _confirm(f"Empty what the run {plan.run_id} filled in {target.shown} on {session.address.shown}", yes)
        with _at_work(settings, session, plan, target, "undo") as worker:
            report = undo(worker, batch)
    if as_json:
        typer.echo(json.dumps({"run": plan.run_id, **asdict(report)}))
    else:
        talk.print(
            f"{report.state}: {report.undone:,} rows emptied now, {report.left_alone:,} left alone because somebody "
            f"wrote to them since, {report.left:,} left"
        )
        _tell_why(report.why_left)
        if report.left_alone:
            talk.print(
                "Which: SELECT batch, unnest(left_alone) FROM ojeon.batches WHERE run_id = "
                f"'{plan.run_id}' AND left_alone <> '{{}}';",
                soft_wrap=True,
            )
    raise typer.Exit(1 if report.left else 0)


@takes("runs")
def pause_run(*, run: RunName, database_url: DatabaseUrl = None, settings: "Settings") -> None:
    """Let the process at work on a run finish its batch and wait."""
    from pipeline.backfill.asking import pause

    _ask(pause, run, settings, database_url)


@takes("runs")
def resume_run(*, run: RunName, database_url: DatabaseUrl = None, settings: "Settings") -> None:
    """Let a paused process go on."""
    from pipeline.backfill.asking import resume

    _ask(resume, run, settings, database_url)


@takes("runs")
def cancel_run(*, run: RunName, database_url: DatabaseUrl = None, settings: "Settings") -> None:
    """Stop a run for good after the batch under way; what it wrote stays until `ojeon undo`."""
    from pipeline.backfill.asking import cancel

    _ask(cancel, run, settings, database_url)


@takes("runs", "answers", "require_audit", *_LIMITS)
def sync_run(
    *, run: RunFolder, database_url: DatabaseUrl = None, settings: "Settings", yes: Yes = False, as_json: AsJson = False
) -> None:
    """Settle the rows that arrived since a run was applied, until none is left but those that wait for people.

    New texts are decided under the run's own settings; the certain ones join its plan and are applied.
    """
    from pipeline.backfill import ledger
    from pipeline.backfill.apply import inspect
    from pipeline.backfill.sync import sync

    plan = _plan(run, settings, sealed=False)
    words = _refuse_misjudged(plan, settings)
    with _session(settings, plan, database_url) as session:
        line = ledger.read(session.connection, plan.run_id)
        target = inspect(session.connection, plan, tuple(line.fills))
        _confirm(f"Settle what arrived in {target.shown} on {session.address.shown} since {plan.run_id}", yes)
        with _at_work(settings, session, plan, target, "sync") as worker:
            report = sync(worker, plan, words)
    if as_json:
        typer.echo(json.dumps({"run": plan.run_id, **asdict(report)}, default=str))
    else:
        talk.print(
            f"{report.state}: {report.texts:,} texts joined the plan, {report.changed:,} rows changed, "
            f"{_left(report.left)}; {report.waiting_texts:,} texts in {report.waiting_rows:,} rows wait for people"
        )
        _tell_why(report.why_left)
        for path in report.written_down:
            talk.print(f"New ones among them: {path}", soft_wrap=True)
        for law in report.broken_laws:
            talk.print(f"Not joined, for it would break a law of the check: {law}", soft_wrap=True)
    raise typer.Exit(0 if report.state == "applied" and not report.broken_laws else 1)


def _dual_write_commands() -> typer.Typer:
    group = typer.Typer(
        no_args_is_help=True, help="Fill rows as the application writes them, by a trigger that never raises."
    )
    group.command("install", epilog="Example: `ojeon dual-write install reports/20261123-101500-3f2a`")(_install)
    group.command("remove", epilog="Example: `ojeon dual-write remove 20261123-101500-3f2a`")(_remove)
    group.command("status", epilog="Example: `ojeon dual-write status --json`")(_dual_write_status)
    return group


@takes("runs", "answers", "fill", "max_age_days", "require_audit")
def _install(*, run: RunFolder, database_url: DatabaseUrl = None, settings: "Settings") -> None:
    """Put a run's trigger on the table: new rows and new texts are filled from its dictionary."""
    from pipeline.backfill.dual_write import install

    plan = _plan(run, settings)
    with _session(settings, plan, database_url) as session:
        new = install(session, plan, settings.move.fill)
    talk.print(f"The trigger of {plan.run_id} {'is on the table now' if new else 'was on the table already'}.")


@takes("runs")
def _remove(*, run: RunName, database_url: DatabaseUrl = None, settings: "Settings") -> None:
    """Take a run's trigger off its table; what it filled stays until `ojeon undo`."""
    from pipeline.address import read_address
    from pipeline.backfill.dual_write import remove
    from pipeline.live import connected

    name = Path(run).name
    with connected(read_address(database_url)) as connection:
        connection.commit()
        connection.autocommit = True
        gone = remove(connection, name, settings.move.patience)
    talk.print(f"The trigger of {name} {'is off the table' if gone else 'was on no table'}.")


@takes("runs")
def _dual_write_status(*, database_url: DatabaseUrl = None, settings: "Settings", as_json: AsJson = False) -> None:
    """Show which run's trigger is on which table, and what it has filled."""
    from pipeline.address import read_address
    from pipeline.backfill.dual_write import status
    from pipeline.live import connected

    del settings
    with connected(read_address(database_url)) as connection:
        found = status(connection)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        place = f"on {one.table}{'' if one.enabled else ', disabled'}" if one.table else "on no table"
        typer.echo(f"{one.run_id}: trigger {place}; {one.noted:,} rows filled that have no line in the ledger yet")
    if not found:
        typer.echo("No run has a trigger on a table of this database.")


@takes("runs")
def status_of_runs(
    *,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run; without it all of this database.")] = None,
    database_url: DatabaseUrl = None,
    settings: "Settings",
    as_json: AsJson = False,
) -> None:
    """Show where the runs of a database stand, from exact counts."""
    from pipeline.address import read_address
    from pipeline.backfill.status import as_dict, status, status_table
    from pipeline.live import connected

    del settings
    with connected(read_address(database_url)) as connection:
        found = status(connection, Path(run).name if run else None)
    if as_json:
        typer.echo(json.dumps(as_dict(found), ensure_ascii=False, default=str))
    else:
        streams.page().print(status_table(found))


def _ask(question: Callable[..., str], run: str, settings: "Settings", database_url: str | None) -> None:
    from pipeline.address import read_address
    from pipeline.live import connected

    del settings
    with connected(read_address(database_url)) as connection:
        sentence = question(connection, Path(run).name)
    talk.print(sentence, soft_wrap=True)


def _plan(run: str, settings: "Settings", *, sealed: bool = True) -> "Plan":
    from pipeline.backfill.plan import find_plan, read_plan
    from pipeline.run_folder import run_folder

    folder = run_folder(run, settings.runs)
    if not sealed:
        return find_plan(folder)
    plan = read_plan(folder, max_age=timedelta(days=settings.move.max_age_days))
    _refuse_misjudged(plan, settings)
    return plan


def _refuse_misjudged(plan: "Plan", settings: "Settings") -> "Standing":
    """Refuse what people hold back; returns what they say."""
    from pipeline.answers import standing_of
    from pipeline.backfill.judged import refuse_contradicted, refuse_unaudited
    from pipeline.run_folder import answers_beside

    words = standing_of(answers_beside(plan.folder, settings))
    refuse_contradicted(plan, words)
    if settings.move.require_audit:
        refuse_unaudited(plan, words)
    return words


@contextmanager
def _session(settings: "Settings", plan: "Plan", database_url: str | None) -> Iterator["Session"]:
    from pipeline.address import read_address
    from pipeline.backfill.session import at_work

    move = settings.move
    with at_work(
        read_address(database_url),
        plan.names.table_schema,
        lock_timeout=move.lock_timeout,
        statement_timeout=move.statement_timeout,
        patience=move.patience,
    ) as session:
        yield session


@contextmanager
def _at_work(settings: "Settings", session: "Session", plan: "Plan", target: "Target", verb: str) -> Iterator["Worker"]:
    """A worker with its throttle, its journal and its bar."""
    from pipeline.backfill.asking import stop_here
    from pipeline.backfill.journal import Journal
    from pipeline.backfill.pressure import unseen
    from pipeline.backfill.throttle import Throttle
    from pipeline.backfill.worker import Worker

    planned = int(plan.manifest["plan"]["rows"])
    with (
        Journal(plan.folder, plan.run_id, settings.move.metrics_file) as journal,
        _bar(verb, planned) as (show, show_hold),
    ):

        def tell(hold: "Hold | None") -> None:
            journal.tell(hold)
            show_hold(hold)

        throttle = Throttle(settings.move, target.oid, plan.run_id, tell)

        def observe(batch: "Batch") -> None:
            for listener in (throttle.observe, journal.observe, show):
                listener(batch)

        session.on_retry = journal.retry
        if blind := unseen(session.connection, settings.move):
            talk.print(blind, soft_wrap=True)
        _, standing = _standing(session.connection, plan.run_id)
        to_do = standing if verb == "undo" else max(planned - standing, 0)
        journal.start(verb, target.shown, to_do, settings.move)
        try:
            yield Worker(session, target, plan.run_id, settings.move.batch_seconds, throttle, observe, journal.moved)
        except KeyboardInterrupt:
            stop_here(session.connection, plan.run_id)
            talk.print(f"Batches that were done stay done. Go on with: ojeon {verb} {plan.run_id}", soft_wrap=True)
            raise
        state, standing = session.again(lambda connection: _standing(connection, plan.run_id))
        journal.end(state, standing)


def _standing(connection: "psycopg.Connection[Any]", run_id: str) -> tuple["State", int]:
    from pipeline.backfill.states import State
    from pipeline.backfill.status import status

    run = status(connection, run_id).runs[0]
    return State(run.state), run.standing


@contextmanager
def _bar(verb: str, planned: int) -> Iterator[tuple["Observe", Callable[["Hold | None"], None]]]:
    """A bar with rate and time left, and what is waited for; without a terminal a line now and then."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=talk, disable=not talk.is_terminal) as bars:
        task = bars.add_task(verb, total=planned)

        def show(batch: "Batch") -> None:
            bars.update(task, advance=batch.changed)

        def show_hold(hold: "Hold | None") -> None:
            bars.update(task, description=verb if hold is None else f"{verb}, waiting for {hold.words}")
            if hold and not talk.is_terminal:
                talk.print(f"waiting for {hold.words}", soft_wrap=True)

        yield show, show_hold


def _confirm(what: str, yes: bool) -> None:  # noqa: FBT001 - the flag itself
    if yes:
        talk.print(what, soft_wrap=True)
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{what}. Nobody can be asked here: give --yes to go ahead, or --dry-run to see the SQL.")
    typer.confirm(f"{what}. Go ahead?", abort=True, err=True)


def _tell_why(why_left: str) -> None:
    if why_left:
        talk.print(f"{why_left}.", soft_wrap=True)


def _planned(rows: int, fills: tuple[str, ...]) -> str:
    """What is to be filled; how many rows have a service code only the live table knows."""
    parts = [f"{rows:,} rows planned"] if set(fills) - {"service"} else []
    return " and ".join(parts + (["service in every row with a code"] if "service" in fills else []))


def _left(rows: int | None) -> str:
    return "what is left was not counted" if rows is None else f"{rows:,} left"


def _next(state: str, run_id: str) -> str:
    """What to type next."""
    if state == "applied":
        return f"Check it with: ojeon verify {run_id}    Take it back with: ojeon undo {run_id}"
    return f"Go on with: ojeon apply {run_id}    Take it back with: ojeon undo {run_id}"
