"""What all charts have in common: Altair in, SVG out, drawn here and now without a network, for light and dark pages.

Margins are fixed rather than measured, because the fonts of the reader's machine are not those of this one. Texts come
in as data of text marks, never as part of an expression.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import altair as alt
import vl_convert

FONTS = "Malgun Gothic, Apple SD Gothic Neo, Noto Sans KR, Noto Sans CJK KR, sans-serif"


@dataclass(frozen=True, slots=True)
class Dress:
    """The colours of one theme.

    ``fates`` are those of auto, review and already set; ``alarm`` is for what is too much or wrong; ``ramp`` goes from
    little to much; ``paper`` is what lies under a chart that stands on no page of its own.
    """

    text: str
    line: str
    fates: tuple[str, str, str]
    alarm: str
    ramp: tuple[str, str]
    paper: str


LIGHT = Dress("#47525f", "#d9e0e7", ("#2f6f9f", "#e0973a", "#a9b4c0"), "#b3322b", ("#eef3f7", "#2f6f9f"), "#ffffff")
DARK = Dress("#b9c4d0", "#34404d", ("#5fa5d6", "#e6aa5a", "#66747f"), "#f0918a", ("#222b35", "#5fa5d6"), "#1a2129")


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart as two ``data:`` addresses, for a light and for a dark page; ``says`` is its alternative text."""

    light: str
    dark: str
    says: str = ""

    def _repr_html_(self) -> str:
        """How a notebook shows it: in the dress of the machine's theme, on paper of its own."""
        paper = f"color-scheme:light dark;background:light-dark({LIGHT.paper},{DARK.paper})"
        return (
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{self.dark}">'
            f'<img src="{self.light}" alt="{escape(self.says)}" style="max-width:100%;{paper}"></picture>'
        )


def chart_data(values: Sequence[Mapping[str, object]]) -> alt.Data:
    """Values for a chart, written into it."""
    return alt.Data(values=values)  # type: ignore[no-untyped-call] # Altair leaves this one constructor untyped


def draw(chart: alt.LayerChart, says: str = "") -> Picture:
    """Draw a chart in both dresses; a mark of the style ``alarm`` or ``ink`` wears the alarm's or the text's colour.

    ``says`` is for those who cannot see it, where no page around the chart tells them.
    """
    spec = {**chart.to_dict(), "autosize": {"type": "none"}}
    light, dark = (
        vl_convert.vegalite_to_svg(spec, config=_config(dress), allowed_base_urls=[]) for dress in (LIGHT, DARK)
    )
    return Picture(_address(light), _address(dark), says)


def _config(dress: Dress) -> dict[str, object]:
    return {
        "aria": False,  # nothing inside an image is read aloud; the page's own alternative text is
        "background": None,
        "font": FONTS,
        "view": {"stroke": None},
        "range": {"category": list(dress.fates), "ramp": list(dress.ramp), "heatmap": list(dress.ramp)},
        "style": {"alarm": {"color": dress.alarm}, "ink": {"color": dress.text}},
        "text": {"color": dress.text, "fontSize": 12},
        "rule": {"color": dress.text},
        "line": {"color": dress.fates[0]},
        "point": {"color": dress.fates[0], "opacity": 1},
        "bar": {"color": dress.fates[0]},
        "legend": {"labelColor": dress.text, "labelFontSize": 12, "symbolType": "square", "columnPadding": 18},
        "axis": {
            "labelColor": dress.text,
            "titleColor": dress.text,
            "titleFontWeight": "normal",
            "domainColor": dress.line,
            "tickColor": dress.line,
        },
    }


def _address(svg: str) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
