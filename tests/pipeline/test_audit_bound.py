"""The size of an audit and its bound hold as laws, against scipy's own test and the binomial itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pipeline.audit_bound import draws_needed, upper_bound

confidences = st.floats(0.8, 0.999)
sizes = st.integers(1, 5_000)


@given(st.floats(1e-4, 0.9), confidences)
def test_the_sample_is_the_smallest_that_shows_it(max_error, confidence):
    draws = draws_needed(max_error, confidence)
    near = pytest.approx(max_error, rel=1e-9)
    assert upper_bound(0, draws, confidence) <= max_error or upper_bound(0, draws, confidence) == near
    assert draws == 1 or upper_bound(0, draws - 1, confidence) > max_error


@pytest.mark.parametrize(
    ("max_error", "confidence", "draws"),
    [(0.001, 0.95, 2_995), (0.01, 0.95, 299), (0.05, 0.95, 59), (0.001, 0.99, 4_603), (0.5, 0.75, 2)],
)
def test_the_sizes_that_tables_give(max_error, confidence, draws):
    assert draws_needed(max_error, confidence) == draws


@given(sizes, st.data(), confidences)
def test_the_bound_is_the_exact_one(draws, data, confidence):
    errors = data.draw(st.integers(0, draws))
    interval = binomtest(errors, draws, alternative="less").proportion_ci(confidence, method="exact")
    assert upper_bound(errors, draws, confidence) == pytest.approx(interval.high, rel=1e-9)


@given(sizes, st.data(), confidences)
def test_more_errors_raise_the_bound_and_more_draws_lower_it(draws, data, confidence):
    errors = data.draw(st.integers(0, draws - 1))
    bound = upper_bound(errors, draws, confidence)
    assert upper_bound(errors + 1, draws, confidence) > bound
    assert upper_bound(errors, draws + 1, confidence) < bound
    assert bound > errors / draws


@given(sizes.filter(lambda draws: draws > 1), st.data(), confidences)
def test_where_hoeffding_lets_unequal_chances_pass(draws, data, confidence):
    """His inequality asks for at least one error more, at the bound, than were seen."""
    errors = data.draw(st.integers(1, max(1, draws - 2)).filter(lambda errors: errors <= draws - 2) | st.just(0))
    bound = upper_bound(errors, draws, confidence)
    assert errors == 0 or draws * bound >= errors + 1


def test_nothing_drawn_shows_nothing():
    assert upper_bound(0, 0, 0.95) == 1.0
    assert upper_bound(7, 7, 0.95) == 1.0


def test_at_the_bound_so_few_errors_are_just_too_rare():
    for errors in (0, 1, 5, 100):
        assert binom.cdf(errors, 2_995, upper_bound(errors, 2_995, 0.95)) == pytest.approx(0.05)
