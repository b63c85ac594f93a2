"""Decisions, explanations and settings for people on a terminal; texts are shown so that they cannot drive it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from parsers import Decision, Disposition, Policy, Reason, decide
from parsers.chain import Explanation
from pipeline.answers import Standing
from pipeline.figures import counted
from pipeline.settings import Settings
from pipeline.suggest import Suggestion
from pipeline.visible import visible

_STYLE = {Disposition.AUTO: "green", Disposition.REVIEW: "yellow"}
_SHOWN = 60

# The line of the decision policy behind each review reason.
WHY: dict[Reason, str] = {
    Reason.EMPTY: "the text is missing or blank",
    Reason.PLACEHOLDER: "the text stands for 'not filled in'",
    Reason.NO_TIME: "nothing in it says a time of day",
    Reason.BARE_NUMBER: "digits alone may be an hour, a date or anything else",
    Reason.INVALID_CLOCK: "no clock shows this",
    Reason.AMBIGUOUS_HOUR: "not exactly one of its readings lies in opening hours",
    Reason.AMBIGUOUS_WORD: "the word fits both halves of the day",
    Reason.NOON_OR_MIDNIGHT: "twelve with a morning word may be noon or midnight",
    Reason.PLACEHOLDER_MIDNIGHT: "midnight is what machines write for 'no time'",
    Reason.OUTSIDE_HOURS: "the clinic is not open then, not even nearly",
    Reason.CONTRADICTION: "its parts contradict each other",
    Reason.CONFLICTING: "it names both halves of the day",
    Reason.SPANS_NOON: "it reaches from the morning into the afternoon",
    Reason.NEGATION: "what it denies or demands is for a person to say",
    Reason.NO_PREFERENCE: "any time will do, so a person may choose",
    Reason.RELATIVE_OR_DURATION: "a length of time is no time of day",
    Reason.UNEXPLAINED_TEXT: "a part of it is not understood, and a guess is not allowed",
    Reason.FALLBACK_ONLY: "only the general-purpose date library reads it",
    Reason.LOW_CONFIDENCE: "the rule is not sure enough for this clinic's threshold",
    Reason.TOO_LONG: "over 200 characters it is not read",
}


# The line of the decision policy behind each rule that can decide alone.
HOW: dict[str, str] = {
    "halfday_clock": "the half-day word decides, and the time lies in plausible hours",
    "hour_24": "an hour of 13 to 23 has one reading, and it lies in plausible hours",
    "padded_clock": "two digits are read as a 24-hour clock, and it lies in plausible hours",
    "bare_hour": "of the two readings of a bare hour just one lies in opening hours",
    "minutes_ago": "minutes before the hour, of which just one reading lies in opening hours",
    "zoned_clock": "an offset is converted to the clinic's zone, then read as a 24-hour clock",
    "time_only_column": "of the literal and the converted time of a time-only column just one is plausible",
    "noon": "noon is the first minute of the afternoon",
    "morning_word": "the word names the morning",
    "afternoon_word": "the word names the afternoon",
    "lunch_word": "lunch is 12:00 to 14:00",
    "range": "from its first minute to its last it lies in one half",
    "bound": "what it leaves of the opening hours lies in one half",
    "alternatives": "every alternative lies in the same half",
}


# These claim whatever reaches them, so behind a decision their claims say nothing.
_LAST_RESORTS = {"unexplained", "no_time"}


def decision_table(texts: Iterable[str], policy: Policy) -> Table:
    """One line a text."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("text", "decision", "period", "start", "end", "confidence", "rule", "reason"):
        table.add_column(heading, no_wrap=heading != "text", min_width=12 if heading == "text" else None)
    for text in texts:
        decision = decide(text, policy)
        table.add_row(Text(visible(text, _SHOWN)), *_cells(decision))
    return table


def _cells(decision: Decision) -> tuple[Text, ...]:
    return (
        Text(decision.disposition, style=_STYLE[decision.disposition]),
        Text(_period(decision)),
        Text(decision.start or ""),
        Text(decision.end or ""),
        Text(f"{decision.confidence:.3f}" if decision.period else ""),
        Text(decision.rule),
        Text(decision.reason or ""),
    )


def _period(decision: Decision) -> str:
    if decision.period is None:
        return "–"
    return decision.period.value + ("" if decision.disposition is Disposition.AUTO else "?")


