"""Every setting of a run, where it may come from, and where it came from.

Order: command-line flag, then environment (``OJEON_…``, nested with ``__``), then ``ojeon.toml``, then the default.
"""

import os
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from parsers.policy import MINUTES_A_DAY, Policy, Slot
from pipeline.errors import UsageError

TOML_FILE = "ojeon.toml"
ANSWERS = "answers.sqlite"
"""The file of reviewers' answers, among the runs."""
_PREFIX = "OJEON_"
_EXAMPLES = {
    "slots": """: OJEON_SLOTS='["Mon 09:00-12:00", "Mon 14:00-18:00"]'""",
    "move": """: OJEON_MOVE__FILL='["period", "slot"]'""",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SLOT = re.compile(r"(?P<day>[A-Z][a-z]{2}) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)")


def _minutes(clock: str) -> int:
    match = re.fullmatch(r"(\d\d):([0-5]\d)", clock)
    if not match or int(match[1]) > 24:
        raise ValueError(f"{clock!r} is not a time of the form HH:MM")
    return int(match[1]) * 60 + int(match[2])


def _slot(text: str) -> Slot:
    match = _SLOT.fullmatch(text)
    if not match or match["day"] not in _DAYS:
        raise ValueError(f"{text!r} is not a slot of the form 'Mon 09:00-12:00'")
    start, end = _minutes(match["start"]), _minutes(match["end"])
    if not start < end <= MINUTES_A_DAY:
        raise ValueError(f"{text!r} must end after it starts, and at 24:00 at the latest")
    return Slot(_DAYS.index(match["day"]) + 1, start, end)


Name = Annotated[str, Field(min_length=1)]
Language = Literal["en", "ko"]


class TableNames(BaseModel):
    """The live table and its columns, unquoted and exactly as the database spells them.

    ``preferred_date``, ``created_at``, ``updated_at`` and ``status`` may be empty where the table has no such column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table_schema: Name = "public"
    table: Name = "reservations"
    id: Name = "id"
    preferred_time: Name = "preferredTime"
    preferred_date: str = "preferredDate"
    created_at: str = "createdAt"
    updated_at: str = "updatedAt"
    status: str = "status"
    period: Name = "period"
    slot_start: Name = "timeSlotStart"
    service: Name = "service"
    service_id: Name = "serviceId"
    service_name: Name = "serviceName"
    estimated_duration: Name = "estimatedDuration"
    services: Name = "services"

    @property
    def fillable(self) -> tuple[str, ...]:
        """The columns that a move can fill; it leaves all others as they are."""
        return self.period, self.slot_start, self.service_id, self.service_name, self.estimated_duration


class MoveSettings(BaseModel):
    """How the live table is moved: what a batch may take, and what the worker waits for before the next one.

    A limit that is None holds nothing back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    fill: tuple[Literal["period", "slot", "service"], ...] = Field(default=("period",), min_length=1)
    batch_seconds: float = Field(default=0.04, ge=0.01, le=10, description="seconds a batch should last")
    max_busy: float = Field(default=1.0, gt=0, le=1, description="share of its time the worker is at work, at most")
    lock_timeout: float = Field(default=0.1, ge=0.01, le=60, description="seconds a batch waits for a row")
    statement_timeout: float = Field(default=10, ge=0.1, le=600, description="seconds a statement may last")
    patience: float = Field(default=60, ge=0, le=86_400, description="seconds to wait for a server that is gone")
    max_age_days: float = Field(default=7, gt=0, le=3_650, description="days after which a plan is too old to apply")
    max_rows_per_second: float | None = Field(default=None, ge=0.1, description="rows changed per second, on average")
    max_load: int | None = Field(default=None, ge=1, description="sessions of others that are active on the server")
    max_lag_seconds: float = Field(default=10, ge=0, description="seconds the slowest replica may be behind; 0: any")
    max_wal_mb_per_second: float | None = Field(default=None, gt=0, description="MB of WAL per second, of the server")
    vacuum_patience: float = Field(default=60, ge=0, le=86_400, description="seconds to wait for one vacuum; 0: none")
    require_audit: bool = Field(default=False, description="apply only a run whose audit has passed")
    metrics_file: Path | None = Field(default=None, description="*.prom file, for the node exporter's collector")

    @field_validator("metrics_file")
    @classmethod
    def _the_node_exporter_reads_prom_files(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix != ".prom":
            raise ValueError("the node exporter reads files whose name ends in .prom only")
        return value


class AuditSettings(BaseModel):
    """What the audit of a run's AUTO decisions must show, see ``pipeline.audit_bound``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_error: float = Field(default=0.001, gt=0, lt=1, description="most of the AUTO rows that may be wrong")
    confidence: float = Field(default=0.95, ge=0.8, lt=1, description="of the bound on them")


class _TomlFile(TomlConfigSettingsSource):
    """``ojeon.toml`` in the working folder, whose faults are told in a sentence each."""

    def __call__(self) -> dict[str, Any]:
        path = Path(TOML_FILE)
        if os.path.lexists(path) and not path.is_file():
            raise UsageError(f"{TOML_FILE} in this folder is no file that can be read. Mend it or move it away.")
        return super().__call__()

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        try:
            return tomllib.loads(file_path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            why = "is not UTF-8"
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            why = f"is not valid TOML: {error}"
        raise UsageError(f"{TOML_FILE} in this folder {why}. Mend it or move it away.")


class Settings(BaseSettings):
    """All settings; immutable once loaded."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", toml_file=TOML_FILE
    )

    # The clinic (see parsers.Policy).
    timezone: str = "Asia/Seoul"
    noon: str = "12:00"
    slots: tuple[str, ...] = (
        *(f"{day} {hours}" for day in _DAYS[:5] for hours in ("09:00-12:00", "14:00-18:00")),
        "Sat 09:00-13:00",
    )
    grace: int = Field(default=120, ge=0, le=720, description="minutes")
    auto_threshold: float = Field(default=0.90, ge=0, le=1)
    # The live table.
    names: TableNames = TableNames()
    move: MoveSettings = MoveSettings()
    # The gates of the check.
    min_auto: float = Field(default=0.95, ge=0, le=1, description="least share of rows that wait for no person")
    max_period_share: float = Field(default=0.95, ge=0, le=1, description="most of the AUTO rows one period may take")
    audit: AuditSettings = AuditSettings()
    # The files that are written.
    runs: Path = Path("reports")
    answers: Path | None = Field(default=None, description="reviewers' answers; None: answers.sqlite among the runs")
    lang: Language = Field(default="en", description="the report's language")
    batch_rows: int = Field(default=1_000, ge=1, description="rows one UPDATE changes")
    file_rows: int = Field(default=2_000, ge=1, description="rows one file (one transaction) changes")

    @field_validator("noon")
    @classmethod
    def _noon_is_a_clock(cls, value: str) -> str:
        if not 0 < _minutes(value) < MINUTES_A_DAY:
            raise ValueError(f"{value!r} does not lie within a day")
        return value

    @field_validator("runs", mode="before")
    @classmethod
    def _runs_has_a_name(cls, value: object) -> object:
        if value == "":
            raise ValueError("it is empty, and runs need a folder")
        return value

    @field_validator("answers", mode="before")
    @classmethod
    def _answers_has_a_name(cls, value: object) -> object:
        if value == "":
            raise ValueError("it is empty, and the answers need a file")
        return value

    @field_validator("slots")
    @classmethod
    def _slots_are_slots(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            _slot(text)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, ``ojeon.toml``; nothing else."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _TomlFile(settings_cls)

    @property
    def answers_file(self) -> Path:
        """Where reviewers' answers are kept, for all runs."""
        return self.answers or self.runs / ANSWERS

    def policy(self) -> Policy:
        """The part of the settings that decisions depend on."""
        return Policy(
            timezone=self.timezone,
            noon=_minutes(self.noon),
            slots=tuple(_slot(text) for text in self.slots),
            grace=self.grace,
            auto_threshold=self.auto_threshold,
        )


def load(**flags: Any) -> Settings:
    """Load the settings; ``flags`` are those given on the command line (None means not given).

    Raises:
        UsageError: a value is unknown or wrong; the message names it and where it came from.
    """
    _refuse_unknown(os.environ)
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
        settings.policy()
    except (ValidationError, ValueError) as error:
        raise UsageError(_sentence(error, given)) from error
    return settings


def origins(**flags: Any) -> dict[str, str]:
    """Tell for each top-level setting whether a flag, the environment, ``ojeon.toml`` or the default gave it."""
    given = {name for name, value in flags.items() if value is not None}
    env = set(EnvSettingsSource(Settings)())
    toml = set(_TomlFile(Settings)())
    return {
        name: "flag" if name in given else "environment" if name in env else TOML_FILE if name in toml else "default"
        for name in Settings.model_fields
    }


def _refuse_unknown(environment: Iterable[str]) -> None:
    """A misspelt variable must not leave its setting at the default in silence."""
    nested = {f"{_PREFIX}NAMES__{name}".upper() for name in TableNames.model_fields}
    nested |= {f"{_PREFIX}MOVE__{name}".upper() for name in MoveSettings.model_fields}
    nested |= {f"{_PREFIX}AUDIT__{name}".upper() for name in AuditSettings.model_fields}
    known = {f"{_PREFIX}{name}".upper() for name in Settings.model_fields} | nested
    for variable in sorted(environment):
        if variable.upper().startswith(_PREFIX) and variable.upper() not in known:
            near = get_close_matches(variable.upper(), sorted(known), n=3)
            hint = f"Did you mean {' or '.join(near)}?" if near else "`ojeon config` lists the settings."
            raise UsageError(f"The environment has {variable}, which is no setting. {hint} Unset it or mend its name.")


def _sentence(error: Exception, given: dict[str, Any]) -> str:
    if isinstance(error, SettingsError) and (field := re.search(r'field "(\w+)"', str(error))):
        example = _EXAMPLES.get(field[1], "")
        return f"{_PREFIX}{field[1].upper()} must be written as JSON{example}. `ojeon config` lists what is in force."
    if not isinstance(error, ValidationError):
        return f"Settings do not fit together: {error}."
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    origin = "a flag" if _is_given(first["loc"], given) else f"the environment ({_PREFIX}…) or {TOML_FILE}"
    return f"Setting {where or 'file'}, from {origin}, is wrong: {first['msg']}. `ojeon config` lists what is in force."


def _is_given(place: tuple[int | str, ...], given: Any) -> bool:
    for part in place:
        if not isinstance(given, dict):
            return True
        if part not in given:
            return False
        given = given[part]
    return bool(place)
