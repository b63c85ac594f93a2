"""Normalize ten million rows: against what DuckDB needs to group the texts and join the groups back.

Ours is measured on an extracted table in a process of its own, so that its peak memory is its own, and split into the
parsing of the distinct texts and all the rest: grouping them, writing the decisions (with the parser replaced by a
look-up of what it said before), and counting every row's fate by a join. The reference is a plain group-by of the texts
and a plain join of the groups back to the rows. Each part is the best of three.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.result import Result

ROWS = 10_000_000
_FEWER = 1_000_000

_MEASURE = """
import json, re, sys, time
from pathlib import Path
import pipeline.normalize
from parsers import Policy, decide
from pipeline.conservation import count_rows
from pipeline.workbench import open_workbench
workbench = open_workbench(Path(sys.argv[1]))
def timed(act, before=lambda: None):
    seconds = []
    for _ in range(3):
        before()
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
policy = Policy()
grouped = "INSERT INTO texts SELECT raw, count(*), 0, NULL, NULL FROM reservations GROUP BY raw"
grouping = timed(lambda: workbench.execute(grouped), lambda: workbench.execute("DELETE FROM texts"))
raws = [raw for (raw,) in workbench.execute("SELECT raw FROM texts").fetchall()]
parsed = {}
parsing = timed(lambda: parsed.update((raw, decide(raw, policy)) for raw in raws))
pipeline.normalize.decide = lambda raw, policy: parsed[raw]
deciding = timed(lambda: pipeline.normalize.normalize(workbench, policy))
counting = timed(lambda: count_rows(workbench))
# Not ru_maxrss: that begins with the size of the process this one was forked from.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
rest = grouping + deciding + counting
print(json.dumps({"parsing": parsing, "rest": rest, "texts": len(raws), "peak": peak}))
"""

_REFERENCE = """
import json, sys, time
from pathlib import Path
from pipeline.workbench import open_workbench
workbench = open_workbench(Path(sys.argv[1]))
def timed(query):
    started = time.perf_counter()
    workbench.execute(query).fetchall()
    return time.perf_counter() - started
group = "SELECT raw, count(*) AS n, row_number() OVER () AS number FROM reservations GROUP BY raw"
grouping = min(timed(f"CREATE OR REPLACE TEMP TABLE grouped AS {group}") for _ in range(3))
join = "SELECT sum(number), count(*) FROM reservations JOIN grouped USING (raw)"
joining = min(timed(join) for _ in range(3))
print(json.dumps({"grouping": grouping, "joining": joining}))
"""


def run() -> list[Result]:
    """Measure on ``ROWS`` generated texts, and how much of the time is parsing on a tenth of them."""
    with tempfile.TemporaryDirectory(prefix="ojeon-bench-") as folder:
        _extracted(Path(folder), ROWS)
        reference = _in_own_process(_REFERENCE, folder)
        ours = _in_own_process(_MEASURE, folder)
    with tempfile.TemporaryDirectory(prefix="ojeon-bench-") as folder:
        _extracted(Path(folder), _FEWER)
        fewer = _in_own_process(_MEASURE, folder)
    duckdb_seconds = reference["grouping"] + reference["joining"]
    rest, parsing, peak = ours["rest"], ours["parsing"], ours["peak"]
    share = fewer["parsing"] / (fewer["parsing"] + fewer["rest"])
    million = 1_000_000
    size, texts = f"{ROWS // million} M rows", f"{ours['texts']:,.0f} texts"
    against = (duckdb_seconds, "s, DuckDB group + join")
    whole = fewer["parsing"] + fewer["rest"]
    of_whole = f"{_FEWER // million} M rows, {fewer['texts']:,.0f} texts"
    return [
        Result(
            f"normalize {size}, {texts}, without parsing",
            rest,
            *against,
            rest / duckdb_seconds,
            "≤ 2",
            rest <= 2 * duckdb_seconds,
        ),
        Result(
            "  parsing of the distinct texts", parsing, *against, parsing / duckdb_seconds, "printed apart", ok=True
        ),
        Result("  peak memory of that process", peak, 1024.0, "MB", peak / 1024, "< 1", peak < 1024),
        Result(f"  parsing's share of {of_whole}", fewer["parsing"], whole, "s, of all", share, "< 0.5", share < 0.5),
    ]


def _extracted(folder: Path, rows: int) -> None:
    from fixtures.clinic.generate import raw_texts  # noqa: PLC0415 - numpy only where it is used
    from pipeline.workbench import open_workbench  # noqa: PLC0415

    workbench = open_workbench(folder)
    workbench.register("generated", raw_texts(rows))
    workbench.execute("INSERT INTO reservations (id, raw) SELECT 'c' || row_number() OVER (), raw FROM generated")
    workbench.close()


def _in_own_process(code: str, folder: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", code, folder], check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