def explanation_view(explanation: Explanation) -> RenderableType:
    """How a text came to its decision, on one screen."""
    decision = explanation.decision
    verdict = Text.assemble(
        (decision.disposition.value, f"bold {_STYLE[decision.disposition]}"),
        f" {_period(decision)}",
        (f"  confidence {decision.confidence:.3f}" if decision.period else "", "dim"),
    )
    why = f"{decision.reason}: {WHY[decision.reason]}" if decision.reason else f"{decision.rule}: {HOW[decision.rule]}"
    facts = Table.grid(padding=(0, 2))
    facts.add_row(Text("text", "dim"), Text(visible(explanation.raw or "", _SHOWN)))
    facts.add_row(Text("read as", "dim"), Text(visible(explanation.text, _SHOWN)))
    facts.add_row(Text("pieces", "dim"), _pieces(explanation))
    for seen, readings in explanation.weighed:
        facts.add_row(Text("weighed", "dim"), Text.assemble((visible(seen), "bold"), f" may be {readings}"))
    facts.add_row(Text("used", "dim"), Text(visible(decision.seen, _SHOWN) or "–"))
    facts.add_row(Text("decision", "dim"), verdict)
    facts.add_row(Text("because", "dim"), Text(why))
    return Group(facts, Text(), _steps(explanation))


def words_view(raw: str, words: Standing) -> Text | None:
    """What reviewers say about exactly this text, where they say something; their word goes before every parser."""
    if settled := words.settled.get(raw):
        who = ", ".join(f"{answer.reviewer} {answer.at:%Y-%m-%d}" for answer in settled.answers)
        return Text(f"A reviewed decision wins in the next run: {settled.verdict} ({who}).", "bold")
    if disputed := words.conflicts.get(raw):
        who = ", ".join(f"{answer.reviewer} {answer.verdict}" for answer in disputed)
        return Text(f"Reviewers differ ({who}), so the next run leaves it to people.", "bold yellow")
    return None


def words_as_dict(raw: str, words: Standing) -> dict[str, Any] | None:
    """The same as JSON holds it; ``verdict`` is null where reviewers differ."""
    settled = words.settled.get(raw)
    said = settled.answers if settled else words.conflicts.get(raw, ())
    if not said:
        return None
    return {
        "verdict": settled.verdict if settled else None,
        "answers": [{"reviewer": word.reviewer, "verdict": word.verdict, "at": word.at.isoformat()} for word in said],
    }


def _pieces(explanation: Explanation) -> Text:
    pieces = Text()
    for kind, text in explanation.tokens:
        pieces.append(visible(text), style="bold red" if kind == "unknown" else "bold")
        pieces.append(f" {kind}   ", style="dim")
    return pieces


def _steps(explanation: Explanation) -> RenderableType:
    """What the parsers said, the deciding one first; the silent ones in one line."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("parser", "says", "period", "time", "rule", "reason"):
        table.add_column(heading, no_wrap=True)
    silent = [step.parser for step in explanation.steps if step.decision is None]
    claims = [(step.parser, step.decision) for step in explanation.steps if step.decision is not None]
    claims = claims[:1] + [claim for claim in claims[1:] if claim[0] not in _LAST_RESORTS]
    for place, (parser, said) in enumerate(claims):
        time = "–".join(part for part in (said.start, said.end) if part)
        style = _STYLE[said.disposition] if place == 0 else "dim"
        name = parser if place else f"{parser} (decides)"
        says = Text(said.disposition, style=style)
        table.add_row(
            Text(name, style if not place else "dim"), says, _period(said), time, said.rule, said.reason or ""
        )
    return Group(table, Text(f"nothing to say: {', '.join(silent)}", style="dim"))


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON holds it."""
    return {
        "raw": explanation.raw,
        "text": explanation.text,
        "tokens": [{"kind": kind, "text": text} for kind, text in explanation.tokens],
        "symbols": explanation.symbols,
        "weighed": [{"text": text, "readings": readings} for text, readings in explanation.weighed],
        "decision": asdict(explanation.decision),
        "steps": [
            {"parser": step.parser, "decision": asdict(step.decision) if step.decision else None}
            for step in explanation.steps
        ],
    }


def suggestion_table(suggestions: Sequence[Suggestion], top: int) -> RenderableType:
    """What each word would settle, as sentences that a person may act on."""
    if not suggestions:
        return Text("No single word would settle any of the texts left for review.")
    lines = [
        Text.assemble(
            "adding ",
            (suggestion.word, "bold"),
            f" as a filler settles {counted(suggestion.rows, 'row')} in {counted(suggestion.texts, 'text')}",
            (f"  e.g. {suggestion.example}", "dim"),
        )
        for suggestion in suggestions[:top]
    ]
    rest = len(suggestions) - top
    advice = "A word that carries a time, a refusal or a condition must not become a filler."
    return Group(*lines, Text(f"{rest:,} more" if rest > 0 else ""), Text(advice, "dim"))


def settings_table(settings: Settings, origins: Mapping[str, str]) -> Table:
    """Every setting, its value and where it came from."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("setting", "value", "from"):
        table.add_column(heading)
    for name, value in settings.model_dump(mode="json").items():
        shown = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
        if isinstance(value, dict):
            shown = "\n".join(f"{key} = {item}" for key, item in value.items())
        table.add_row(Text(name, "bold"), Text(shown), Text(origins[name], "" if origins[name] != "default" else "dim"))
    return table
