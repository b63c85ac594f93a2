"""What a verification found, for a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.backfill.fates import FATES, Finding
from pipeline.backfill.verify import VerifyReport
from pipeline.suite_results import Status
from pipeline.visible import visible

_SAID = {
    "filled": "as this run left them",
    "dual_written": "as its trigger left them",
    "waiting": "empty and planned: waiting for apply",
    "changed_since": "filled by this run, written to since",
    "came_late": "empty and planned, came after apply",
    "left_empty": "empty, nothing planned: for people",
    "set_by_others": "set by the application or others",
}
_SHOWN_IDS = 5


def verify_table(report: VerifyReport) -> RenderableType:
    """The fates of all rows, what was found among them, and the verdict."""
    return Group(_fates(report), *_findings(report), *map(Text, report.notices), *_laws(report), _verdict(report))


def _fates(report: VerifyReport) -> Table:
    table = Table(
        title=f"run {report.run_id}, {report.state}, at {report.moment:%Y-%m-%d %H:%M:%S} UTC",
        title_justify="left",
        box=None,
        header_style="dim",
    )
    for heading in ("filled", "rows that are", "known at extract", "arrived since"):
        table.add_column(heading, justify="right" if heading in {"known at extract", "arrived since"} else "left")
    for fates in report.fates:
        for fate in FATES:
            if fates.known[fate] or fates.arrived[fate]:
                table.add_row(fates.fill, _SAID[fate], f"{fates.known[fate]:,}", f"{fates.arrived[fate]:,}")
        known, arrived = sum(fates.known.values()), sum(fates.arrived.values())
        table.add_row(fates.fill, f"together {known + arrived:,} of {report.rows:,} rows", f"{known:,}", f"{arrived:,}")
    return table


def _findings(report: VerifyReport) -> Iterator[Text]:
    for finding in report.findings:
        yield Text(f"{finding.rows:,} rows {finding.says}: {_ids(finding)}", style="red" if finding.fails else "")


def _ids(finding: Finding) -> str:
    named = ", ".join(visible(row_id) for row_id in finding.ids[:_SHOWN_IDS])
    return named if finding.rows <= _SHOWN_IDS else f"{named}, …"


def _laws(report: VerifyReport) -> Iterator[Text]:
    for result in report.suite.results:
        if result.status is not Status.PASSED:
            yield Text(f"{result.status}: {result.expected} ({result.found})", style="red")


def _verdict(report: VerifyReport) -> Text:
    laws = len(report.suite.results)
    words = f"all {laws} laws hold" if report.passed else "something is off"
    return Text(
        f"{'passed' if report.passed else 'FAILED'}: {words}, "
        f"{report.old_columns} other columns compared, {report.seconds:.1f} s, {report.path}",
        style="green" if report.passed else "bold red",
    )
