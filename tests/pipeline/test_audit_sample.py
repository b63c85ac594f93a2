"""What is drawn: every rule, its share of the draws, each row with the same chance, the same again for the same run."""

from collections import Counter
from itertools import groupby
from random import Random

import duckdb
import pytest
from filled_workbench import Line, auto, fill
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audit_bound import draws_needed
from pipeline.audit_sample import FACT, Sampled, draw, drawn, read
from pipeline.errors import RunError
from pipeline.facts import read_facts
from pipeline.workbench import SCHEMA

RUN = "20261123-101500-3f2a"


def population_of(rules):
    """``rules`` holds, for each rule, the rows of each of its texts."""
    return [
        Sampled(f"text {number}.{place}", f"rule {number:03}", "MORNING", rows, 0)
        for number, texts in enumerate(rules)
        for place, rows in enumerate(texts)
    ]


def of_rules(lines, value):
    counts = Counter()
    for line in lines:
        counts[line.rule] += value(line)
    return counts


populations = st.lists(
    st.lists(st.integers(1, 300) | st.integers(1, 5), min_size=1, max_size=12), min_size=1, max_size=8
).map(population_of)
seeds = st.text(max_size=5)


@given(populations, st.integers(1, 400), seeds)
def test_the_laws_of_a_draw(population, draws, run_id):
    sample = drawn(population, draws, run_id)
    rows = sum(text.rows for text in population)
    assert sample.rows == rows
    assert sample.texts == len(population)
    assert sample.draws == min(draws, rows)
    assert len({line.raw for line in sample.lines}) == len(sample.lines)
    assert {line.rule for line in sample.lines} == {text.rule for text in population}
    for rule, rows_of_rule in of_rules(population, lambda text: text.rows).items():
        share = sample.draws * rows_of_rule / rows
        assert abs(of_rules(sample.lines, lambda line: line.draws)[rule] - share) < 2
    for line in sample.lines:
        assert line.draws == 0 or abs(line.draws - sample.draws * line.rows / rows) < 2
    # on top of the draws there is one text of each rule that got none, and of no other
    drawn_rules = {line.rule for line in sample.lines if line.draws}
    extra = [line.rule for line in sample.lines if not line.draws]
    assert len(set(extra)) == len(extra)
    assert not drawn_rules & set(extra)


@given(populations, st.integers(1, 400), seeds)
def test_a_run_draws_the_same_again(population, draws, run_id):
    assert drawn(population, draws, run_id) == drawn(population, draws, run_id)


@given(populations, st.integers(1, 5_000), seeds)
def test_no_more_rows_than_draws_are_a_census(population, draws, run_id):
    sample = drawn(population, draws, run_id)
    if sum(text.rows for text in population) <= draws:
        assert sample.is_census
        assert all(line.draws == line.rows for line in sample.lines)
    assert sample.is_census == (len(sample.lines) == len(population))


def test_another_run_draws_other_texts_in_another_order():
    population = population_of([[1] * 2_000])
    one, other = drawn(population, 50, "run-1"), drawn(population, 50, "run-2")
    assert {line.raw for line in one.lines} != {line.raw for line in other.lines}
    assert [line.raw for line in one.lines] != sorted(line.raw for line in one.lines)


def test_the_order_tells_neither_rule_nor_period():
    population = [
        Sampled(f"{rule} {number}", f"rule {rule}", ("MORNING", "AFTERNOON")[rule], 1, 0)
        for rule in range(2)
        for number in range(500)
    ]
    lines = drawn(population, 1_000, RUN).lines
    runs = sum(1 for _ in groupby(lines, lambda line: line.rule))
    assert runs == pytest.approx(501, abs=80)  # 500 of each at random: 501 runs, give or take 16


def test_every_row_has_the_same_chance():
    """Also those at the edges of slices that end inside a text, and those of the smallest rule."""
    population = population_of([[1, 7, 2], [30], [3, 3, 3, 3, 8], [1]])
    rows = sum(text.rows for text in population)
    drawn_in_all = Counter()
    for seed in range(3_000):
        for line in drawn(population, 17, f"run-{seed}").lines:
            drawn_in_all[line.raw] += line.draws
    for text in population:
        expected = 3_000 * 17 * text.rows / rows
        assert drawn_in_all[text.raw] == pytest.approx(expected, abs=5 * expected**0.5)


def test_a_rule_without_a_draw_shows_one_of_its_texts_by_rows():
    population = population_of([[1_000_000], [1, 9]])
    shown = Counter()
    for seed in range(1_000):
        sample = drawn(population, 10, f"run-{seed}")
        shown.update(line.raw for line in sample.lines if line.rule == "rule 001" and not line.draws)
    assert shown["text 1.0"] + shown["text 1.1"] > 990
    assert shown["text 1.1"] == pytest.approx(900, abs=50)


