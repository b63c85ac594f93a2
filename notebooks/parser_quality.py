# %% [markdown]
# # How good are the parsers?
#
# What they decide alone, how sure they are and how far that is to be trusted, where they would contradict each other,
# and what would change if the threshold or the clinic's hours were others.
#
# A wrong decision without a person is the worst that can happen, so each question is asked from that side. Nothing is
# written; it works offline.

# %%
import os
from dataclasses import astuple, fields, replace
from pathlib import Path

from rich.console import Console

from parsers.confidence import calibration_error, reliability
from pipeline.charts import reliability_chart
from pipeline.figures import percent
from pipeline.finished_run import open_newest
from pipeline.insight.browse import found_table, search
from pipeline.insight.disagreements import Disagreement, disagreements
from pipeline.insight.listing import listing
from pipeline.insight.open_texts import open_texts
from pipeline.insight.whatif import changes, opening, outcome, thresholds
from pipeline.insight.whatif_charts import changes_chart, threshold_chart

show = Console(width=130, highlight=False).print

# %% [markdown]
# The newest finished run below `RUNS` (the repository's own `reports/` if that is not set).

# %%
run = open_newest(Path(os.environ.get("RUNS", "../reports")))
texts = open_texts(run.workbench)
now = outcome(texts, run.policy)
show(
    f"run {run.run_id}: {len(texts):,} distinct texts in {now.rows:,} rows without a period; "
    f"the parsers decide {percent(now.auto_share)} of them, and {now.wrong:.1f} rows may be expected to be wrong"
)

# %% [markdown]
# ## Coverage
#
# What each rule claims. *Expected wrong* weighs its rows with its confidence: how often it was right on labelled texts,
# with the caution that few such texts call for. A rule at the top of this column is the one to label more texts for.

# %%
lines = run.workbench.sql("""
    SELECT d.rule, d.disposition, sum(t."rows" - t.already_set)::BIGINT AS "rows", count(*) AS texts,
        round(avg(d.confidence), 4) AS confidence,
        CASE WHEN d.disposition = 'AUTO' THEN round(sum((t."rows" - t.already_set) * (1 - d.confidence)), 1) END
            AS "expected wrong"
    FROM decisions d JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw
    WHERE t."rows" > t.already_set GROUP BY 1, 2 ORDER BY 2, 3 DESC, 1
""")
show(listing(lines.columns, lines.fetchall()))

# %% [markdown]
# ## Calibration
#
# Texts that no confidence was counted on, held against their labels. On the dashed line a confidence of 99 % is right
# 99 times in 100. Above it the parsers are more careful than they need be; **below it they promise too much**, and the
# threshold means less than it says.

# %%
held_out = reliability()
show(f"{sum(cut.texts for cut in held_out):,} labelled texts, expected distance {calibration_error(held_out):.4f}")
reliability_chart(held_out, "confidence", "share that was right")

# %% [markdown]
# ## Disagreements
#
# The first parser that claims a text decides; `ojeon explain` shows what the others would have said. Lines with *auto*
# are decided without a person although another parser sees the other half of the day: there should be none. The others
# show what the order of the chain protects from: a refusal such as 오전은 안 돼요 must not be read as its half-day
# word.

# %%
found = disagreements(texts, run.policy)
show(f"{sum(line.auto for line in found)} pairs disagree about what is decided without a person, {len(found)} in all")
show(listing([field.name for field in fields(Disagreement)], map(astuple, found)))

# %% [markdown]
# ## What if the threshold were another one?
#
# To the left less is decided without a person, and less of it wrongly. Each point is the strictest threshold that still
# lets the named rule pass, and the way up to it is what that rule buys: **the steeper, the cheaper** its rows; a flat
# stretch is risk for few of them. The red point is this run, the dashed line its gate.

# %%
threshold_chart(thresholds(texts, run.policy), now, run.settings.min_auto)

# %% [markdown]
# ## What if the clinic's hours were others?
#
# Bare hours are read by the opening hours: 9시 is the morning because 21:00 is not open. So the settings decide, and
# wrong settings turn rows without a word. **Red is the column to fear**: rows that both settings decide alone, and for
# different halves of the day. Put in your own doubts.

# %%
policy = run.policy
others = {
    "opens at 8:00": opening(policy, start=8 * 60),
    "opens at 10:00": opening(policy, start=10 * 60),
    "closes at 17:00": opening(policy, end=17 * 60),
    "closes at 20:00": opening(policy, end=20 * 60),
    "noon at 12:30": replace(policy, noon=12 * 60 + 30),
    "noon at 13:00": replace(policy, noon=13 * 60),
    "no grace": replace(policy, grace=0),
    "three hours of grace": replace(policy, grace=180),
}
changes_chart(now, changes(texts, policy, others))

# %% [markdown]
# Texts that hang on it, to look at one by one:

# %%
show(found_table(search(run.workbench, "12:", limit=8)))
