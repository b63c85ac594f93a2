from hypothesis import given
from hypothesis import strategies as st

from pipeline.backfill.pace import FEWEST, MOST, Pace

SECONDS = st.floats(1e-4, 100)


def settled(pace, seconds_a_row, steps=60):
    for _ in range(steps):
        pace.took(pace.rows, pace.rows * seconds_a_row)
    return pace.rows


@given(st.floats(1e-7, 0.5), st.integers(FEWEST, MOST))
def test_batches_come_to_last_as_long_as_they_should(seconds_a_row, first):
    rows = settled(Pace(first, 0.075), seconds_a_row)
    assert rows in (FEWEST, MOST) or abs(rows * seconds_a_row - 0.075) <= seconds_a_row


@given(st.integers(FEWEST, MOST), SECONDS, SECONDS)
def test_a_slow_moment_is_answered_at_once_and_a_quick_one_trusted_slowly(rows, target, seconds):
    pace = Pace(rows, target)
    pace.took(rows, seconds)
    assert FEWEST <= pace.rows <= MOST
    if seconds > target:
        assert pace.rows <= rows
    assert rows / 2 - 1 <= pace.rows <= rows * 1.5 + 1


@given(st.integers(FEWEST + 1, MOST), SECONDS)
def test_the_rest_at_the_end_of_the_table_teaches_nothing(rows, seconds):
    pace = Pace(rows, 0.075)
    pace.took(rows - 1, seconds)
    assert pace.rows == rows


def test_a_time_out_halves_until_there_is_nothing_left_to_halve():
    pace, sizes = Pace(1_000, 0.075), []
    while pace.halve():
        sizes.append(pace.rows)
    assert sizes == [500, 250, 125, 62, 50]
    assert pace.rows == FEWEST
    assert not pace.halve()
