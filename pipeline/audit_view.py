"""Where an audit stands, for a terminal and for scripts; texts come out masked."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.audit import Standing, State
from pipeline.audit_file import SHEET_NAME
from pipeline.masking import mask
from pipeline.review_file import key
from pipeline.visible import visible

_STYLES = {State.PENDING: "yellow", State.PASSED: "green", State.FAILED: "bold red"}
_NEXT = {
    State.PENDING: f"have {SHEET_NAME} filled in, then ojeon review import {{run}} FILE; or ojeon review serve {{run}} "
    "--audit",
    State.PASSED: "ojeon apply {run} --require-audit",
    State.FAILED: "ojeon run: it goes by the reviewers' answers; what this run has filled, ojeon undo {run} takes back",
}
_LONGEST = 60
_LISTED = 50


def as_dict(run_id: str, found: Standing) -> dict[str, Any]:
    """The standing in JSON's own types: counts as in ``Standing``, the disagreements with their keys."""
    counted = ("rows", "texts", "judged", "open", "conflicts", "draws", "errors", "open_draws", "bound", "max_error")
    return {
        "run": run_id,
        "state": found.state.value,
        **{name: getattr(found, name) for name in counted},
        "confidence": found.confidence,
        "census": found.is_census,
        "sentence": found.sentence,
        "disagreements": list(_disagreements(run_id, found)),
    }


def audit_view(run_id: str, found: Standing) -> RenderableType:
    """State, counts, the bound in words, and the texts about which reviewers disagree with the run."""
    facts = Table.grid(padding=(0, 2))
    differ = f", about {found.conflicts:,} of them reviewers differ" if found.conflicts else ""
    facts.add_row(Text("audit", "dim"), Text(f"{found.state} ({run_id})", _STYLES[found.state]))
    facts.add_row(
        Text("judged", "dim"), Text(f"{found.judged:,} of {found.texts:,} texts, {found.open:,} open{differ}")
    )
    how = "every AUTO text" if found.is_census else f"{found.draws:,} rows drawn at random"
    facts.add_row(Text("sample", "dim"), Text(f"{how} out of {found.rows:,} that parsers decided"))
    facts.add_row(Text("wrong", "dim"), Text(f"{len(found.disagreements):,} texts, drawn {found.errors:,} times"))
    facts.add_row(Text("bound", "dim"), Text(found.sentence))
    facts.add_row(Text("next", "dim"), Text(_NEXT[found.state].format(run=run_id)))
    return Group(facts, _table(run_id, found)) if found.disagreements else facts


def _table(run_id: str, found: Standing) -> RenderableType:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("key", "text", "rows", "decided", "by rule", "reviewers say", "who"):
        table.add_column(heading, justify="right" if heading == "rows" else "left")
    told = list(_disagreements(run_id, found))
    for line in told[:_LISTED]:
        who = visible(", ".join(line["reviewers"]), _LONGEST)
        cells = line["key"], line["text"], f"{line['rows']:,}", line["decided"], line["rule"], line["verdict"], who
        table.add_row(*map(Text, cells))
    if len(told) > _LISTED:
        return Group(table, Text(f"and {len(told) - _LISTED:,} more; --json lists all", "dim"))
    return table


def _disagreements(run_id: str, found: Standing) -> Iterator[dict[str, Any]]:
    for disagreement in found.disagreements:
        sampled = disagreement.sampled
        yield {
            "key": key(run_id, sampled.raw),
            "text": visible(mask(sampled.raw), _LONGEST),
            "rows": sampled.rows,
            "draws": sampled.draws,
            "decided": sampled.period,
            "rule": sampled.rule,
            "verdict": disagreement.verdict.value,
            "reviewers": list(disagreement.reviewers),
        }
