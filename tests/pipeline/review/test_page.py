"""The triage page as a reviewer uses it: a real browser, a real server, a real store."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import keep
from playwright.sync_api import Browser, BrowserContext, Page, expect
from served_page import Served, serving
from waiting_run import make_run

from pipeline.answers import Purpose, Verdict, open_answers

# Two groups (the hours 8 and 7), then texts that stand alone; the largest group comes first.
EIGHTS = ["8시", "8시쯤", "8시요"]
TEXTS: list[tuple[str | None, int]] = [
    ("8시", 90), ("8시쯤", 30), ("8시요", 20), ("7시", 40), ("7시쯤", 10), ("미정", 35), ("10시 이후", 22),
    ("아무때나", 17), ("오휴 3시", 9), ("보톡스 오후 2시", 5), (None, 4), ("", 2),
]  # fmt: skip
HOSTILE = [
    "<script>document.title='owned'</script> 3시",
    "<img src=x onerror=\"document.title='owned'\"> 3시",
    '=HYPERLINK("http://evil.invalid","오후")',
    "오후\u202e3시 \u2066메롱",
    "\x1b[31m빨강\x07\x7f 3시",
    "{{ 7 * 7 }}</script><!--",
    "가" * 200,
    "나다 " * 90,
    "javascript:alert(1)",
    "__proto__",
    "Z\u0301\u0302\u0303\u0304\u0305 3시",
]
# What a browser says of a server that is gone.
GONE = tuple(
    f"net::ERR_{why}" for why in ("CONNECTION_REFUSED", "CONNECTION_RESET", "EMPTY_RESPONSE", "CONTENT_LENGTH_MISMATCH")
)
KEYS = {"m": Verdict.MORNING, "a": Verdict.AFTERNOON, "n": Verdict.NEITHER}


# The machine may be busy with other tests.
expect.set_options(timeout=15_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs", TEXTS)


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    with serving(folder) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile that must not complain in its console; ``allowed`` are complaints a test provokes."""
    complaints: list[str] = []
    with browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 900}) as fresh:
        fresh.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        fresh.on("weberror", lambda error: complaints.append(str(error.error)))
        fresh.allowed = ()  # type: ignore[attr-defined]
        fresh.set_default_timeout(15_000)
        yield fresh
        assert [said for said in complaints if not said.endswith(fresh.allowed)] == []  # type: ignore[attr-defined]


@pytest.fixture
def page(context: BrowserContext, served: Served) -> Page:
    return enter(context, served)


def enter(context: BrowserContext, served: Served, name: str = "접수1") -> Page:
    page = context.new_page()
    page.goto(served.address)
    if name:
        page.get_by_label("이름").fill(name)
        page.keyboard.press("Enter")
    expect(page.locator("#name")).to_be_hidden()
    return ready(page)


def ready(page: Page) -> Page:
    expect(page.locator("#loading")).to_be_hidden()
    return page


def shown(page: Page) -> str:
    return page.locator("#text").inner_text()


def press(page: Page, key: str, saved: str = "저장됨") -> None:
    """Press a key and wait until the page says what came of it."""
    page.evaluate("document.getElementById('status').textContent = ''")
    page.keyboard.press(key)
    expect(page.locator("#status")).to_contain_text(saved)


def raw(words: str) -> str | None:
    return {"(값 없음)": None, "(빈 글)": ""}.get(words, words)


def test_a_whole_run_is_settled_by_keyboard_with_a_reload_in_the_middle(page: Page, served: Served) -> None:
    told: dict[str | None, Verdict] = {}
    for turn, wanted in enumerate(["m", "a", "n"] * 4):
        if turn == 5:
            before = shown(page)
            page.reload()
            expect(page.locator("#text")).to_have_text(before)
            expect(page.locator("#bar-words")).to_contain_text("5 / 12개 글")
        text = raw(shown(page))
        key = "n" if text is None else wanted  # a value that is not there has no half of the day
        press(page, key)
        told[text] = KEYS[key]
        assert {word: answer.verdict for word, answer in served.said().items()} == told
    expect(page.get_by_role("heading", name="모두 답했습니다")).to_be_focused()
    expect(page.locator("#bar-words")).to_have_text("12 / 12개 글 · 예약 284 / 284건")
    assert set(told) == {text for text, _ in TEXTS}
    assert {answer.reviewer for answer in served.said().values()} == {"접수1"}
    keep(page, "triage-finished")


