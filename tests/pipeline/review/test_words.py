"""What the page says: every language says everything, nothing is said that is nowhere shown."""

import re
import tomllib
from importlib import resources
from typing import Any

import pytest

from parsers import Reason
from pipeline.answers import Verdict
from pipeline.review.page import _SCRIPTS, LANGUAGES
from pipeline.review.pieces import _PREFIXES

TEMPLATES = resources.files("pipeline") / "templates"
PAGE, STYLE = ((TEMPLATES / f"triage.{kind}").read_text(encoding="utf-8") for kind in ("html.j2", "css"))
SCRIPT = "".join(file.read_text(encoding="utf-8") for file in (TEMPLATES / "triage").iterdir())


def words(language: str) -> dict[str, str]:
    return flat(tomllib.loads((TEMPLATES / f"triage.{language}.toml").read_text(encoding="utf-8")))


def flat(table: dict[str, Any], within: str = "") -> dict[str, str]:
    said: dict[str, str] = {}
    for name, value in table.items():
        said |= flat(value, f"{within}{name}.") if isinstance(value, dict) else {within + name: value}
    return said


def blanks(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", sentence))


def test_all_languages_say_the_same_things_about_the_same_values() -> None:
    ours = words("ko")
    for language in LANGUAGES:
        theirs = words(language)
        assert theirs.keys() == ours.keys()
        assert {name: blanks(said) for name, said in theirs.items()} == {
            name: blanks(said) for name, said in ours.items()
        }
        assert all(said.strip() for said in theirs.values())


@pytest.mark.parametrize("name", sorted(words("ko")))
def test_everything_said_is_shown_somewhere(name: str) -> None:
    section, _, last = name.rpartition(".")
    if section in {"script.verdicts", "script.kinds", "filter", "keys"}:
        return  # shown by their values
    assert (
        f"say.{last}" in SCRIPT
        if section == "script"
        else re.search(rf"(say|other)\.{re.escape(name)}\b|\"\]\.{last}\b", PAGE)
    )


def test_every_script_of_the_page_is_in_it() -> None:
    assert {f"{name}.js" for name in _SCRIPTS} == {file.name for file in (TEMPLATES / "triage").iterdir()}


def test_every_verdict_kind_and_reason_has_its_words() -> None:
    for language, reasons in LANGUAGES.items():
        said = words(language)
        assert set(reasons) == set(Reason)
        assert {f"script.verdicts.{verdict}" for verdict in Verdict} <= said.keys()
        assert {f"script.kinds.{kind}" for kind in {*_PREFIXES.values(), "word", "sign"}} <= said.keys()


def test_the_page_asks_nobody_else_and_runs_nothing_from_its_texts() -> None:
    for source in (PAGE, SCRIPT, STYLE):
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", SCRIPT)
    assert not re.search(r"\son\w+=", PAGE)
    assert STYLE.index('"Malgun Gothic"') < STYLE.index("system-ui")
