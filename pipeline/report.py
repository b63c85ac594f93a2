"""``report.html``: one offline file that says what was found, what was decided and whether the plan may be applied.

No script, nothing loaded: the content security policy allows this file's own style, by its hash, and images that are
data. What it says stands in ``templates/report.en.toml``, how it looks in ``templates/report.css``.
"""

import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from parsers.confidence import calibration_error
from parsers.types import Disposition
from pipeline.charts import confidence_chart, reliability_chart, shapes_chart
from pipeline.drawing import Picture
from pipeline.errors import RunError
from pipeline.figures import count, percent
from pipeline.report_facts import ReportView
from pipeline.shapes import Shape
from pipeline.visible import visible

FILE_NAME = "report.html"
TOP_SHAPES = 15
"""Shapes each table lists before it sums up the rest."""
_CHART_SHAPES = 12
_LANGUAGE = "en"
_TEMPLATES = resources.files("pipeline") / "templates"


@dataclass(frozen=True, slots=True)
class Rest:
    """The shapes a table leaves out, summed up."""

    shapes: int
    rows: int
    texts: int
    share: float


def write(view: ReportView, folder: Path) -> Path:
    """Write the report into the run's ``folder``.

    Raises:
        RunError: the file cannot be written.
    """
    path = folder / FILE_NAME
    try:
        path.write_text(render_report(view), encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"The report could not be written to {path}: {error.strerror or error}. Make room on that disk or choose "
            "another folder (setting runs), then start a new run."
        ) from error
    return path


def render_report(view: ReportView) -> str:
    """Render the report as one HTML page."""
    say = tomllib.loads((_TEMPLATES / f"report.{_LANGUAGE}.toml").read_text(encoding="utf-8"))
    style = _style()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            view=view,
            say=say,
            style=Markup(style),  # noqa: S704 - our own file; CSS in a style element must not be escaped
            policy=_policy(style),
            fates=[(fate, getattr(view.rows, fate)) for fate in say["fates"]],
            results=_results(view.checks),
            review_texts=sum(line.texts for line in view.reasons),
            shapes_picture=_shapes_picture(view, say),
            confidence_picture=_confidence_picture(view, say),
            reliability_picture=reliability_chart(view.reliability, **say["reliability"]["axes"]),
            calibration_error=calibration_error(view.reliability),
            top_shapes=TOP_SHAPES,
        )
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
        "auto_share": _auto_share,
        "count": count,
        "fill": _fill,
        "percent": percent,
        "rest": _rest,
        "seen": _seen,
        "visible": visible,
        "width": _width,
    }
    return environment


def _style() -> str:
    widths = "".join(f".w{share}{{width:{share}%}}" for share in range(101))
    return (_TEMPLATES / "report.css").read_text(encoding="utf-8") + widths


def _policy(style: str) -> str:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _shapes_picture(view: ReportView, say: Mapping[str, Any]) -> Picture | None:
    shapes = view.profile.by_meaning[:_CHART_SHAPES]
    return shapes_chart(shapes, say["fates"]) if shapes else None


def _confidence_picture(view: ReportView, say: Mapping[str, Any]) -> Picture | None:
    if not view.confidence:
        return None
    fates = {disposition.lower(): say["fates"][disposition.lower()] for disposition in Disposition}
    return confidence_chart(view.confidence, view.auto_threshold, fates, say["confidence"]["axis"])


def _results(checks: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return [result for suite in (checks["suites"] if checks else []) for result in suite["results"]]


def _width(share: float) -> str:
    return f"w{round(share * 100)}"


def _fill(sentence: str, **values: object) -> str:
    return sentence.format(
        **{name: count(value) if isinstance(value, int) else value for name, value in values.items()}
    )


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
