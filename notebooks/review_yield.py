# %% [markdown]
# # What did the reviewers' answers buy?
#
# Texts that no parser may decide go to people. A few of them stand in many rows, so the first answers buy the most.
# This shows what the answers given so far have settled among the rows of one run, who gave them and when, where
# reviewers differ, and what is left.
#
# It looks only. Answers are given with `ojeon review serve` or `ojeon review import`, and the next run uses them before
# every parser.

# %%
import os
from pathlib import Path

import polars as pl
from rich.console import Console

from pipeline.answers import standing_of
from pipeline.figures import percent
from pipeline.finished_run import open_newest
from pipeline.open_texts import open_texts
from pipeline.review_yield import by_reviewer, left_by_reason, review_yield
from pipeline.shapes import shown
from pipeline.yield_charts import yield_chart

pl.Config(tbl_rows=40, fmt_str_lengths=60, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True)
show = Console(width=150).print

# %% [markdown]
# The newest finished run below `RUNS`, and the store of answers beside it.

# %%
run = open_newest(Path(os.environ.get("RUNS", "../reports")))
found = review_yield(open_texts(run.workbench), standing_of(run.answers_file), run.policy)
show(
    f"run {run.run_id}: AUTO share {percent(found.before)} by the parsers alone, {percent(found.after)} with the "
    f"answers to {len(found.settled):,} texts ({found.with_period:,} rows get a period by them)"
)
if not found.settled:
    show(f"Nobody has answered anything about this run's texts in {run.answers_file} yet.")

# %% [markdown]
# ## Answer by answer
#
# Each point is a text answered, in the order of the answers; the dashed curve is what as many answers would have
# settled with the most frequent texts first. **A wide gap** means time spent on rare texts: send reviewers the list in
# its order. Where the curve goes flat, more answers buy little, and the rest may wait until the patient calls.

# %%
yield_chart(found, run.settings.min_auto)

# %% [markdown]
# ## By reviewer, and by day
#
# Texts and rows that each was the first to settle. Rows per text say who worked on the frequent ones, nothing of how
# well; the audit tells that.

# %%
pl.DataFrame(
    [{"reviewer": name, **share._asdict()} for name, share in by_reviewer(found.settled).items()],
    schema={"reviewer": str, "texts": int, "rows": int},
)

# %%
pl.DataFrame(
    [{"day": step.at.date(), "reviewer": step.reviewer, "rows": step.rows} for step in found.settled],
    schema={"day": pl.Date, "reviewer": str, "rows": int},
).group_by("day", "reviewer").agg(pl.len().alias("texts"), pl.sum("rows")).sort("day", "reviewer")

# %% [markdown]
# ## Conflicts
#
# Reviewers differ about these; they stay with people until one takes a word back or a third agrees with nobody. Often
# the text is ambiguous after all: then NEITHER is the honest answer.

# %%
pl.DataFrame(
    [
        {"text": shown(text.raw), "rows": text.rows}
        | {"said": ", ".join(f"{answer.reviewer}: {answer.verdict}" for answer in answers)}
        for text, answers in found.conflicts
    ],
    schema={"text": str, "rows": int, "said": str},
)

# %% [markdown]
# ## What is left
#
# By the reason why it waits, and the texts that would buy most if they were next.

# %%
pl.DataFrame(
    [{"reason": reason, **share._asdict()} for reason, share in left_by_reason(found.left, run.policy).items()],
    schema={"reason": str, "texts": int, "rows": int},
)

# %%
pl.DataFrame(
    [{"text": shown(text.raw), "rows": text.rows} for text in found.left[:15]], schema={"text": str, "rows": int}
)