def test_the_same_answer_goes_to_texts_like_it_but_for_those_left_out(page: Page, served: Served) -> None:
    assert shown(page) == "8시"
    siblings = page.locator("#alike li")
    expect(siblings).to_have_text(["8시쯤30", "8시요20"])
    page.keyboard.press("g")
    expect(page.locator("#status")).to_have_text("비슷한 글 2개에도 같은 답을 합니다.")
    siblings.filter(has_text="8시요").get_by_role("checkbox").uncheck()
    expect(page.get_by_label("같은 답을 이 1개에도")).to_be_checked()
    keep(page, "triage-together")
    press(page, "m", "저장됨: “8시” 외 1개 → 오전")
    assert {text: answer.verdict for text, answer in served.said().items()} == dict.fromkeys(
        ["8시", "8시쯤"], "MORNING"
    )
    assert shown(page) == "8시요"
    press(page, "u", "되돌림: “8시” 외 1개")
    assert served.said() == {}
    assert shown(page) == "8시"


def test_undo_withdraws_what_this_window_answered_even_after_a_reload(page: Page, served: Served) -> None:
    press(page, "a")
    press(page, "n")
    page.reload()
    press(ready(page), "u", "되돌림: “8시쯤”")
    press(page, "u", "되돌림: “8시”")
    press(page, "u", "되돌릴 답이 없습니다")
    with open_answers(served.store) as answers:
        assert [word.verdict for word in answers.history("8시")] == ["AFTERNOON", "WITHDRAWN"]
        assert [word.verdict for word in answers.history("8시쯤")] == ["NEITHER", "WITHDRAWN"]
        assert answers.current() == []
    expect(page.locator("#bar-words")).to_contain_text("0 / 12개 글")


def test_a_korean_input_method_is_no_obstacle_and_typing_is_no_answer(page: Page, served: Served) -> None:
    strike = "([code, key, composing]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', \
        {code, key, isComposing: composing, keyCode: 229, bubbles: true, cancelable: true}))"
    page.evaluate(strike, ["KeyM", "ㅡ", False])
    expect(page.locator("#status")).to_contain_text("저장됨: “8시” → 오전")
    page.evaluate(strike, ["KeyA", "ㅁ", True])
    page.get_by_label("메모").fill("")
    page.get_by_label("메모").press_sequentially("man/u 전화로 물음")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    assert list(served.said()) == ["8시"]
    press(page, "a")
    assert served.said()["8시쯤"].note == "man/u 전화로 물음"


def test_a_key_held_down_answers_once(page: Page, served: Served) -> None:
    page.keyboard.down("m")
    expect(page.locator("#status")).to_contain_text("저장됨")
    for _ in range(3):
        page.keyboard.down("m")  # as a keyboard repeats it
        page.wait_for_timeout(100)
    page.keyboard.up("m")
    assert list(served.said()) == ["8시"]


def test_single_letter_keys_can_be_switched_off(page: Page, served: Served) -> None:
    page.keyboard.press("?")
    page.get_by_label("한 글자 글쇠 쓰기").uncheck()
    page.get_by_role("button", name="닫기").click()
    page.keyboard.press("m")
    page.reload()
    ready(page).keyboard.press("m")
    page.get_by_role("button", name="오후").click()
    expect(page.locator("#status")).to_contain_text("저장됨: “8시” → 오후")
    assert [answer.verdict for answer in served.said().values()] == ["AFTERNOON"]


