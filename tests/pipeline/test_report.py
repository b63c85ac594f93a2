import re
import socket
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from filled_workbench import Line, auto, fill

from parsers.confidence import ReliabilityBin
from parsers.types import Reason
from pipeline.errors import RunError
from pipeline.profile import profile
from pipeline.report import FILE_NAME, TOP_SHAPES, render_report, write
from pipeline.report_facts import ReportView, gather
from pipeline.settings import Settings
from pipeline.visible import is_unseen
from pipeline.workbench import open_workbench

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "</td></table></style><style>*{display:none}</style>",
    "<!-- ",
    "<![CDATA[",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &#x1F600; &nbsp;",
    '=HYPERLINK("http://evil.example","x")',
    "오후\u202e3시\u2066",
    "\x1b[31m빨강\x0c",
]
RESULTS = [
    {"expected": "Every row is accounted for.", "found": "accounted = 9, rows = 9", "status": "passed"},
    {"expected": "At least 0.95 are <b>decided</b>.", "found": "auto_share = 0.5", "status": "failed"},
    {"expected": "REVIEW has a reason.", "found": "could not be evaluated (KeyError)", "status": "not evaluated"},
]
FAILED: dict[str, Any] = {
    "verdict": "failed",
    "suites": [{"name": "planned", "passed": False, "lines": 1, "results": RESULTS}],
}
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """A page's elements, attributes and words; refuses tags that do not close what is open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def values(self) -> Iterator[tuple[str, str]]:
        for _, attributes in self.elements:
            yield from attributes.items()


def _view(folder: Path, lines: Iterable[Line], checks: dict[str, Any] | None = FAILED) -> ReportView:
    folder.mkdir(exist_ok=True)
    with open_workbench(folder) as workbench:
        fill(workbench, lines)
        profile(workbench)
        return gather(workbench, Settings(), "20251130-101207-4f2a", checks)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> ReportView:
    lines = [
        auto("09:30", 1_200, "MORNING", "09:30"),
        auto("오후 3시", 800, "AFTERNOON", "15:00", already_set=20),
        auto("토요일 오후", 7, "AFTERNOON", date="2025-11-01"),
        Line("김하늘님 010-1234-5678 kim@mail.example", 400, reason="no_time"),
        Line("밤", 300, period="AFTERNOON", start="20:00", confidence=0.92, reason="outside_hours"),
        Line(None, 200, reason="empty"),
        Line("", 100, reason="empty"),
        *(Line(text, 50 - place, rule=text) for place, text in enumerate(HOSTILE)),
    ]
    return _view(tmp_path_factory.mktemp("run"), lines)


@pytest.fixture(scope="module")
def html(view: ReportView) -> str:
    return render_report(view)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_runs_nothing_and_loads_nothing(html: str, page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "svg", "a", "video", "audio"}
    for name, value in page.values:
        assert not name.startswith("on")
        assert name not in {"style", "srcset", "href", "action", "background"}
        assert "://" not in value
        if name == "src":
            assert value.startswith("data:image/svg+xml;base64,")
    assert "url(" not in html
    assert "@import" not in html


def test_policy_allows_its_own_style_and_data_images_only(html: str, page: Page) -> None:
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert html.index("Content-Security-Policy") < html.index("<style>") < html.index("<body>")


def test_draws_without_a_network(view: ReportView, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the report reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(Page(render_report(view)).all("img")) == 6


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable()])
def test_a_hostile_text_is_shown_as_it_stands(page: Page, text: str) -> None:
    assert text.strip() in page.text or text in "".join(page.words)


def test_what_cannot_be_seen_is_spelled_out(html: str, page: Page) -> None:
    assert "오후⟨U+202E⟩3시⟨U+2066⟩" in page.text
    assert "⟨U+001B⟩[31m빨강⟨U+000C⟩" in page.text
    assert not [char for char in html if is_unseen(char) and char != "\n"]


def test_personal_data_is_masked_everywhere(html: str) -> None:
    drawn = [b64decode(data).decode() for data in re.findall(r"base64,([^\"]+)\"", html)]
    for place in (html, *drawn):
        assert not re.search(r"김하늘|1234|kim@", place)
    assert f"••• 님 {'•' * 13}" in html or f"•••님 {'•' * 13}" in html


def test_says_where_every_row_went(page: Page, view: ReportView) -> None:
    rows = view.rows
    assert rows.balanced
    assert f"Extracted {rows.extracted:,}" in page.text
    assert f"= Auto {rows.auto:,}" in page.text
    assert f"+ Review {rows.review:,}" in page.text
    assert f"+ Already set {rows.already_set:,}" in page.text


def test_a_refused_plan_names_every_failure(page: Page) -> None:
    assert "NO-GO The plan must not be applied." in page.text
    banner = page.text[page.text.index("NO-GO The") : page.text.index("Where every row went")]
    assert "At least 0.95 are <b>decided</b>. auto_share = 0.5" in banner
    assert "could not be evaluated (KeyError)" in banner
    assert "accounted for" not in banner


def test_shows_checks_reasons_anomalies_and_provenance(page: Page) -> None:
    assert "✓ passed Every row is accounted for. accounted = 9, rows = 9" in page.text
    assert "✗ failed At least 0.95" in page.text
    assert "? not evaluated REVIEW has a reason." in page.text
    assert "outside_hours outside the clinic's hours 300" in page.text
    assert "밤 300 AFTERNOON 20:00 0.92 outside_hours" in page.text
    assert "NULL 200" in page.text
    assert "empty 100" in page.text
    assert "no slot in this half of the day Saturday AFTERNOON 7" in page.text
    assert "timezone Asia/Seoul" in page.text


def test_shows_how_often_the_confidence_is_true(view: ReportView) -> None:
    measured = (ReliabilityBin(30, 0.8, 0.9), ReliabilityBin(10, 0.9, 0.9))
    html = render_report(replace(view, reliability=measured))
    assert "Measured on 40 labelled texts" in html
    assert "Expected calibration error: 0.0750." in html
    assert html != render_report(replace(view, reliability=measured[:1]))


def test_a_sound_plan_is_go(view: ReportView) -> None:
    checks = {"verdict": "passed", "suites": [{**FAILED["suites"][0], "results": RESULTS[:1]}]}
    text = Page(render_report(replace(view, checks=checks))).text
    assert f"GO The plan may be applied: it writes {view.rows.auto:,} rows" in text
    assert "NO-GO" not in text


def test_a_plan_that_its_table_cannot_take_is_no_go_whatever_the_checks_say(view: ReportView) -> None:
    checks = {"verdict": "passed", "suites": [{**FAILED["suites"][0], "results": RESULTS[:1]}]}
    unwritable = "There is no column 'pe<b>riod' yet. Add it."
    page = Page(render_report(replace(view, checks=checks, unwritable=unwritable)))
    banner = page.text[page.text.index("NO-GO The") : page.text.index("Where every row went")]
    assert banner.split("What stands against it:")[1].strip() == unwritable
    assert "GO The plan may" not in page.text


def test_rows_that_do_not_add_up_are_an_alarm(view: ReportView) -> None:
    checks = {"verdict": "passed", "suites": []}
    broken = replace(view, checks=checks, rows=replace(view.rows, undecided=5))
    text = Page(render_report(broken)).text
    assert "NO-GO" in text
    assert "These do not add up: 5 rows" in text


def test_an_unchecked_plan_says_so(view: ReportView) -> None:
    assert "NOT CHECKED" in Page(render_report(replace(view, checks=None))).text


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    page = Page(render_report(_view(tmp_path, [])))
    assert "Extracted 0" in page.text
    assert page.all("img") == []


def test_a_table_of_nulls_has_a_report(tmp_path: Path) -> None:
    text = Page(render_report(_view(tmp_path, [Line(None, 5, reason="empty")]))).text
    assert "(null) 5 100.0% 1 0.0%" in text


def test_many_texts_stay_few_lines_that_still_add_up(tmp_path: Path) -> None:
    lines = [Line(f"{'-' * (number % 7)}{'!?.,/+'[number % 6]}가 {number}") for number in range(5_000)]
    view = _view(tmp_path, lines)
    html = render_report(view)
    assert len(html.encode()) < 150_000
    rest = sum(shape.rows for shape in view.profile.by_pattern[TOP_SHAPES:])
    left = len(view.profile.by_pattern) - TOP_SHAPES
    assert f"{left:,} more shapes {rest:,}" in Page(html).text


def test_every_reason_is_explained(view: ReportView) -> None:
    reasons = tuple(replace(view.reasons[0], reason=reason.value) for reason in Reason)
    html = render_report(replace(view, reasons=reasons))
    explained = re.findall(r'<td class="name">(\w+)</td><td class="soft">([^<]+)</td>', html)
    assert [reason for reason, _ in explained] == [reason.value for reason in Reason]


def test_writes_the_file(tmp_path: Path, view: ReportView, html: str) -> None:
    assert write(view, tmp_path) == tmp_path / FILE_NAME
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == html
    with pytest.raises(RunError, match="could not be written"):
        write(view, tmp_path / "missing")
