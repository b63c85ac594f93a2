"""The report of a real run in a real browser, and the command that renders it again."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import keep
from filled_workbench import auto, fill
from playwright.sync_api import Browser, Page

from fixtures.clinic.dump import COLUMNS, write_csv
from fixtures.clinic.generate import generate
from pipeline import manifest
from pipeline.answers import Answer, Purpose, Verdict, open_answers
from pipeline.profile import profile
from pipeline.report import FILE_NAME
from pipeline.settings import Settings
from pipeline.workbench import FILE_NAME as WORKBENCH
from pipeline.workbench import open_workbench

OJEON = Path(sys.executable).with_name("ojeon")
HOSTILE = [
    "<script>document.title='pwned'</script>",
    '"><img src=https://evil.example/x onerror=document.title=1>',
    "<svg/onload=alert(1)>",
    "</td></table></style><style>*{display:none}</style>",
    "<a href=javascript:alert(1)>9시</a>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
]
PRIVATE = "예약자 김하늘 010-1234-5678 연락주세요"
LANGUAGES, SCHEMES = ("en", "ko"), ("light", "dark")
PHONE, DESK, A4 = {"width": 360, "height": 740}, {"width": 1280, "height": 800}, {"width": 703, "height": 1000}
NOW = datetime.fromisoformat("2025-06-01T09:00:00+00:00")

pytestmark = pytest.mark.xdist_group("report")  # one run and one browser for all

Opened = Callable[..., Page]
Counted = Callable[[str], dict[str, int]]
UNSET = "WHERE current_period IS NULL"


def ojeon(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("OJEON_", "PG", "DATABASE_"))}
    command = [str(OJEON), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=ours, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run of a dump with a few hostile texts lies, and an earlier one, and what reviewers have said."""
    folder = tmp_path_factory.mktemp("runs")
    write_csv(generate(3_000, already_set=0.05), folder / "dump.csv")
    with (folder / "dump.csv").open("a", encoding="utf-8") as dump:
        for number, text in enumerate([*HOSTILE, PRIVATE] * 60):
            quoted = text.replace('"', '""')
            row = {"id": f"x{number}", "preferredTime": quoted, "preferredDate": "2025-11-03"}
            dump.write(",".join(f'"{row[name]}"' if name in row else "" for name in COLUMNS) + "\n")
    earlier = folder / "reports" / "20200101-000000-0000"
    earlier.mkdir(parents=True)
    with open_workbench(earlier) as workbench:
        fill(workbench, [auto("10시", 900, "MORNING"), auto("낮 1시", 9, "AFTERNOON")])
        profile(workbench)
    source = {"kind": "csv", "file": "dump.csv"}
    manifest.write(earlier, {"run": earlier.name, "source": source, "settings": Settings().model_dump(mode="json")})
    words = [("7시", Verdict.MORNING), ("미정", Verdict.NEITHER)]
    with open_answers(folder / "reports" / "answers.sqlite") as answers:
        answers.add(
            Answer(text, verdict, "reviewer-1", NOW, "", earlier.name, "T0", "", Purpose.REVIEW)
            for text, verdict in words
        )
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    done = ojeon(folder, "run", "--dump", "dump.csv", "--lang", "ko", "--min-auto", "0.5")
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.strip()


@pytest.fixture(scope="module")
def reports(folder: Path, run: Path) -> dict[str, Path]:
    """The report in each language: as the run wrote it, and rendered again."""
    done = ojeon(folder, "report", run, "-o", "english.html")
    assert (done.returncode, done.stdout) == (0, "english.html\n"), done.stderr
    return {"ko": run / FILE_NAME, "en": folder / "english.html"}


