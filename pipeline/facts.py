"""What the steps of a run hand on in the workbench's ``facts``."""

import json
from collections.abc import Mapping
from typing import Any

import duckdb


def read_facts(workbench: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Every fact by its name, without the check's report, which is handed from step to step itself."""
    query = "FROM facts WHERE name <> 'check' ORDER BY name"
    return {name: json.loads(value) for name, value in workbench.execute(query).fetchall()}


def why_unwritable(facts: Mapping[str, Any]) -> str | None:
    """A sentence about why the table can take no plan; None where it can, or where a dump tells nothing about it."""
    why: str | None = facts.get("source", {}).get("target", {}).get("why")
    return why
