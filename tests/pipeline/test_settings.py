"""How a live table is moved is set by flags, the environment and ojeon.toml like everything else."""

import json
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.errors import UsageError
from pipeline.settings import AuditSettings, MoveSettings


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_flag_goes_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ojeon.toml").write_text('[move]\nmax_load = 3\nmax_lag_seconds = 4\npatience = 5\nfill = ["slot"]\n')
    monkeypatch.setenv("OJEON_MOVE__MAX_LAG_SECONDS", "0")
    monkeypatch.setenv("OJEON_MOVE__PATIENCE", "7")
    loaded = settings.load(move={"patience": 8}).move
    assert (loaded.max_load, loaded.max_lag_seconds, loaded.patience, loaded.fill) == (3, 0, 8, ("slot",))
    assert settings.origins(move={"patience": 8})["move"] == "flag"
    assert settings.origins()["move"] == "environment"


def test_an_audit_is_asked_for_by_flags_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load().audit == AuditSettings(max_error=0.001, confidence=0.95)
    monkeypatch.setenv("OJEON_AUDIT__MAX_ERROR", "0.01")
    assert settings.load(audit={"confidence": 0.99}).audit == AuditSettings(max_error=0.01, confidence=0.99)


def test_what_is_filled_is_a_list_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OJEON_MOVE__FILL", '["period", "service"]')
    assert settings.load().move.fill == ("period", "service")


def test_every_setting_of_the_move_is_known_and_has_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"fill": '["slot"]', "metrics_file": "/m/ojeon.prom", "max_load": "2", "require_audit": "yes"}
    for name in MoveSettings.model_fields:
        monkeypatch.setenv(f"OJEON_MOVE__{name.upper()}", values.get(name, "0.5"))
    loaded = settings.load().move
    assert json.loads(loaded.model_dump_json())["metrics_file"] == "/m/ojeon.prom"
    assert loaded.max_wal_mb_per_second == 0.5
    assert all(field.description for name, field in MoveSettings.model_fields.items() if name != "fill")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("OJEON_MOVE__MAX_LOADS", "3", "Did you mean OJEON_MOVE__MAX_LOAD"),
        ("OJEON_MOVE__MAX_LOAD", "0", "move.max_load"),
        ("OJEON_MOVE__MAX_LAG_SECONDS", "nan", "move.max_lag_seconds"),
        ("OJEON_AUDIT__MAX_ERRORS", "0.1", "Did you mean OJEON_AUDIT__MAX_ERROR"),
        ("OJEON_AUDIT__MAX_ERROR", "0", "audit.max_error"),
        ("OJEON_AUDIT__MAX_ERROR", "1", "audit.max_error"),
        ("OJEON_AUDIT__CONFIDENCE", "0.79", "audit.confidence"),
        ("OJEON_AUDIT__CONFIDENCE", "1", "audit.confidence"),
        ("OJEON_MOVE__PATIENCE", "inf", "move.patience"),
        ("OJEON_MOVE__PATIENCE", "1e12", "move.patience"),
        ("OJEON_MOVE__MAX_AGE_DAYS", "1e12", "move.max_age_days"),
        ("OJEON_MOVE__MAX_ROWS_PER_SECOND", "1e-300", "move.max_rows_per_second"),
        ("OJEON_MOVE__VACUUM_PATIENCE", "1e300", "move.vacuum_patience"),
        ("OJEON_MOVE__LOCK_TIMEOUT", "0.0001", "move.lock_timeout"),  # PostgreSQL reads 0 ms as for ever
        ("OJEON_MOVE__FILL", "period", """OJEON_MOVE__FILL='["period", "slot"]'"""),
        ("OJEON_MOVE__FILL", "[]", "move.fill"),
        ("OJEON_MOVE__FILL", '["patient"]', "move.fill"),
        ("OJEON_MOVE__METRICS_FILE", "/m/ojeon.txt", ".prom only"),
    ],
)
def test_a_wrong_value_is_named(variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError) as caught:
        settings.load()
    assert told in str(caught.value)
