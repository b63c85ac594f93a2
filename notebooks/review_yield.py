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

from rich.console import Console

from pipeline.answers import standing_of
from pipeline.figures import percent
from pipeline.finished_run import open_newest
from pipeline.insight.listing import listing, readable
from pipeline.insight.open_texts import open_texts
from pipeline.insight.review_yield import by_day, by_reviewer, left_by_reason, review_yield
from pipeline.insight.yield_charts import yield_chart

show = Console(width=130, highlight=False).print

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
show(listing(["reviewer", "texts", "rows"], [(name, *share) for name, share in by_reviewer(found.settled).items()]))

# %%
show(listing(["day", "reviewer", "texts", "rows"], [(*who, *share) for who, share in by_day(found.settled).items()]))

# %% [markdown]
# ## Conflicts
#
# Reviewers differ about these; they stay with people until one takes a word back or a third agrees with nobody. Often
# the text is ambiguous after all: then NEITHER is the honest answer.

# %%
show(
    listing(
        ["text", "rows", "said"],
        [
            (readable(text.raw), text.rows, ", ".join(f"{answer.reviewer}: {answer.verdict}" for answer in answers))
            for text, answers in found.conflicts
        ],
    )
)

# %% [markdown]
# ## What is left
#
# By the reason why it waits, and the texts that would buy most if they were next.

# %%
reasons = left_by_reason(found.left, run.policy)
show(listing(["reason", "texts", "rows"], [(reason, *share) for reason, share in reasons.items()]))

# %%
show(listing(["text", "rows"], [(readable(text.raw), text.rows) for text in found.left[:15]]))