@pytest.fixture
def opened(browser: Browser, reports: dict[str, Path]) -> Iterator[Opened]:
    """Open the report of a language in a profile of its own."""
    contexts = []

    def open_report(language: str, **profile: Any) -> Page:
        contexts.append(browser.new_context(**profile))
        page = contexts[-1].new_page()
        page.goto(reports[language].as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_loads_nothing_and_runs_nothing(browser: Browser, reports: dict[str, Path], language: str) -> None:
    happened: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: happened.append(request.url))
        page.on("console", lambda message: happened.append(message.text))
        page.on("pageerror", lambda error: happened.append(str(error)))
        page.on("dialog", lambda dialog: happened.append(dialog.message))
        page.goto(reports[language].as_uri())
        page.wait_for_timeout(300)
        title = page.title()
    assert [what for what in happened if not what.startswith("data:image/svg+xml;")] == [reports[language].as_uri()]
    assert title.endswith(reports["ko"].parent.name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_texts_are_shown_as_they_stand(opened: Opened, language: str) -> None:
    page = opened(language)
    shown = page.locator(".waiting .text").all_inner_texts()
    assert {text for text in HOSTILE if len(text) <= 100} <= set(shown)
    assert page.evaluate("document.querySelectorAll('script, iframe, object, form, svg').length") == 0
    assert page.locator(".waiting tr").last.is_visible()


def test_the_browser_refuses_what_the_policy_does_not_name(
    browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    """The seal on the page itself: even a script that got into the file would not run."""
    tampered = tmp_path / "tampered.html"
    script = "<script>document.title = 'pwned'</script><img src='https://evil.example/x.png'></main>"
    tampered.write_text(reports["en"].read_text(encoding="utf-8").replace("</main>", script), encoding="utf-8")
    asked: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.goto(tampered.as_uri())
        assert page.title() != "pwned"
    assert not [address for address in asked if "evil" in address]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing(opened: Opened, language: str, scheme: str) -> None:
    for name, viewport in (("phone", PHONE), ("desk", DESK)):
        page = opened(language, color_scheme=scheme, viewport=viewport)
        keep(page, f"report-{language}-{scheme}-{name}")
        if (name, scheme) != ("phone", "dark"):  # colours do not depend on the width, nor the layout on colours
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_charts_wear_the_dress_of_the_page(opened: Opened, scheme: str) -> None:
    page = opened("en", color_scheme=scheme)
    assert {image.get_attribute("class") for image in page.locator("img").all() if image.is_visible()} == {scheme}
    assert page.evaluate("[...document.images].every(image => image.complete && image.alt)")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "profile",
    [{"viewport": PHONE}, {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}, {"viewport": DESK}],
    ids=["360 px", "200 % zoom", "1280 px"],
)
def test_never_scrolls_sideways(opened: Opened, language: str, profile: dict[str, Any]) -> None:
    page = opened(language, **profile)
    assert page.evaluate("document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth")
    out = """[...document.querySelectorAll('main *')].filter(one => !one.closest('.wide, .unseen')
        && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 200))"""
    assert page.evaluate(out) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_prints_whole(opened: Opened, language: str) -> None:
    page = opened(language, viewport=A4)  # what A4 leaves between its margins
    page.emulate_media(media="print")
    assert not page.locator("img.dark").first.is_visible()
    cut = """[...document.querySelectorAll('main *')].filter(one => !one.closest('.unseen')
        && (one.getBoundingClientRect().right > innerWidth + 1
            || getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1)
        ).map(one => one.outerHTML.slice(0, 200))"""
    assert page.evaluate(cut) == []
    printed = page.pdf(prefer_css_page_size=True)
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 20


def _figures(page: Page, table: str) -> dict[str, list[str]]:
    """The lines of a table: what stands first, and the other cells."""
    lines = [row.locator("th, td").all_inner_texts() for row in page.locator(f"{table} tbody tr").all()]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in lines}


@pytest.fixture(scope="module")
def counted(run: Path) -> Counted:
    """Count rows by row, joining each with its decision, as no part of the report does."""
    rows = "FROM reservations r JOIN decisions d ON r.raw IS NOT DISTINCT FROM d.raw"

    def count(what: str) -> dict[str, int]:
        with duckdb.connect(run / WORKBENCH, read_only=True) as workbench:
            return dict(workbench.execute(f"SELECT {what.replace('FROM rows', rows)} GROUP BY 1").fetchall())

    return count


def _number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_every_row_told_is_in_the_workbench(opened: Opened, counted: Counted) -> None:
    page = opened("en")
    fates = counted("CASE WHEN current_period IS NOT NULL THEN 'SET' ELSE disposition END, count(*) FROM rows")
    told = [_number(figure) for figure in page.locator(".sum .big").all_inner_texts()]
    assert told == [sum(fates.values()), fates["AUTO"], fates["REVIEW"], fates["SET"]]
    shapes = counted("meaning, count(*) FROM reservations r JOIN text_shapes s ON r.raw IS NOT DISTINCT FROM s.raw")
    drawn = {shape: _number(cells[1]) for shape, cells in _figures(page, ".shapes").items()}
    assert len(drawn) == 12
    for shape, rows in drawn.items():  # long names are cut
        assert rows in {count for name, count in shapes.items() if name.startswith(shape.rstrip("…"))}


