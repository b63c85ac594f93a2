# %% [markdown]
# # Which formats are there?
#
# Open one finished run and look around in it. Nothing here decides or writes anything: `ojeon run` does that.
# Keep no outputs in the repository, they hold what patients wrote.

# %%
import os
from pathlib import Path

import duckdb
from rich import print as show

import parsers
from parsers import Policy
from pipeline.explained import decision_table, explanation_view
from pipeline.shapes import read_profile
from pipeline.tables import profile_table
from pipeline.workbench import FILE_NAME

# %% [markdown]
# The newest finished run below `RUNS`, the repository's own `reports/` if that is not set.

# %%
runs = Path(os.environ.get("RUNS", "../reports"))
run = max(path.parent for path in runs.glob("*/manifest.json"))
workbench = duckdb.connect(run / FILE_NAME, read_only=True)
show(run)

# %% [markdown]
# ## The shapes, largest first

# %%
show(profile_table(read_profile(workbench), top=20))

# %% [markdown]
# ## What goes to people, by reason

# %%
workbench.sql("""
    SELECT d.reason, sum(t.rows) AS "rows", count(*) AS texts
    FROM decisions d JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw
    WHERE d.disposition = 'REVIEW' GROUP BY 1 ORDER BY 2 DESC
""").show()

# %% [markdown]
# ## Try a text, and ask why

# %%
show(decision_table(["오후 3시쯤", "8시", "2-4pm"], Policy()))
show(explanation_view(parsers.explain("오후 2-4시 사이 부탁드려요", Policy())))