def test_skipped_texts_come_back_when_nothing_else_is_left(page: Page) -> None:
    page.keyboard.press("s")
    expect(page.locator("#text")).to_have_text("8시쯤")
    for _ in range(11):
        press(page, "n")
    expect(page.locator("#text")).to_have_text("8시")


def test_search_finds_and_opens_and_the_list_knows_open_and_done(page: Page) -> None:
    press(page, "m")
    page.keyboard.press("/")
    expect(page.get_by_label("찾기")).to_be_focused()
    page.keyboard.type("보톡")
    expect(page.locator("#lines tr")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_text("보톡스 오후 2시")
    page.keyboard.press("l")
    page.get_by_label("찾기").fill("")
    page.get_by_role("button", name="답한 글 1").click()
    expect(page.locator("#lines tr")).to_have_text(["8시90오전인지 오후인지 정할 수 없는 시각오전접수1 오전"])
    keep(page, "triage-list")
    page.get_by_role("button", name="8시").click()
    expect(page.locator("#stands")).to_have_text("답: 접수1 오전")
    page.get_by_role("button", name="내 답 거두기").click()
    expect(page.locator("#status")).to_have_text("되돌림: “8시”")


def test_a_text_answered_in_another_tab_shows_as_such(context: BrowserContext, page: Page, served: Served) -> None:
    other = context.new_page()
    other.goto(served.origin)
    expect(other.locator("#text")).to_have_text("8시")
    press(page, "m")
    expect(other.locator("#stands")).to_have_text("다른 곳에서 이 글에 답했습니다: 접수1 오전")
    expect(other.locator("#bar-words")).to_contain_text("1 / 12개 글")
    press(other, "a")  # having seen it, the reviewer may still think otherwise
    assert served.said()["8시"].verdict == "AFTERNOON"


def test_an_answer_to_what_changed_unseen_is_not_taken(context: BrowserContext, page: Page, served: Served) -> None:
    other = context.new_page()
    other.route("**/api/said*", lambda route: route.abort())
    other.add_init_script("window.BroadcastChannel = class { postMessage() {} }")
    context.allowed = ("(Conflict)", "net::ERR_FAILED")  # type: ignore[attr-defined]
    other.goto(served.origin)
    ready(other).keyboard.press("g")
    press(page, "m")
    press(other, "a", "저장하지 않았습니다. 그사이 글 1개의 답이 바뀌었습니다")
    assert {text: answer.verdict for text, answer in served.said().items()} == {"8시": "MORNING"}
    expect(other.locator("#stands")).to_contain_text("접수1 오전")


def test_reviewers_who_differ_are_both_kept_and_shown(browser: Browser, page: Page, folder: Path) -> None:
    press(page, "m")
    with serving(folder) as another, browser.new_context() as profile:
        colleague = enter(profile, another, "접수2")
        assert shown(colleague) == "8시쯤"  # what somebody has answered is not asked again
        colleague.keyboard.press("l")
        colleague.get_by_role("button", name="답한 글").click()
        colleague.get_by_role("button", name="8시").click()
        press(colleague, "a")
        colleague.keyboard.press("l")
        colleague.get_by_role("button", name="의견이 다른 글 1").click()
        expect(colleague.locator("#lines tr")).to_contain_text("접수1 오전, 접수2 오후")
    with open_answers(folder.parent / "answers.sqlite") as answers:
        assert {word.reviewer: word.verdict for word in answers.conflicts()["8시"]} == {
            "접수1": "MORNING",
            "접수2": "AFTERNOON",
        }


def test_the_name_is_asked_once_for_all_runs_of_the_server(context: BrowserContext, page: Page, folder: Path) -> None:
    press(page, "m")
    with serving(folder) as another:
        again = enter(context, another, name="")
        expect(again.get_by_role("button", name="검토자 접수1")).to_be_visible()
        press(again, "a")
        assert {answer.reviewer for answer in another.said().values()} == {"접수1"}


def test_who_sits_down_at_the_browser_is_known_in_all_its_tabs(
    context: BrowserContext, page: Page, served: Served
) -> None:
    other = context.new_page()
    other.goto(served.origin)
    other.get_by_role("button", name="검토자 접수1").click()
    other.get_by_label("이름").fill("접수2")
    other.keyboard.press("Enter")
    expect(page.get_by_role("button", name="검토자 접수2")).to_be_visible()
    press(page, "m")
    assert served.said()["8시"].reviewer == "접수2"


def test_an_unusable_name_is_refused_in_words(context: BrowserContext, served: Served) -> None:
    context.allowed = ("(Unprocessable Entity)", "(Unprocessable Content)")  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(served.address)
    page.get_by_label("이름").fill("   ")
    page.keyboard.press("Enter")
    expect(page.locator("#name-wrong")).to_contain_text("1~100자")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.get_by_label("이름")).to_be_focused()  # no answer without a name
    assert not served.store.exists() or served.said() == {}


