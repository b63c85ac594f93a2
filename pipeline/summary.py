"""What a finished run tells the engineer who started it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.audit_file import SHEET_NAME
from pipeline.figures import counted
from pipeline.reviewed import RULE
from pipeline.visible import visible

if TYPE_CHECKING:
    from pipeline.demo import Shown

_LONGEST_NOTICE = 1_000


def notices(reports: Mapping[str, Any]) -> Iterator[Text]:
    """What extract noticed that a person should know, such as a column that is not there."""
    for notice in reports["extract"].notices:
        yield Text.assemble(("note: ", "bold yellow"), visible(notice, _LONGEST_NOTICE))


def run_summary(reports: Mapping[str, Any], folder: Path) -> RenderableType:
    """Rows by fate, failed checks, and where everything lies."""
    emitted = reports["emit"]
    rows = emitted.rows
    facts = Table.grid(padding=(0, 2))
    facts.add_row(Text("rows", "dim"), Text(rows.equation))
    facts.add_row(Text("AUTO", "dim"), Text(f"{rows.auto_share:.2%}  of rows without a period", "bold"))
    waiting = f"{counted(emitted.review_texts, 'text')} in {counted(rows.waiting, 'row')}"
    drawn = f"{counted(emitted.audit_texts, 'AUTO text')} drawn at random, in {SHEET_NAME}"
    facts.add_row(Text("to people", "dim"), Text(waiting))
    facts.add_row(Text("to judge", "dim"), Text(drawn))
    facts.add_row(Text("plan", "dim"), Text(f"{emitted.files:,} files, {emitted.batches:,} batches"))
    facts.add_row(Text("check", "dim"), _verdict(reports["check"], emitted.refused))
    facts.add_row(Text("folder", "dim"), Text(str(folder)))
    return facts


def _verdict(checked: Any, refused: str | None) -> Text:
    failures = list(checked.failures())
    if not failures and refused:
        return Text(f"passed, yet the plan refuses to be applied: {refused}", "bold red")
    if not failures:
        return Text("passed; the plan may be applied", "green")
    text = Text("failed; the plan refuses to be applied", "bold red")
    for suite, result in failures:
        text.append(f"\n{suite}: {result.expected} Found: {result.found}.", "red")
    return text


def demo_summary(shown: "Shown") -> RenderableType:
    """The run's summary, some texts before and after, and how the plan did."""
    facts = Table.grid(padding=(0, 2))
    truth, played = shown.truth, shown.rehearsal
    right = f"{truth.auto_right:,} of {truth.auto:,} AUTO rows right; {truth.coverage:.2%} of what can be decided"
    facts.add_row(Text("truth", "dim"), Text(right, "green" if truth.auto == truth.auto_right else "bold red"))
    if played:
        told = f"applied {played.applied:,}, again {played.applied_again:,}, undone {played.undone:,}; "
        told += "table as it was, byte for byte" if played.restored else "THE TABLE IS NOT AS IT WAS"
        facts.add_row(Text("rehearsal", "dim"), Text(told, "green" if shown.as_promised else "bold red"))
    facts.add_row(Text("reviewer", "dim"), Text(_review(shown), "green" if shown.as_promised else "bold red"))
    facts.add_row(Text("again", "dim"), Text(str(shown.again.folder)))
    facts.add_row(Text("took", "dim"), Text(f"{shown.seconds:.1f} s"))
    return Group(_before_and_after(shown), Text(), run_summary(shown.run.reports, shown.run.folder), facts)


def _review(shown: "Shown") -> str:
    before, after = (run.reports["emit"].rows for run in (shown.run, shown.again))
    said = shown.reviewed
    return (
        f"answered {said.texts:,} of {said.listed:,} texts ({said.rows:,} rows); AUTO {before.auto_share:.2%} before, "
        f"{after.auto_share:.2%} after; {before.waiting:,} rows waited, {after.waiting:,} do now"
    )


_EXAMPLES = """
    SELECT d.raw, d.disposition, d.period, d.start_time, d.rule, d.reason, t."rows"
    FROM decisions d JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw
    QUALIFY row_number() OVER (PARTITION BY d.rule, d.disposition ORDER BY t."rows" DESC, d.raw) = 1
    ORDER BY d.disposition, t."rows" DESC LIMIT 20
"""


def _before_and_after(shown: "Shown") -> Table:
    """The most frequent text of each rule, with what became of it."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("preferredTime", "rows", "becomes", "because"):
        longest = 30 if heading == "preferredTime" else None
        table.add_column(heading, no_wrap=True, justify="right" if heading == "rows" else "left", max_width=longest)
    for raw, disposition, period, start, rule, reason, rows in (
        shown.run.workbench.cursor().execute(_EXAMPLES).fetchall()
    ):
        text = Text("NULL", "dim") if raw is None else Text(visible(raw, 26))
        if disposition == "AUTO":
            table.add_row(text, f"{rows:,}", Text(f"{period} {start or ''}", "green"), Text(rule, "dim"))
        else:
            suggested = f", {period}?" if period else ""
            table.add_row(text, f"{rows:,}", Text(f"review{suggested}", "yellow"), Text(_why(rule, reason), "yellow"))
    return table


def _why(rule: str, reason: str) -> str:
    return "reviewed: neither half of the day" if rule == RULE else reason
