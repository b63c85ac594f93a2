"""Lines of any kind as a table to be read: in a notebook or on a terminal, whatever stands in them."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from pipeline.figures import count
from pipeline.shapes import shown
from pipeline.visible import visible


def listing(headings: Sequence[str], lines: Iterable[Sequence[Any]]) -> Table:
    """One row a line; numbers to the right, thousands apart, None and False left empty.

    >>> [list(column.cells) for column in listing(["text", "rows"], [("9:30", 1200), ("a", None)]).columns]
    [[<text '9:30' [] ''>, <text 'a' [] ''>], [<text '1,200' [] ''>, <text '' [] ''>]]
    """
    lines = list(lines)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for place, heading in enumerate(headings):
        numbers = any(type(line[place]) in (int, float) for line in lines)
        table.add_column(heading, justify="right" if numbers else "left")
    for line in lines:
        table.add_row(*(Text(_said(value)) for value in line))
    return table


def readable(raw: str | None, limit: int = 60) -> str:
    """A text masked and fit to be shown, so that nothing and an empty text can be told apart.

    >>> readable("예약자 김하늘 3시"), readable(None), readable("")
    ('예약자 ••• 3시', '⟨NULL⟩', '⟨empty⟩')
    """
    seen = shown(raw, limit)
    return "⟨NULL⟩" if seen is None else seen or "⟨empty⟩"


def _said(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return count(value) if type(value) is int else visible(str(value))
