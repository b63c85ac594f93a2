# %% [markdown]
# # Which formats are there?
#
# A column of preferred times holds few *distinct* texts, and fewer kinds of them. Here you look around in one finished
# run: which shapes there are, what stands in them, and why a text was decided the way it was.
#
# Nothing here decides or writes anything; `ojeon run` does that. It works offline. Telephone numbers, addresses and
# names are hidden in what is shown; a name without a label cannot be told from any other word, so share nothing of it.

# %%
import os
from pathlib import Path

from rich.console import Console

import parsers
from pipeline.explained import decision_table, explanation_view, suggestion_table
from pipeline.finished_run import open_newest
from pipeline.insight.browse import found_table, search, texts_of_rule, texts_of_shape
from pipeline.insight.listing import listing
from pipeline.insight.shape_charts import shapes_chart
from pipeline.shapes import By, read_profile
from pipeline.suggest import suggest
from pipeline.tables import profile_table

show = Console(width=130, highlight=False).print

# %% [markdown]
# The newest finished run below `RUNS` (the repository's own `reports/` if that is not set). To look at another one:
# `open_finished(Path("../reports/20261123-101500-3f2a"))`.

# %%
run = open_newest(Path(os.environ.get("RUNS", "../reports")))
workbench = run.workbench
show(f"run {run.run_id}, read {run.manifest['source'].get('snapshot_at', 'from a dump')}")

# %% [markdown]
# ## The shapes, and where they went
#
# A shape is what a text consists of: `half-day clock` is 오후 3시 as well as 3:00 PM. Look for a long bar with much
# orange: there a new rule, or one word more in the lexicon, spares people the most work.

# %%
profile = read_profile(workbench)
shapes_chart(profile.by_meaning[:16])

# %% [markdown]
# A few texts make most of the rows: this is why every distinct text can be decided once, and by people where need be.

# %%
lines = workbench.sql("""
    SELECT texts, round(share, 3) AS "of all rows" FROM (
        SELECT row_number() OVER most AS texts, sum("rows") OVER most / sum("rows") OVER () AS share FROM texts
        WINDOW most AS (ORDER BY "rows" DESC, raw ROWS UNBOUNDED PRECEDING)
    ) WHERE texts IN (1, 10, 30, 100, 300, 1000, 3000, 10000, 30000) ORDER BY texts
""")
show(listing(lines.columns, lines.fetchall()))

# %% [markdown]
# The same by pattern (characters rather than meaning), with examples and the days on which each was first and last
# seen. A pattern that appears or ends on a certain day tells of a release of the booking form.

# %%
show(profile_table(profile, top=12))

# %% [markdown]
# ## Search
#
# Any piece of a text, in any case.

# %%
show(found_table(search(workbench, "오후", limit=12)))

# %% [markdown]
# ## Drill into a shape, a pattern or a rule
#
# Take the names from the tables above.

# %%
by_review = sorted(profile.by_meaning, key=lambda shape: -shape.claimed(parsers.Disposition.REVIEW))
for shape in by_review[:1]:
    show(f"the shape that sends most rows to people: {shape.name}")
    show(found_table(texts_of_shape(workbench, shape.name, limit=12)))

# %%
for shape in profile.by_pattern[:1]:
    show(found_table(texts_of_shape(workbench, shape.name, By.PATTERN, limit=8)))

# %%
show(found_table(texts_of_rule(workbench, "bare_hour", limit=8)))

# %% [markdown]
# ## What goes to people, by reason
#
# And the words that, were they fillers, would settle most of it. A word that carries a time, a refusal or a condition
# must not become one, however many rows it would settle.

# %%
lines = workbench.sql("""
    SELECT d.reason, sum(t."rows" - t.already_set)::BIGINT AS "rows", count(*) AS texts
    FROM decisions d JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw
    WHERE d.disposition = 'REVIEW' AND t."rows" > t.already_set GROUP BY 1 ORDER BY 2 DESC, 1
""")
show(listing(lines.columns, lines.fetchall()))

# %%
show(suggestion_table(suggest(workbench, run.policy), top=10))

# %% [markdown]
# ## Try a text, and ask why
#
# Under the settings of this run, whatever is set now.

# %%
show(decision_table(["오후 3시쯤", "8시", "2-4pm", "점심 먹고", "10시~12시"], run.policy))

# %%
show(explanation_view(parsers.explain("오후 2-4시 사이 부탁드려요", run.policy)))
