import re
import socket
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from string import Template
from typing import Any

import pytest
from filled_workbench import Line, auto, fill

from parsers.confidence import ReliabilityBin
from parsers.types import Reason
from pipeline.errors import RunError
from pipeline.profile import profile
from pipeline.report import FILE_NAME, TOP_SHAPES, render_report, write
from pipeline.report_facts import ReportView, gather
from pipeline.report_words import Words
from pipeline.settings import Settings
from pipeline.suite_results import ExpectationResult, Status
from pipeline.suites import load_suite
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


def _result(law: str, status: Status, **more: Any) -> dict[str, Any]:
    return asdict(ExpectationResult(law, "expect_something", (), f"<i>{law}</i>", status, **more))


RESULTS = [
    _result("rows_accounted", Status.PASSED, checked=1, observed={"accounted": 9, "rows": 9}),
    _result("of_tomorrow", Status.FAILED, checked=1, unexpected=1, observed={"auto_share": 0.5}),
    _result("review_has_reason", Status.NOT_EVALUATED, error="KeyError"),
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


PASSED: dict[str, Any] = {"verdict": "passed", "suites": [{**FAILED["suites"][0], "results": RESULTS[:1]}]}


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
    assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "svg", "video", "audio"}
    ids = {value for name, value in page.values if name == "id"}
    for name, value in page.values:
        assert not name.startswith("on")
        assert name not in {"style", "srcset", "action", "background"}
        if name == "href":
            assert value.removeprefix("#") in ids
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
    assert len(Page(render_report(view)).all("img")) == 4


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


def _gates(page: Page) -> str:
    return page.text[page.text.index("The gates") : page.text.index("Where every row went")]


def test_a_refused_plan_names_every_failure(page: Page) -> None:
    assert "NO-GO The plan must not be applied" in page.text
    assert "✗ failed Expectations of the checks 1 of 3 passed" in _gates(page)
    assert "<i>of_tomorrow</i> auto_share = 0.5" in _gates(page)
    assert "REVIEW has a reason. could not be evaluated (KeyError)" in _gates(page)
    assert "Every row is accounted for." not in _gates(page)


def test_rows_settled_as_neither_half_do_not_wait(tmp_path: Path) -> None:
    lines = [Line("미정", 5, rule="reviewed", reason="placeholder"), Line("낮", 3, reason="ambiguous_word")]
    text = Page(render_report(_view(tmp_path, lines, PASSED))).text
    assert "leaves 3 to people" in text
    assert "Review 8 3 wait for a person, 5 are settled as neither half" in text


def test_a_share_missed_is_told_by_its_own_gate_alone(view: ReportView) -> None:
    missed = _result("enough_auto", Status.FAILED, checked=1, observed={"settled_share": 0.5})
    other = _result("ids_unique", Status.FAILED, checked=1, observed={"repeated_ids": 3})
    for results, broken in (([missed], []), ([missed, other], ["No two rows have the same id. repeated_ids = 3"])):
        checks = {"verdict": "failed", "suites": [{**FAILED["suites"][0], "results": [*results, RESULTS[0]]}]}
        gates = _gates(Page(render_report(replace(view, checks=checks))))
        assert "✗ failed Rows that wait for no person" in gates
        assert "wait for no person. settled_share" not in gates
        assert all(said in gates for said in broken)


def test_shows_checks_reasons_anomalies_and_provenance(page: Page) -> None:
    law = "Every row is accounted for: extracted = auto + review + already set."
    assert f"✓ passed {law} accounted = 9, rows = 9" in page.text
    assert "✗ failed <i>of_tomorrow</i> auto_share = 0.5" in page.text
    assert "? not evaluated REVIEW has a reason. could not be evaluated (KeyError)" in page.text
    assert "outside the clinic's hours outside_hours 300" in page.text
    assert "밤 300 Afternoon 20:00 0.92 outside the clinic's hours" in page.text
    assert "NULL 200" in page.text
    assert "empty 100" in page.text
    assert "no slot in this half of the day Saturday Afternoon 7" in page.text
    assert "timezone Asia/Seoul" in page.text


