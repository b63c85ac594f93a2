"""What the report says in one language: its words, and the sentences that are made of words and figures."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from math import ceil
from typing import Any, Self

from pipeline.figures import count, percent
from pipeline.gates import SHARE_LAW, Gate, GateName, GateState
from pipeline.report_facts import ReportView
from pipeline.settings import Language

_PLACES = {"confidence": 0, "share": 2}
_TEMPLATES = resources.files("pipeline") / "templates"


@dataclass(frozen=True, slots=True)
class ToldGate:
    """One gate and its sentence."""

    name: GateName
    state: GateState
    sentence: str


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One expectation: how it ended (``passed``, ``failed``, ``not_evaluated``), what it asks, what was found.

    ``is_gate`` tells whether it is a gate of its own.
    """

    is_gate: bool
    status: str
    law: str
    found: str


@dataclass(frozen=True, slots=True)
class ToldSuite:
    """One suite; ``frame`` is how many lines of the tables it looked at."""

    name: str
    frame: int
    lines: tuple[ToldLine, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, by name, as its file has them."""

    say: Mapping[str, Any]

    @classmethod
    def load(cls, language: Language) -> Self:
        """Read a language's file."""
        return cls(tomllib.loads((_TEMPLATES / f"report.{language}.toml").read_text(encoding="utf-8")))

    def shape(self, meaning: str) -> str:
        """A shape's name by meaning, part for part in this language."""
        kinds = self.say["shapes"]["kinds"]
        longest_first = "|".join(re.escape(kind) for kind in sorted(kinds, key=len, reverse=True))
        return re.sub(rf"(?<!\S)(?:{longest_first})(?!\S)", lambda match: kinds[match[0]], meaning)

    def gates(self, view: ReportView) -> list[ToldGate]:
        """The gates in their order."""
        return [ToldGate(gate.name, gate.state, self._gate(gate, view)) for gate in view.gates]

    def suites(self, view: ReportView) -> list[ToldSuite]:
        """The suites of the check; none where nothing was checked."""
        names = self.say["checks"]["suites"]
        return [
            ToldSuite(
                names.get(suite["name"], suite["name"]),
                suite["lines"],
                tuple(self._line(result, view.limits) for result in suite["results"]),
            )
            for suite in (view.checks["suites"] if view.checks else [])
        ]

    def _gate(self, gate: Gate, view: ReportView) -> str:
        if gate.name is GateName.TABLE and view.unwritable:
            return view.unwritable
        name = f"{gate.name}_{gate.state}" if gate.figures else f"{gate.name}_none"
        said = self.say["gates"]["said"]
        return filled(said.get(name, said.get(gate.name.value)), **_spelled(gate.figures))

    def _line(self, result: Mapping[str, Any], limits: Mapping[str, Any]) -> ToldLine:
        law = self.say["checks"]["laws"].get(result["law"])
        asked = result["expected"] if law is None else law.format(**limits)
        is_gate = result["law"] == SHARE_LAW
        return ToldLine(is_gate, result["status"].replace(" ", "_"), asked, self._found(result))

    def _found(self, result: Mapping[str, Any]) -> str:
        """As ``ExpectationResult.found`` says it, in this language."""
        say = self.say["checks"]["founds"]
        if result["error"] is not None:
            return filled(say["error"], error=result["error"])
        if not result["checked"]:
            return str(say["nothing"])
        if result["observed"] is not None:
            facts = result["observed"].items()
            return ", ".join(f"{name} = {_figure(value, say['undefined'])}" for name, value in facts)
        name = "broken" if result["unexpected"] else "all"
        return filled(say[name], **{key: result[key] or 0 for key in ("checked", "unexpected", "rows")})


def filled(sentence: str, **values: object) -> str:
    """Fill a sentence's places; counts come with their thousands apart.

    >>> filled("{rows} rows of {name}", rows=1234, name="a")
    '1,234 rows of a'
    """
    return sentence.format(
        **{name: count(value) if isinstance(value, int) else value for name, value in values.items()}
    )


def at_most(share: float) -> str:
    """A bound in percent, never told smaller than it is.

    >>> at_most(0.00099976), at_most(0.0015827)
    ('0.10%', '0.16%')
    """
    return percent(ceil(share * 10_000) / 10_000, 2)


def _spelled(figures: Mapping[str, int | float]) -> dict[str, object]:
    """Counts stay; shares become percentages, a bound rounded up."""
    return {name: value if isinstance(value, int) else _share(name, value) for name, value in figures.items()}


def _share(name: str, value: float) -> str:
    return at_most(value) if name == "bound" else percent(value, _PLACES.get(name, 1))


def _figure(value: float | None, undefined: str) -> str:
    return undefined if value is None else count(value) if isinstance(value, int) else f"{value:.7g}"
