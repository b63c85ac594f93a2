# %% [markdown]
# # What does the clinic see after the backfill?
#
# Before it, a booking had a day and a sentence; nobody could tell how full a Tuesday morning is. Now most bookings have
# a half of the day. This sets the minutes booked in each half-day against the minutes that its slots offer, as it could
# be seen before the run and as it can be seen now.
#
# It needs a run that was applied and verified: `ojeon verify` adds the bookings up by day, period and status (no row
# can be told apart in it) and keeps that in the run's folder. No database is needed here.

# %%
import os
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from pipeline import manifest
from pipeline.figures import count, percent
from pipeline.finished_run import open_newest
from pipeline.insight.capacity_charts import load_map, mean_week_chart
from pipeline.insight.half_days import NAME, busiest, mean_week, read_capacity
from pipeline.insight.listing import listing

show = Console(width=130, highlight=False).print

# %% [markdown]
# The newest run below `RUNS` that was verified. Two things the table cannot know are yours to say: how many patients
# the clinic treats **side by side**, and which **statuses** keep no minute of a slot.

# %%
ROOMS = 3
FREE = ("CANCELLED", "REJECTED")
WEEKS = 26

run = open_newest(Path(os.environ.get("RUNS", "../reports")), holding=f"{manifest.MOVES}/{NAME.format('*')}")
capacity = read_capacity(run.folder, run.policy, rooms=ROOMS, free=FREE)
show(
    f"run {run.run_id}: of the minutes booked {percent(capacity.placed_before)} lay in a half-day that was known, and "
    f"{percent(capacity.placed_after)} do now"
)
show(
    f"{count(capacity.unplaced)} minutes wait for a person to place them, {count(capacity.closed)} lie in half-days in "
    f"which the clinic is closed, and of {count(capacity.untimed)} bookings nobody knows the minutes"
)

# %% [markdown]
# ## The mean week
#
# Of the busiest half year. Grey was known before, blue is what the run made known, the short line is what the slots
# offer. A red figure is a half-day that is booked beyond its slots in the mean: too few slots, patients who do not
# come, or more of them treated at once than `ROOMS` says.

# %%
weeks = busiest(capacity.half_days, WEEKS)
mean_week_chart(mean_week(weeks))

# %% [markdown]
# ## Week by week
#
# The darker, the fuller; red is more than the slots offer. A row that is red throughout wants more slots; a column that
# is pale, a holiday; single red cells are bookings to move, and the pale ones beside them where to.

# %%
load_map(weeks)

# %% [markdown]
# ## The fullest half-days
#
# The load is minutes booked over minutes offered.

# %%
fullest = sorted(weeks, key=lambda half: -half.after)[:15]
show(
    listing(
        ["day", "half", "minutes booked", "offered", "load before", "load now"],
        [
            (
                half.week + timedelta(days=half.weekday - 1),
                half.period,
                half.known + half.filled,
                half.offered,
                percent(half.before, 0),
                percent(half.after, 0),
            )
            for half in fullest
        ],
    )
)
