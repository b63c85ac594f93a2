"""Reading the mixed corpus, every text once: texts a second of one core's time, and how much of it is right.

The corpus is every labelled text and as many of what formatters print. Beside each peer's speed stand its precision
(of the texts it decided, how many are labelled AUTO with that half) and its coverage (of the texts labelled AUTO, how
many it decided right).
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.result import Result

_OWN_ENVIRONMENT = Path(sys.prefix) / "peers" / "bin" / "python"
_TARGETS = {"dateparser": 50, "python-dateutil": 5}
_OTHERS = ("korean-datetime", "timefhuman", "parsedatetime")
# These take minutes for the whole; they read every tenth text.
_SLOW = ("ctparse", "recognizers-text")


class _Text(NamedTuple):
    """A text and the half it is labelled with; None where it is labelled for review."""

    text: str
    period: str | None


class _Figures(NamedTuple):
    """What one reader did with the corpus."""

    speed: float
    precision: float
    coverage: float


def run() -> list[Result]:
    """Measure all readers on the same texts, one after the other.

    Raises:
        FileNotFoundError: the peers' environment is missing; ``make bench`` installs it.
    """
    texts = mixed()
    theirs = str(_OWN_ENVIRONMENT)
    figures = _read(sys.executable, ["ojeon", *_TARGETS], texts)
    figures |= _read(theirs, _OTHERS, texts) | _read(theirs, _SLOW, texts[::10])
    ours = figures["ojeon"]
    return [_line(f"read {len(texts):,} texts: ojeon", ours, ours, None)] + [
        _line(f"  {name}", ours, peer, _TARGETS.get(name)) for name, peer in figures.items() if name != "ojeon"
    ]


def mixed() -> list[_Text]:
    """The labelled texts and as many of the formatters', evenly drawn; all distinct."""
    from fixtures.corpus import cases  # noqa: PLC0415 - Babel only where it is used
    from fixtures.formatters import formatted  # noqa: PLC0415

    labelled = {case.text: case.period if case.auto else None for case in cases()}
    printed = [text for text in formatted() if text.text not in labelled]
    step = max(1, len(printed) // len(labelled))
    drawn = {text.text: text.period if text.auto else None for text in printed[::step]}
    return [_Text(*pair) for pair in (labelled | drawn).items()]


def _read(python: str, names: Iterable[str], texts: list[_Text]) -> dict[str, _Figures]:
    command = [python, "-W", "ignore", "-m", "benchmarks.readers", *names]
    given = json.dumps([text.text for text in texts])
    done = subprocess.run(
        command, check=True, input=given, capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    return {name: _figures(read["seconds"], read["periods"], texts) for name, read in json.loads(done.stdout).items()}


def _figures(seconds: float, periods: list[str | None], texts: list[_Text]) -> _Figures:
    right = sum(period is not None and period == text.period for period, text in zip(periods, texts, strict=True))
    decided = sum(period is not None for period in periods)
    decidable = sum(text.period is not None for text in texts)
    return _Figures(len(texts) / seconds, right / max(decided, 1), right / decidable)


def _line(name: str, ours: _Figures, peer: _Figures, target: int | None) -> Result:
    ratio = ours.speed / peer.speed
    shown = f"{name} (precision {peer.precision:.4f}, coverage {peer.coverage:.4f})"
    said = f"≥ {target}" if target else "printed apart"
    return Result(shown, ours.speed, peer.speed, "texts/s", ratio, said, target is None or ratio >= target)