def test_what_the_server_did_not_save_is_said_kept_and_saved_when_it_is_back(
    context: BrowserContext, page: Page, served: Served, folder: Path
) -> None:
    context.allowed = (*GONE, "(Forbidden)")  # type: ignore[attr-defined]
    press(page, "m")
    served.kill()
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("아직 저장하지 못했습니다: “8시쯤” → 오후")
    expect(page.locator("#status")).not_to_contain_text("저장됨")
    assert {text: answer.verdict for text, answer in served.said().items()} == {"8시": "MORNING"}
    keep(page, "triage-server-gone")
    with serving(folder, "--port", str(served.port)) as back:
        page.get_by_role("button", name="지금 다시 시도").click()
        expect(page.get_by_role("alert")).to_contain_text("터미널에 새로 나온 주소")
        page.on("dialog", lambda dialog: dialog.accept())  # the browser asks: something is unsaved
        page.goto(back.address)
        expect(page.locator("#status")).to_contain_text("저장됨: “8시쯤” → 오후")
        assert {text: answer.verdict for text, answer in back.said().items()} == {
            "8시": "MORNING",
            "8시쯤": "AFTERNOON",
        }


def test_a_server_that_hangs_is_waited_for(page: Page, served: Served) -> None:
    served.signal(signal.SIGSTOP)
    page.keyboard.press("m")
    expect(page.locator("#status")).to_have_text("저장하는 중…")
    page.wait_for_timeout(300)
    expect(page.locator("#status")).to_have_text("저장하는 중…")
    page.keyboard.press("a")  # nothing is answered over what is not yet saved
    served.signal(signal.SIGCONT)
    expect(page.locator("#status")).to_contain_text("저장됨: “8시” → 오전")
    with open_answers(served.store) as answers:
        assert [word.verdict for word in answers.history("8시")] == ["MORNING"]


def test_a_server_killed_right_after_saved_has_kept_the_answer(page: Page, served: Served) -> None:
    for key in "man":
        press(page, key)
        last = page.locator("#status").inner_text()
    served.kill()
    assert last == "저장됨: “8시요” → 둘 다 아님"
    assert [served.said()[text].verdict for text in EIGHTS] == ["MORNING", "AFTERNOON", "NEITHER"]
    page.context.allowed = GONE  # type: ignore[attr-defined]


def test_hostile_texts_are_shown_and_do_nothing(context: BrowserContext, tmp_path: Path) -> None:
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    with serving(make_run(tmp_path / "hostile", HOSTILE)) as served:
        page = enter(context, served, "<b>접수</b>&\"'")
        for _ in HOSTILE:
            expect(page.locator("#pieces li").first).to_be_visible()
            assert "\u202e" not in page.content()
            assert "\x1b" not in page.content()
            press(page, "n")
        page.keyboard.press("l")
        page.get_by_role("button", name="모두").click()
        expect(page.locator("#lines tr")).to_have_count(len(HOSTILE))
        words = page.locator("#lines").inner_text()
        assert "<script>document.title='owned'</script> 3시" in words
        assert '=HYPERLINK("http://evil.invalid","오후")' in words
        assert "오후⟨U+202E⟩3시" in words
        assert "⟨U+001B⟩[31m빨강" in words
        expect(page).to_have_title("희망 시간 검토 · ojeon")
        assert set(served.said()) == set(HOSTILE)
        assert {answer.reviewer for answer in served.said().values()} == {"<b>접수</b>&\"'"}
        keep(page, "triage-hostile")
    assert [url for url in requests if not url.startswith((served.origin, "data:"))] == []


