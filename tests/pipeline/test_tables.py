import io
from pathlib import Path

from filled_workbench import Line, auto, fill
from rich.console import Console

from pipeline.profile import profile
from pipeline.tables import profile_table
from pipeline.visible import is_unseen
from pipeline.workbench import open_workbench


def _printed(folder: Path, lines: list[Line], *, width: int = 200, top: int = 15) -> str:
    with open_workbench(folder) as workbench:
        fill(workbench, lines)
        report = profile(workbench)
    page = io.StringIO()
    Console(file=page, width=width, force_terminal=True, color_system=None).print(
        profile_table(report, top, width=width)
    )
    return page.getvalue()


def test_shows_counts_shares_and_rules(tmp_path: Path) -> None:
    printed = _printed(tmp_path, [auto("09:30", 1_999, "MORNING"), Line("25:00", 1), Line(None, 2)])
    assert "2,002 rows, 3 distinct texts" in printed
    clocks = next(line for line in printed.splitlines() if line.startswith("99:99"))
    assert clocks.split()[:5] == ["99:99", "2,000", ">99.9%", "2", ">99%"]
    assert "clock, leftover" in clocks
    assert "NULL" in printed


def test_sums_up_what_it_leaves_out(tmp_path: Path) -> None:
    printed = _printed(
        tmp_path, [Line("가" * number + "-" * (number % 2) + "1" * number, 2) for number in range(1, 9)], top=3
    )
    assert "5 more shapes" in printed
    assert "10" in next(line for line in printed.splitlines() if "5 more shapes" in line).split()


def test_hostile_texts_are_inert(tmp_path: Path) -> None:
    hostile = ["[bold red]x[/]", "[link=file:///etc/passwd]y[/link]", "\x1b[2J\x1b]0;owned\x07", "오후\u202e3시", "[/]"]
    printed = _printed(tmp_path, [Line(text, 9 - place) for place, text in enumerate(hostile)])
    assert "[bold red]x[/]" in printed
    assert "⟨U+001B⟩" in printed
    assert not [char for char in printed if is_unseen(char) and char != "\n"]


def test_in_80_columns_examples_and_rules_keep_their_words(tmp_path: Path) -> None:
    lines = [auto("09:30", 1_999, "MORNING"), auto("10:30", 400, "MORNING"), Line("오후 늦게 전화 주세요", 700_000)]
    printed = _printed(tmp_path, lines, width=80)
    assert all(word in printed for word in ("09:30", "10:30", "clock", "leftover", "700,000"))
    assert max(len(line) for line in printed.splitlines()) <= 80
