"""Links and pictures of the pages lead somewhere in the repository; pictures are small and carry words."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown_pages
import pytest

IMAGES = sorted((markdown_pages.ROOT / "docs" / "images").iterdir())
LARGEST = 200_000  # bytes


def place_of(page, target):
    parts = urlsplit(target)
    path = page if not parts.path else Path(page.parent, unquote(parts.path)).resolve()
    return path, unquote(parts.fragment)


@pytest.mark.parametrize("page", markdown_pages.PAGES, ids=markdown_pages.named)
def test_links_lead_somewhere(page):
    lost = []
    for target in markdown_pages.targets(page):
        if urlsplit(target).scheme in {"https", "http"}:
            continue
        path, anchor = place_of(page, target)
        if not path.exists() or (anchor and anchor not in markdown_pages.anchors(path)):
            lost.append(target)
    assert lost == []


def test_every_page_can_be_reached_from_the_first():
    reached, ahead = set(), [markdown_pages.ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        ahead += [place_of(page, target)[0] for target in markdown_pages.targets(page) if "://" not in target]
    assert [markdown_pages.named(page) for page in markdown_pages.PAGES if page not in reached] == []


@pytest.mark.parametrize("image", IMAGES, ids=markdown_pages.named)
def test_pictures_are_shown_and_small(image):
    shown = {place_of(page, target)[0] for page in markdown_pages.PAGES for target in markdown_pages.targets(page)}
    assert image in shown
    assert image.stat().st_size < LARGEST


@pytest.mark.parametrize("page", markdown_pages.PAGES, ids=markdown_pages.named)
def test_pictures_carry_words(page):
    assert re.findall(r"!\[\s*\]", page.read_text(encoding="utf-8")) == []
