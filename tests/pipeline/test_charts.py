import re
from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest

from parsers.confidence import ReliabilityBin
from parsers.types import Disposition
from pipeline.charts import confidence_chart, reliability_chart
from pipeline.drawing import DARK, LIGHT, Picture
from pipeline.report_facts import ConfidenceBin

SVG = "{http://www.w3.org/2000/svg}"
WIDTH = 470


def _svg(address: str) -> ET.Element:
    kind, data = address.split(",", 1)
    assert kind == "data:image/svg+xml;base64"
    return ET.fromstring(b64decode(data))  # noqa: S314 - drawn by the code under test


def _texts(svg: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in svg.iter(f"{SVG}text")]


BINS = [
    ConfidenceBin(0, Disposition.REVIEW, 30),
    ConfidenceBin(18, Disposition.AUTO, 450),
    ConfidenceBin(19, Disposition.AUTO, 900),
    ConfidenceBin(19, Disposition.REVIEW, 45),
]


@pytest.fixture(scope="module")
def confidences() -> Picture:
    return confidence_chart(BINS, 0.9, {"auto": "<script>alert(1)</script>", "review": "datum.rows"}, "'\"];alert(1)//")


def test_words_are_drawn_as_they_stand(confidences: Picture) -> None:
    assert {"<script>alert(1)</script>", "datum.rows", "'\"];alert(1)//"} <= set(_texts(_svg(confidences.light)))


def test_has_nothing_but_drawing_elements(confidences: Picture) -> None:
    tags = {element.tag.removeprefix(SVG) for element in _svg(confidences.light).iter()}
    assert tags <= {"svg", "g", "path", "line", "text", "rect", "defs", "clipPath"}


def test_wears_both_dresses(confidences: Picture) -> None:
    for address, dress, other in ((confidences.light, LIGHT, DARK), (confidences.dark, DARK, LIGHT)):
        fills = {element.get("fill") for element in _svg(address).iter()}
        assert {dress.text, *dress.fates[:2]} <= fills
        assert not {other.text, *other.fates} & fills


def test_a_bar_is_as_high_as_its_rows(confidences: Picture) -> None:
    heights = [
        float(path.get("d", "").split("v")[1].split("h")[0])
        for path in _svg(confidences.light).iter(f"{SVG}path")
        if path.get("fill") == LIGHT.fates[0] and not path.get("transform")
    ]
    assert heights[0] / heights[1] == pytest.approx(450 / 900)


def test_confidence_has_bars_a_threshold_and_counts() -> None:
    drawn = _svg(confidence_chart(BINS, 0.9, {"auto": "Auto", "review": "Review"}, "confidence").light)
    assert {"30", "450", "945", "confidence", "Auto", "Review"} <= set(_texts(drawn))
    rule = next(element for element in drawn.iter(f"{SVG}line") if element.get("stroke-dasharray"))
    assert rule.get("transform", "").startswith(f"translate({0.9 * WIDTH:g},")


def _places(svg: ET.Element) -> list[tuple[float, float]]:
    points = (element for element in svg.iter(f"{SVG}path") if "A" in element.get("d", ""))
    return [tuple(map(float, re.findall(r"[\d.]+", point.get("transform", "")))) for point in points]


def test_reliability_sets_truth_against_confidence() -> None:
    bins = [ReliabilityBin(90, 0.85, 0.9), ReliabilityBin(90, 0.95, 0.95)]
    drawn = _svg(reliability_chart(bins, "confidence", "right").light)
    assert {"confidence", "right", "0.80", "1.00"} <= set(_texts(drawn))
    # The square from 0.8 to 1 is 414 wide and 200 high, its origin at the top left.
    assert _places(drawn) == [pytest.approx((103.5, 100)), pytest.approx((310.5, 50))]
    diagonal = next(element for element in drawn.iter(f"{SVG}line") if element.get("stroke-dasharray"))
    assert diagonal.get("transform") == "translate(0,200)"
    assert (diagonal.get("x2"), diagonal.get("y2")) == ("414", "-200")
