import re
from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest

from parsers.confidence import ReliabilityBin
from parsers.types import Disposition
from pipeline.charts import confidence_chart, reliability_chart
from pipeline.drawing import DARK, LIGHT, Picture
from pipeline.report_facts import ConfidenceBin
from pipeline.shape_charts import shapes_chart
from pipeline.shapes import Claim, Shape

FATES = {"auto": "Auto", "review": "Review", "already_set": "Already set"}
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "'\"];alert(1)//",
    "\x1b\u202e오전 9시",
    "datum.rows",
    "=1+1",
    "[a](javascript:x)",
]


def _shape(name: str, rows: int) -> Shape:
    claims = (Claim("clock", Disposition.AUTO, 1, rows - 2), Claim("leftover", Disposition.REVIEW, 1, 1))
    return Shape(name, rows, 2, 0.1, 1, None, None, (), claims)


def _svg(address: str) -> ET.Element:
    kind, data = address.split(",", 1)
    assert kind == "data:image/svg+xml;base64"
    return ET.fromstring(b64decode(data))  # noqa: S314 - drawn by the code under test


def _texts(svg: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in svg.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def shapes() -> Picture:
    return shapes_chart([_shape(name, 1_000 * (9 - place)) for place, name in enumerate(HOSTILE)], FATES)


def test_draws_names_and_counts_as_text(shapes: Picture) -> None:
    texts = _texts(_svg(shapes.light))
    assert {"9,000", "8,000", "Auto", "Review", "Already set"} <= set(texts)
    assert {"<script>alert(1)</script>", "⟨U+001B⟩⟨U+202E⟩오전 9시", "datum.rows", "=1+1"} <= set(texts)


def test_has_nothing_but_drawing_elements(shapes: Picture) -> None:
    tags = {element.tag.removeprefix(SVG) for element in _svg(shapes.light).iter()}
    assert tags <= {"svg", "g", "path", "line", "text", "rect", "defs", "clipPath"}


def test_wears_both_dresses(shapes: Picture) -> None:
    for address, dress, other in ((shapes.light, LIGHT, DARK), (shapes.dark, DARK, LIGHT)):
        fills = {element.get("fill") for element in _svg(address).iter()}
        assert {dress.text, *dress.fates} <= fills
        assert not {other.text, *other.fates} & fills


def test_a_bar_is_as_long_as_its_rows() -> None:
    drawn = _svg(shapes_chart([_shape("a", 1_000), _shape("b", 500)], FATES).light)
    paths = [element.get("d", "") for element in drawn.iter(f"{SVG}path") if element.get("fill") == LIGHT.fates[0]]
    lengths = [float(path.split("h")[1].split("v")[0]) for path in paths if path.startswith("M0,")]
    assert lengths[0] / lengths[1] == pytest.approx(998 / 498, abs=0.01)


def test_confidence_has_bars_a_threshold_and_counts() -> None:
    bins = [
        ConfidenceBin(0, Disposition.REVIEW, 30),
        ConfidenceBin(19, Disposition.AUTO, 900),
        ConfidenceBin(19, Disposition.REVIEW, 45),
    ]
    drawn = _svg(confidence_chart(bins, 0.9, {"auto": "Auto", "review": "Review"}, "confidence").light)
    assert {"30", "945", "confidence", "Auto", "Review"} <= set(_texts(drawn))
    assert "Already set" not in _texts(drawn)
    rule = next(element for element in drawn.iter(f"{SVG}line") if element.get("stroke-dasharray"))
    assert rule.get("transform", "").startswith(f"translate({0.9 * 960:g},")


def _places(svg: ET.Element) -> list[tuple[float, float]]:
    points = (element for element in svg.iter(f"{SVG}path") if "A" in element.get("d", ""))
    return [tuple(map(float, re.findall(r"[\d.]+", point.get("transform", "")))) for point in points]


def test_reliability_sets_truth_against_confidence() -> None:
    bins = [ReliabilityBin(90, 0.85, 0.9), ReliabilityBin(90, 0.95, 0.95)]
    drawn = _svg(reliability_chart(bins, "confidence", "right").light)
    assert {"confidence", "right", "0.80", "1.00"} <= set(_texts(drawn))
    # The square from 0.8 to 1 is 900 wide and 220 high, its origin at the top left.
    assert _places(drawn) == [pytest.approx((225, 110)), pytest.approx((675, 55))]
    diagonal = next(element for element in drawn.iter(f"{SVG}line") if element.get("stroke-dasharray"))
    assert diagonal.get("transform") == "translate(0,220)"
    assert (diagonal.get("x2"), diagonal.get("y2")) == ("900", "-220")
