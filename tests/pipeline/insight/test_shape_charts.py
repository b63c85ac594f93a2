from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest

from parsers.types import Disposition
from pipeline.drawing import DARK, LIGHT, Picture
from pipeline.insight.shape_charts import shapes_chart
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
