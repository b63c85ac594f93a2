"""Languages are left out only where the date library, asked in all of them, would say the same."""

import re
from collections.abc import Iterator

import pytest
from dateparser.date import sanitize_date
from dateparser.languages.loader import default_loader
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.formatters import formatted
from parsers.clean import clean
from parsers.foreign import _LETTERS, _OFFSET, LANGUAGES, _spelled, minute_in, minute_of, readers

ZONE = "Asia/Seoul"
LOCALES = list(default_loader.get_locales(languages=LANGUAGES))
PRINTED = sorted({clean(text.text) for text in formatted() if text.reason == "fallback_only"})


def strings(data: object) -> Iterator[str]:
    """Every word and pattern of a language's data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from (entry for part in data.items() for entry in strings(list(part)))
    elif isinstance(data, list):
        yield from (entry for part in data for entry in strings(part))


OWN = {
    locale.shortname: {run for word in strings(locale.info) for run in _LETTERS.findall(_spelled(word))}
    for locale in LOCALES
}
WORDS = sorted({word for locale in LOCALES for word in strings(locale.info) if len(word) < 20})
clocks = st.sampled_from(["15:00", "9.30", "14h30", "7:45:10", "3", "28", "2026", "1:00 pm", "on: 3:00", "15"])
zones = st.sampled_from(["gmt+9", "utc", "est", "+0900", "gmt+0900", "gmt+09:30", "kst", "(cdt)", "z"])
unknown = st.sampled_from(["xyz", "botox", "and", "ž", "t", "e", "p.m.", "።", "፩", "é", "ı"])
texts = st.lists(st.sampled_from(WORDS) | clocks | zones | unknown, min_size=2, max_size=5)


# One for each way a word may be of a language without being in its list: a pattern's, an ordinal, a letter's variant,
# a time zone, and what an offset swallows.
@example("zwei dezember 15:00")
@example("12. midi")
@example("15:00 2nd")
@example("15:00 یناير")
@example("15:00 est")
@example("15:00pm")
@example("15:00 pm +++ pm")
@example("15:00 uhrgmt+9")
@example("15:00 gmt+0900 xyz")
@given(texts.flatmap(lambda parts: st.sampled_from(["", " ", ", "]).map(lambda gap: clean(gap.join(parts)))))
def test_the_answer_is_that_of_all_languages_with_a_word_in_the_text(text: str):
    assert minute_of(text, ZONE) == answer_of_all(text)


def answer_of_all(text: str) -> int | None:
    """The library's answer, asked in all languages of which a word stands in the text that is not everybody's."""
    runs = set(_LETTERS.findall(_spelled(_OFFSET.sub("", sanitize_date(text))))) - {"am", "pm"}
    speaking = tuple(language for language in LANGUAGES if not OWN[language].isdisjoint(runs))
    return minute_in(speaking, text, ZONE) if speaking else None


def test_the_answer_to_what_formatters_print_is_that_of_all_languages():
    answers = {text: minute_of(text, ZONE) for text in PRINTED[::20]}
    assert any(answers.values())
    assert answers == {text: answer_of_all(text) for text in answers}


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.shortname)
def test_no_pattern_of_a_language_matches_letters_it_does_not_name(locale):
    patterns = [pattern for some in locale.info["relative-type-regex"].values() for pattern in some]
    patterns += [pattern for rule in locale.info.get("simplifications", []) for pattern in rule]
    for pattern in patterns:
        plain = re.sub(r"\\[dsb]|\[\^?(?:\\[dsW]|[\w.,' -])*\]", "", pattern)
        assert not re.search(r"\.|\\|\[", plain), pattern
    assert patterns


def test_most_strange_words_are_never_asked_about():
    assert readers("15:00 botox") == ()
    assert readers("wtorek, 4 listopada 2025 21:15") == ()


def test_a_zone_is_a_word_of_no_language():
    assert readers("15:00 kst") == ()
    assert minute_of("9 set 2026, 07:00", ZONE) == 7 * 60  # September in Italy, a zone nowhere asked about
