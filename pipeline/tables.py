"""What a run prints for people on a terminal, as rich renderables.

Texts go in as ``rich.text.Text``, whose content rich never reads as markup, after ``visible`` has taken away every
character that could drive a terminal.
"""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from parsers.types import Disposition
from pipeline.figures import count, percent
from pipeline.shapes import Example, ProfileReport, Shape
from pipeline.visible import visible

_NAME_LENGTH = 32
_EXAMPLES = 3
_SHOWN_LENGTH = 24
_RULES = 3
_NUMBERS = frozenset({"rows", "share", "texts", "auto"})
_WRAPPED = frozenset({"examples", "claimed by"})
_HEADINGS = ("shape", "rows", "share", "texts", "auto", "first seen", "last seen", "examples", "claimed by")
_ONLY_WHERE_WIDE = frozenset({"texts", "first seen", "last seen"})
_WIDE = 130
_NARROW_NAME_LENGTH = 18


def profile_table(report: ProfileReport, top: int = 15, *, width: int = _WIDE) -> RenderableType:
    """Both lists of buckets, the ``top`` largest of each and one line for the rest.

    On less than ``_WIDE`` columns the examples and rules get the room of what is told of texts and dates.
    """
    wide = width >= _WIDE
    counted = Text(f"{count(report.rows)} rows, {count(report.texts)} distinct texts", style="bold")
    return Group(
        counted,
        _shapes_table("By meaning", report.by_meaning, top, wide=wide),
        _shapes_table("By pattern", report.by_pattern, top, wide=wide),
    )


def _shapes_table(title: str, shapes: tuple[Shape, ...], top: int, *, wide: bool) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    headings = [heading for heading in _HEADINGS if wide or heading not in _ONLY_WHERE_WIDE]
    for heading in headings:
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left", no_wrap=heading not in _WRAPPED)
    for shape in shapes[:top]:
        cells = _cells(shape, _NAME_LENGTH if wide else _NARROW_NAME_LENGTH)
        table.add_row(*(cells[heading] for heading in headings))
    rest = shapes[top:]
    if rest:
        rows, texts = sum(shape.rows for shape in rest), sum(shape.texts for shape in rest)
        share = sum(shape.share for shape in rest)
        sums = (count(rows), percent(share), *([count(texts)] if wide else []))
        table.add_row(f"{len(rest):,} more shapes", *sums, style="dim")
    return table


def _cells(shape: Shape, name_length: int) -> dict[str, RenderableType]:
    cells = (
        Text(visible(shape.name, name_length), style="bold"),
        count(shape.rows),
        percent(shape.share),
        count(shape.texts),
        _auto_share(shape),
        f"{shape.first_seen:%Y-%m-%d}" if shape.first_seen else "",
        f"{shape.last_seen:%Y-%m-%d}" if shape.last_seen else "",
        Text("  ").join(_example(example) for example in shape.examples[:_EXAMPLES]),
        Text(", ".join(dict.fromkeys(visible(claim.rule) for claim in shape.claims[:_RULES]))),
    )
    return dict(zip(_HEADINGS, cells, strict=True))


def _auto_share(shape: Shape) -> Text:
    auto, review = (shape.claimed(disposition) for disposition in Disposition)
    if not auto + review:
        return Text("")
    share = auto / (auto + review)
    return Text(percent(share, 0), style="green" if share == 1 else "yellow")


def _example(example: Example) -> Text:
    if example.text is None:
        return Text("NULL", style="dim italic")
    return Text(visible(example.text, _SHOWN_LENGTH)) if example.text else Text("empty", style="dim italic")
