"""The settings that commands take as flags, written once: name, help, and how a command gets them."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

CLINIC = ("timezone", "noon", "slots", "grace", "auto_threshold")
"""What decisions depend on."""
TABLE = ("table_schema", "table")
"""Which table is read."""
MOVE = (
    "fill",
    "max_age_days",
    "max_busy",
    "max_rows_per_second",
    "max_load",
    "max_lag_seconds",
    "max_wal_mb_per_second",
    "require_audit",
)
"""How a live table is moved."""
AUDIT = ("max_error", "confidence")
"""What an audit must show."""

_FLAGS: dict[str, Any] = {
    "table_schema": Annotated[str | None, typer.Option("--schema", help="The table's schema.", show_default=False)],
    "table": Annotated[str | None, typer.Option(help="The reservations table.", show_default=False)],
    "timezone": Annotated[
        str | None, typer.Option(help="The clinic's time zone, e.g. Asia/Seoul.", show_default=False)
    ],
    "noon": Annotated[str | None, typer.Option(help="Where the afternoon starts, HH:MM.", show_default=False)],
    "slots": Annotated[
        list[str] | None,
        typer.Option("--slot", help="A weekly slot, e.g. 'Mon 09:00-12:00'; give all of them.", show_default=False),
    ],
    "grace": Annotated[
        int | None, typer.Option(help="Minutes around opening hours still plausible.", show_default=False)
    ],
    "auto_threshold": Annotated[
        float | None, typer.Option(help="Least confidence of an AUTO decision.", show_default=False)
    ],
    "min_auto": Annotated[
        float | None, typer.Option(help="Least share of rows that wait for no person, 0 to 1.", show_default=False)
    ],
    "fill": Annotated[
        list[str] | None,
        typer.Option(help="What to fill: period, slot, service; give it once for each.", show_default=False),
    ],
    "max_age_days": Annotated[float | None, typer.Option(help="Oldest plan to apply, in days.", show_default=False)],
    "max_busy": Annotated[
        float | None, typer.Option(help="Share of its time the worker is at work, 0 to 1.", show_default=False)
    ],
    "max_rows_per_second": Annotated[float | None, typer.Option(help="Never change more.", show_default=False)],
    "max_load": Annotated[
        int | None, typer.Option(help="Wait while more sessions than this are active.", show_default=False)
    ],
    "max_lag_seconds": Annotated[
        float | None, typer.Option(help="Wait while a replica lags behind further.", show_default=False)
    ],
    "max_wal_mb_per_second": Annotated[
        float | None, typer.Option(help="Wait while more WAL than this is written.", show_default=False)
    ],
    "require_audit": Annotated[
        bool | None,
        typer.Option(
            "--require-audit/--no-require-audit",
            help="Apply only a run whose audit sample was judged to the end without a disagreement.",
            show_default=False,
        ),
    ],
    "max_error": Annotated[
        float | None, typer.Option(help="Most of the AUTO rows that may be wrong, as audited.", show_default=False)
    ],
    "confidence": Annotated[
        float | None, typer.Option(help="How sure the audit must be of that, 0.8 to 1.", show_default=False)
    ],
    "lang": Annotated[
        str | None, typer.Option(help="The report's language: en or ko.", metavar="ko|en", show_default=False)
    ],
    "runs": Annotated[Path | None, typer.Option(help="The folder that holds the runs.", show_default=False)],
    "answers": Annotated[
        Path | None,
        typer.Option(help="The file of reviewers' answers; else answers.sqlite among the runs.", show_default=False),
    ],
}


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take flags for the settings ``names``; it gets the loaded settings as ``settings``.

    In the command's help the flags stand where ``settings`` stands among its parameters.
    """

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: Any) -> None:
            command(settings=_load({name: given.pop(name) for name in names}), **given)

        parameters = [
            parameter
            for own in inspect.signature(command).parameters.values()
            for parameter in ([_flag(name) for name in names] if own.name == "settings" else [own])
        ]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer asks for
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return called

    return give


def _flag(name: str) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_FLAGS[name])


def _load(flags: dict[str, Any]) -> Any:
    from pipeline import settings  # noqa: PLC0415 - it takes a while, and `--help` does not need it

    names = {name: value for name in TABLE if (value := flags.pop(name, None)) is not None}
    move = {name: value for name in MOVE if (value := flags.pop(name, None)) is not None}
    audit = {name: value for name in AUDIT if (value := flags.pop(name, None)) is not None}
    return settings.load(**flags, names=names or None, move=move or None, audit=audit or None)
