"""Where an audit stands, for a terminal and for scripts; texts come out masked."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.audit import Standing, State
from pipeline.audit_file import SHEET_NAME
from pipeline.figures import counted
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
    names = ("rows", "texts", "judged", "known", "open", "unfounded", "conflicts", "draws", "errors", "open_draws")
    return {
        "run": run_id,
        "state": found.state.value,
        **{name: getattr(found, name) for name in names},
        "bound": found.bound,
        "max_error": found.max_error,
        "confidence": found.confidence,
        "census": found.is_census,
        "sentence": found.sentence,
        "disagreements": list(_disagreements(run_id, found)),
    }


def audit_view(run_id: str, found: Standing) -> RenderableType:
    """State, counts, the bound in words, and the texts about which reviewers disagree with the run."""
    if not found.rows:
        return _nothing(run_id)
    facts = Table.grid(padding=(0, 2))
    differ = f", about {found.conflicts:,} of them reviewers differ" if found.conflicts else ""
    facts.add_row(Text("audit", "dim"), Text(f"{found.state} ({run_id})", _STYLES[found.state]))
    known = f", {found.known:,} known from earlier answers" if found.known else ""
    judged = f"{found.judged:,} of {counted(found.texts, 'text')}{known}, {found.open:,} open{differ}"
    facts.add_row(Text("judged", "dim"), Text(judged))
    how = "every AUTO text, in" if found.is_census else f"{counted(found.draws, 'row')} drawn at random out of"
    facts.add_row(Text("sample", "dim"), Text(f"{how} {counted(found.rows, 'AUTO row')}"))
    wrong = f"{counted(len(found.disagreements), 'text')}, drawn {counted(found.errors, 'time')}"
    facts.add_row(Text("wrong", "dim"), Text(wrong))
    facts.add_row(Text("bound", "dim"), Text(found.sentence))
    facts.add_row(Text("next", "dim"), Text(_next(found).format(run=run_id)))
    return Group(facts, _table(run_id, found)) if found.disagreements else facts


def _next(found: Standing) -> str:
    if found.unfounded and not found.disagreements:
        return f"ojeon run: {counted(found.unfounded, 'text')} decided by an answer that is no longer in force"
    return _NEXT[found.state]


def _nothing(run_id: str) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_row(Text("audit", "dim"), Text(f"nothing to audit ({run_id}): the run would fill no row"))
    facts.add_row(Text("next", "dim"), Text(f"nothing to apply either; ojeon review serve {run_id} shows what waits"))
    return facts


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