def test_an_expectation_found_what_the_check_found(view: ReportView) -> None:
    lines = [
        ExpectationResult("end_is_clock", "", (), "", Status.PASSED),
        ExpectationResult("end_is_clock", "", (), "", Status.PASSED, checked=1_200),
        ExpectationResult("end_is_clock", "", (), "", Status.FAILED, checked=1_200, unexpected=3, rows=4_500),
        ExpectationResult("enough_auto", "", (), "", Status.FAILED, checked=1, observed={"a": None, "b": 0.123456789}),
        ExpectationResult("enough_auto", "", (), "", Status.NOT_EVALUATED, error="KeyError"),
    ]
    suite = {**FAILED["suites"][0], "results": [asdict(line) for line in lines]}
    (told,) = Words.load("en").suites(replace(view, checks={"verdict": "failed", "suites": [suite]}))
    assert [line.found for line in told.lines] == [line.found for line in lines]


def test_every_expectation_of_a_run_is_told_as_its_suite_describes_it(view: ReportView) -> None:
    parameters = {**view.limits, "dispositions": "AUTO, REVIEW", "periods": "MORNING, AFTERNOON"}
    described = {
        expectation["meta"]["law"]: Template(expectation["description"]).substitute(parameters)
        for name in ("extracted", "decided", "planned")
        for expectation in load_suite(name)["expectations"]
    }
    laws = Words.load("en").say["checks"]["laws"]
    assert {law: said.format(**view.limits) for law, said in laws.items()} == described


def _names(words: Mapping[str, Any], above: str = "") -> set[str]:
    return {
        name
        for key, value in words.items()
        for name in (_names(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}"})
    }


def _places(words: Mapping[str, Any]) -> dict[str, set[str]]:
    return {
        name: set(re.findall(r"\{(\w+)\}", str(value))) for name, value in words.items() if not isinstance(value, dict)
    } | {name: places for value in words.values() if isinstance(value, dict) for name, places in _places(value).items()}


def test_both_languages_say_the_same_things() -> None:
    english, korean = (Words.load(language).say for language in ("en", "ko"))
    assert _names(english) == _names(korean)
    assert _places(english) == _places(korean)
    assert not [said for said in _said(korean) if "{" not in said and re.search(r"[a-z]{6,}", said)]


def _said(words: Mapping[str, Any]) -> Iterator[str]:
    for value in words.values():
        if isinstance(value, dict):
            yield from _said(value)
        else:
            yield from value if isinstance(value, list) else [value]


def test_speaks_korean(view: ReportView) -> None:
    html = render_report(view, "ko")
    text = Page(html).text
    assert html.startswith('<!DOCTYPE html>\n<html lang="ko">')
    for said in ("적용 불가", "밤 300 오후 20:00 0.92 진료 시간 밖의 시각", "토요일 오후 7", "시각 1,200"):
        assert said in text
    assert not re.search(r"Morning|Afternoon|Rows|Share|passed|failed", text[text.index("실행 보고서") :])


def test_shows_how_often_the_confidence_is_true(view: ReportView) -> None:
    measured = (ReliabilityBin(30, 0.8, 0.9), ReliabilityBin(10, 0.9, 0.9))
    html = render_report(replace(view, reliability=measured))
    assert "Measured on 40 labelled texts" in html
    assert "Expected calibration error: 0.0750." in html
    assert html != render_report(replace(view, reliability=measured[:1]))


def test_a_sound_plan_is_go(view: ReportView) -> None:
    page = Page(render_report(replace(view, checks=PASSED)))
    assert f"GO The plan may be applied: it writes {view.rows.auto:,} rows" in page.text
    assert "NO-GO" not in page.text
    assert "✗" not in _gates(page)


def test_a_plan_that_its_table_cannot_take_is_no_go_whatever_the_checks_say(view: ReportView) -> None:
    unwritable = "There is no column 'pe<b>riod' yet. Add it."
    page = Page(render_report(replace(view, checks=PASSED, unwritable=unwritable)))
    assert f"✗ failed Table ready for the plan {unwritable}" in _gates(page)
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


def test_every_reason_is_explained() -> None:
    for language in ("en", "ko"):
        assert set(Words.load(language).say["reasons"]) == {reason.value for reason in Reason}


def test_writes_the_file(tmp_path: Path, view: ReportView, html: str) -> None:
    path = tmp_path / FILE_NAME
    assert write(view, path) == path
    assert path.read_text(encoding="utf-8") == html
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RunError, match="could not be written"):
        write(view, tmp_path / "missing" / FILE_NAME)
