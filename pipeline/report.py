"""``report.html``: one offline file that says what was found, what was decided and whether the plan may be applied.

No script, nothing loaded: the content security policy allows this file's own style, by its hash, and images that are
data. What it says stands in ``templates/report.<language>.toml``, how it looks in ``templates/report.css``.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from parsers.confidence import calibration_error
from parsers.types import Disposition
from pipeline.charts import confidence_chart, reliability_chart
from pipeline.drawing import Picture
from pipeline.drift import Change, Drift
from pipeline.errors import RunError
from pipeline.figures import count, percent
from pipeline.report_facts import ReportView
from pipeline.report_words import Words, at_most, filled
from pipeline.settings import Language
from pipeline.shapes import Shape
from pipeline.visible import visible

FILE_NAME = "report.html"
TOP_SHAPES = 15
"""Shapes each table lists before it sums up the rest."""
_BARS = 12
_TOP_CHANGES = 8
_STYLE = resources.files("pipeline") / "templates" / "report.css"
_PARTS = (
    *("drift", "shapes", "confidence", "review", "settled"),
    *("split", "anomalies", "audit", "checks", "provenance"),
)


@dataclass(frozen=True, slots=True)
class Rest:
    """The shapes a table leaves out, summed up."""

    shapes: int
    rows: int
    texts: int
    share: float


def write(view: ReportView, path: Path, language: Language = "en") -> Path:
    """Write the report to ``path``, for its owner's eyes only.

    Raises:
        RunError: the file cannot be written.
    """
    page = render_report(view, language)
    try:
        path.touch(mode=0o600)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"The report could not be written to {path}: {error.strerror or error}. Make room on that disk or choose "
            "another folder."
        ) from error
    return path


def render_report(view: ReportView, language: Language = "en") -> str:
    """Render the report as one HTML page."""
    words = Words.load(language)
    style = _style()
    suites = words.suites(view)
    template = _environment().get_template("report.html.j2")
    return template.render(
        view=view,
        say=words.say,
        words=words,
        style=Markup(style),  # noqa: S704 - our own file; CSS in a style element must not be escaped
        policy=_policy(style),
        parts=_PARTS,
        gates=words.gates(view),
        fates=[(fate, getattr(view.rows, fate)) for fate in words.say["fates"]],
        suites=suites,
        failures=[line for suite in suites for line in suite.lines if not line.is_gate and line.status != "passed"],
        changes=_changes(view),
        confidence_picture=_confidence_picture(view, words),
        reliability_picture=reliability_chart(view.reliability, **words.say["reliability"]["axes"]),
        calibration_error=calibration_error(view.reliability),
        busiest_day=max(day.halves.rows for day in view.split.weekdays),
        busiest_month=max((halves.rows for _, halves in view.split.months), default=0),
        top_shapes=TOP_SHAPES,
        top_bars=_BARS,
        top_changes=_TOP_CHANGES,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "at_most": at_most,
        "auto_share": _auto_share,
        "count": count,
        "fates": _fates,
        "fill": filled,
        "moment": _moment,
        "percent": percent,
        "rest": _rest,
        "seen": _seen,
        "visible": visible,
        "width": _width,
    }
    return environment


def _style() -> str:
    widths = "".join(f".w{share}{{width:{share}%}}" for share in range(101))
    return _STYLE.read_text(encoding="utf-8") + widths


def _policy(style: str) -> str:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _confidence_picture(view: ReportView, words: Words) -> Picture | None:
    if not view.confidence:
        return None
    fates = {disposition.lower(): words.say["fates"][disposition.lower()] for disposition in Disposition}
    return confidence_chart(view.confidence, view.limits["auto_threshold"], fates, words.say["confidence"]["axis"])


def _changes(view: ReportView) -> list[tuple[str, tuple[Change, ...]]]:
    """The shapes that changed, by kind of change, without the kinds that did not occur."""
    if not isinstance(view.drift, Drift):
        return []
    kinds = {"new": view.drift.new, "gone": view.drift.gone, "grown": view.drift.grown, "shrunk": view.drift.shrunk}
    return [(kind, changes) for kind, changes in kinds.items() if changes]


def _moment(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _fates(shape: Shape) -> list[tuple[str, int]]:
    made = [(disposition.lower(), shape.claimed(disposition)) for disposition in Disposition]
    return [*made, ("already_set", shape.already_set)]


def _width(share: float) -> str:
    return f"w{round(share * 100)}"


def _rest(shapes: Sequence[Shape], top: int) -> Iterator[Rest]:
    left = shapes[top:]
    if left:
        yield Rest(
            len(left), sum(one.rows for one in left), sum(one.texts for one in left), sum(one.share for one in left)
        )


def _auto_share(shape: Shape) -> str:
    auto, review = (shape.claimed(disposition) for disposition in (Disposition.AUTO, Disposition.REVIEW))
    return percent(auto / (auto + review)) if auto + review else ""


def _seen(shape: Shape) -> str:
    if shape.first_seen is None or shape.last_seen is None:
        return ""
    first, last = f"{shape.first_seen:%Y-%m}", f"{shape.last_seen:%Y-%m}"
    return first if first == last else f"{first} – {last}"