def test_what_waits_and_what_is_settled_is_in_the_workbench(opened: Opened, counted: Counted) -> None:
    page = opened("en")
    reasons = counted(f"reason, count(*) FROM rows {UNSET} AND disposition = 'REVIEW' AND rule <> 'reviewed'")
    assert {line.split()[-1]: _number(cells[1]) for line, cells in _figures(page, ".reasons").items()} == reasons
    settled = counted(f"coalesce(period, 'NEITHER'), count(*) FROM rows {UNSET} AND rule = 'reviewed'")
    told = {line: _number(cells[1]) for line, cells in _figures(page, "#settled > .short").items()}
    assert told == {"Morning": settled["MORNING"], "Neither half": settled["NEITHER"]}


def test_the_week_and_the_months_are_those_of_the_workbench(opened: Opened, counted: Counted) -> None:
    page = opened("en")
    planned = f"FROM rows {UNSET} AND disposition = 'AUTO'"
    told = {day: _number(cells[2]) for day, cells in _figures(page, "#split .wide").items()}
    assert {day: rows for day, rows in told.items() if rows} == counted(f"dayname(preferred_date), count(*) {planned}")
    month = "strftime(preferred_date, '%Y-%m')"
    rows = counted(f"{month}, count(*) {planned}")
    mornings = counted(f"{month}, count(*) FILTER (period = 'MORNING') {planned}")
    months = {line: cells for line, cells in _figures(page, "#split > .bars").items() if line in rows}
    assert months.keys() == set(sorted(rows)[-24:])
    for name, (_, told_rows, share) in months.items():
        assert (_number(told_rows), share) == (rows[name], f"{mornings[name] / rows[name]:.1%}")


def test_tells_what_changed_since_the_run_before(opened: Opened) -> None:
    page = opened("en")
    drift = page.locator("#drift").inner_text()
    assert "Held against 20200101-000000-0000" in drift
    assert "909 → 3,420" in drift
    assert re.search(r"new\s+half-day\s", drift)


def test_people_who_hear_the_page_hear_the_gates(opened: Opened) -> None:
    gates = opened("ko").locator(".gates li")
    assert [line.split()[0] for line in gates.all_text_contents()] == ["✓통과", "✓통과", "✓통과", "✓통과", "○대기"]


def test_personal_data_is_hidden_unless_asked_for(folder: Path, run: Path, reports: dict[str, Path]) -> None:
    for report in reports.values():
        assert not re.search("김하늘|1234-5678", report.read_text(encoding="utf-8"))
    done = ojeon(folder, "report", run.name, "--lang", "ko", "--unmask")
    assert (done.returncode, done.stdout.strip()) == (0, f"{run.name}.ko.html"), done.stderr
    page = (folder / f"{run.name}.ko.html").read_text(encoding="utf-8")
    assert PRIVATE in page
    assert "다른 사람에게 전달하지 마세요" in page


def test_the_sealed_report_stays_as_it_is(folder: Path, run: Path) -> None:
    assert manifest.verify_files(run) == []
    inside = run.relative_to(folder)
    for place in (run / FILE_NAME, f"reports/../{inside}/updates/x.html"):
        done = ojeon(folder, "report", run, "-o", place)
        assert done.returncode == 2
        assert "is sealed" in done.stderr
    assert manifest.verify_files(run) == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nowhere"], 2, "There is no run nowhere"),
        (["."], 4, "has no manifest.json"),
        (["RUN", "--lang", "fr"], 2, "lang"),
        (["RUN", "-o", "."], 2, "is a folder"),
        (["RUN", "-o", "missing/x.html"], 4, "could not be written"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    folder: Path, run: Path, arguments: list[str], code: int, told: str
) -> None:
    done = ojeon(folder, "report", *(run if word == "RUN" else word for word in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_reviewers_answers_since_the_run_are_in_a_report_rendered_again(folder: Path, run: Path) -> None:
    with duckdb.connect(run / WORKBENCH, read_only=True) as workbench:
        ((text, period),) = workbench.execute(
            "SELECT raw, period FROM audit_sample ORDER BY position LIMIT 1"
        ).fetchall()
    wrong = Verdict.AFTERNOON if period == "MORNING" else Verdict.MORNING
    other = folder / "others.sqlite"
    with open_answers(other) as answers:
        answers.add([Answer(text, wrong, "reviewer-2", NOW, "", run.name, "T0", "", Purpose.AUDIT)])
    done = subprocess.run(
        [OJEON, "report", run, "-o", "audited.html"],
        cwd=folder,
        env={**os.environ, "OJEON_ANSWERS": str(other)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (folder / "audited.html").read_text(encoding="utf-8")
    assert "NO-GO" in page
    assert "1 of 1 judged texts are wrong" in page
    assert json.loads((run / manifest.FILE_NAME).read_text(encoding="utf-8"))["apply"] == "allowed"