def share_that_passes(population, may_be_wrong, draws, runs, rate=0.02):
    """Of ``runs`` runs in which just more than ``rate`` of the rows are wrong, the share whose draws are all right."""
    chance = Random(len(population))  # noqa: S311 - repeatable
    wanted = rate * sum(text.rows for text in population)
    passed = 0
    for seed in range(runs):
        wrong, rows = set(), 0
        for text in chance.sample(may_be_wrong, len(may_be_wrong)):
            if rows > wanted:
                break
            wrong.add(text.raw)
            rows += text.rows
        assert rows > wanted
        sample = drawn(population, draws, f"run-{seed}")
        passed += not any(line.raw in wrong for line in sample.lines if line.draws)
    return passed / runs


SPREAD = population_of([[1] * 500, [1] * 300, [1] * 200])
UNEQUAL = population_of([[1, 2, 3, 4] * 50, [1, 9] * 40, [100]])


@pytest.mark.parametrize(
    ("population", "may_be_wrong"),
    [(SPREAD, SPREAD), (SPREAD, SPREAD[800:]), (UNEQUAL, UNEQUAL[:200]), (UNEQUAL, UNEQUAL[200:280])],
    ids=["anywhere", "in the smallest rule", "rare texts", "rare and frequent texts"],
)
def test_a_worse_run_passes_no_more_often_than_promised(population, may_be_wrong):
    """At a confidence of 95 % no more than 5 % of those that must fail may pass; 1,000 runs tell it to 0.7 %."""
    share = share_that_passes(population, may_be_wrong, draws_needed(0.02, 0.95), runs=1_000)
    assert share <= 0.05 + 2 * 0.007


def test_a_smaller_sample_would_not_keep_the_promise():
    """So the law above can fail."""
    assert share_that_passes(SPREAD, SPREAD, draws_needed(0.02, 0.95) * 2 // 3, runs=300) > 0.08


@pytest.fixture
def workbench():
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


LINES = [
    auto("오전 10시", 8, "MORNING", already_set=3),
    auto("14:00", 2, "AFTERNOON", already_set=2),
    auto("오후", 40, "AFTERNOON", rule="afternoon_word"),
    auto("8시", 90, "MORNING", rule="reviewed"),
    Line("아무때나", 70),
    Line(None, 4),
]


def test_the_population_is_what_the_run_would_fill(workbench):
    fill(workbench, LINES)
    sample = draw(workbench, RUN, 0.001, 0.95)
    assert (sample.rows, sample.texts, sample.is_census) == (135, 3, True)
    assert {(line.raw, line.rule, line.period, line.rows, line.draws) for line in sample.lines} == {
        ("오전 10시", "clock", "MORNING", 5, 5),
        ("오후", "afternoon_word", "AFTERNOON", 40, 40),
        ("8시", "reviewed", "MORNING", 90, 90),
    }
    assert {line.raw for line in sample.asked} == {"오전 10시", "오후"}


def test_rules_are_gathered_however_their_texts_are_spelled(workbench):
    fill(workbench, [auto(f"{number:03}", 5, "MORNING", rule=f"rule_{number % 7}") for number in range(210)])
    sample = draw(workbench, RUN, 0.25, 0.8)
    with_draws = {line.rule for line in sample.lines if line.draws}
    extra = sorted(line.rule for line in sample.lines if not line.draws)
    assert sample.draws == 6
    assert extra == sorted({f"rule_{number}" for number in range(7)} - with_draws)


def test_a_sample_is_read_back_as_it_was_drawn(workbench):
    fill(workbench, [auto(f"{hour}:{minute:02}", hour, "AFTERNOON") for hour in range(13, 18) for minute in range(60)])
    assert read(workbench) is None
    sample = draw(workbench, RUN, 0.1, 0.9)
    assert not sample.is_census
    assert read(workbench) == sample
    assert draw(workbench, RUN, 0.1, 0.9) == sample
    fact = read_facts(workbench)[FACT]
    assert fact == {"rows": 4_500, "texts": 300, "sampled": len(sample.lines), "draws": 22, "sha256": sample.sha256}
    other = draw(workbench, RUN, 0.05, 0.9)
    assert read(workbench) == other != sample
    assert other.sha256 != sample.sha256


def test_where_nothing_is_decided_nothing_is_drawn(workbench):
    fill(workbench, [Line("아무때나", 70), auto("8시", 90, "MORNING", already_set=90)])
    sample = draw(workbench, RUN, 0.001, 0.95)
    assert (sample.rows, sample.texts, sample.lines, sample.draws, sample.is_census) == (0, 0, (), 0, True)
    assert read(workbench) == sample


def test_a_damaged_workbench_is_told_in_a_sentence(workbench):
    workbench.execute("DROP TABLE decisions")
    with pytest.raises(RunError, match=r"could not take the audit sample \(CatalogException\).* `ojeon run`\."):
        draw(workbench, RUN, 0.001, 0.95)


def test_a_sample_that_cannot_be_kept_leaves_the_earlier_one(workbench):
    fill(workbench, LINES)
    sample = draw(workbench, RUN, 0.001, 0.95)
    workbench.execute("ALTER TABLE facts RENAME TO elsewhere")
    with pytest.raises(RunError):
        draw(workbench, RUN, 0.5, 0.8)
    workbench.execute("ALTER TABLE elsewhere RENAME TO facts")
    assert read(workbench) == sample