def test_the_audit_is_blind(context: BrowserContext, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "runs", [("오후 3시", 9), ("9:30", 5), ("오전", 2), ("8시", 4)], audit=True)
    heard: list[str] = []
    context.on("response", lambda response: heard.append(response.text()) if "/api/" in response.url else None)
    with serving(folder, "--audit") as served:
        page = enter(context, served)
        expect(page.locator("#bar-words")).to_have_text("0 / 3개 글")
        keep(page, "triage-audit")
        for _ in range(3):
            press(page, "a")
        told = served.said()
    assert set(told) == {"오후 3시", "9:30", "오전"}
    assert {answer.purpose for answer in told.values()} == {Purpose.AUDIT}
    texts = next(json.loads(said) for said in heard if '"texts"' in said)["texts"]
    assert {name for text in texts for name in text} == {"key", "text", "group"}
    assert "suggestion" not in "".join(heard)
    assert "pieces" not in "".join(heard)


def test_the_audit_does_not_tell_what_others_said(browser: Browser, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "runs", [("오후 3시", 9)], audit=True)
    with serving(folder, "--audit") as served, browser.new_context() as first:
        press(enter(first, served), "m")
    with serving(folder, "--audit") as served, browser.new_context() as second:
        page = enter(second, served, "접수2")
        page.keyboard.press("l")
        page.get_by_role("button", name="모두").click()
        expect(page.locator("#lines tr")).to_have_text(["오후 3시접수1 님이 답함"])


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_nothing_needs_sideways_scrolling(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 450})
    for view in ("one", "list"):
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, view
        page.keyboard.press("l")
    keep(page, f"triage-{width}", whole=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_no_barriers_are_found_in_any_view(browser: Browser, tmp_path: Path, lang: str, scheme: str) -> None:
    # The page forbids what axe does with the document; a profile without that policy lets it look.
    settings = {"bypass_csp": True, "reduced_motion": "reduce", "color_scheme": scheme}
    folder = make_run(tmp_path / "runs", [*TEXTS, "나다 " * 300])
    with serving(folder, "--lang", lang) as served, browser.new_context(**settings) as profile:
        page = profile.new_page()
        page.goto(served.address)
        found = {"name": violations(page)}
        page.locator("#name-field").fill("reviewer-1")
        page.keyboard.press("Enter")
        expect(page.locator("#pieces li").first).to_be_visible()
        found["one"] = violations(page)
        keep(page, f"triage-{lang}-{scheme}", whole=True)
        page.keyboard.press("g")
        found["together"] = violations(page)
        press(page, "m", "8시")
        found["saved"] = violations(page)
        page.keyboard.press("/")
        page.keyboard.type("나다")
        page.keyboard.press("Enter")
        expect(page.locator("#text[data-size=long]")).to_be_visible()
        found["long"] = violations(page)
        page.keyboard.press("?")
        found["help"] = violations(page)
        page.keyboard.press("Escape")
        page.keyboard.press("l")
        page.locator("#search").fill("")
        found["list"] = violations(page)
        page.locator("[data-filter=done]").click()
        found["done"] = violations(page)
        page.locator("#lines button").first.click()
        found["answered"] = violations(page)
        served.kill()
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).not_to_be_empty()
        found["alarm"] = violations(page)
    assert [barrier for barriers in found.values() for barrier in barriers] == []


def violations(page: Page) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [f"{found['id']}: {node['html'][:120]}" for found in results for node in found["nodes"]]
