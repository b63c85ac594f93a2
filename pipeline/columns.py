"""The columns an extract reads: which must be there, which may be missing, and what a wrong name may have meant."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from pipeline.settings import TableNames

REQUIRED = ("id", "preferred_time")
OPTIONAL = ("preferred_date", "created_at", "period")


def named(names: TableNames) -> dict[str, str]:
    """The columns' names by setting, without those that are set to nothing."""
    return {setting: name for setting in (*REQUIRED, *OPTIONAL) if (name := getattr(names, setting))}


def missing_column(names: TableNames, there: Collection[str], place: str) -> str | None:
    """A sentence about a column that the extract cannot do without, or None where both are there."""
    for setting in REQUIRED:
        name = getattr(names, setting)
        if name not in there:
            near = meant(name, there)
            others = ", ".join(sorted(there)[:12]) or "none"
            hint = f"It has {near!r}: name it with" if near else f"It has {others}. Name the right one with"
            fix = f"OJEON_NAMES__{setting.upper()}={near or 'COLUMN'}"
            return f"{place} has no column {name!r}. {hint} {fix}, or {setting} under [names] in ojeon.toml."
    return None


def absent_columns(names: TableNames, there: Collection[str]) -> tuple[str, ...]:
    """A sentence about each column that is named, missing, and can be done without."""
    sentences = []
    for setting in OPTIONAL:
        name = getattr(names, setting)
        if name and name not in there:
            near = meant(name, there)
            hint = f" (did you mean {near!r}? set OJEON_NAMES__{setting.upper()}={near})" if near else ""
            sentences.append(f"There is no column {name!r}{hint}; it counts as empty in every row.")
    return tuple(sentences)


def meant(name: str, there: Iterable[str]) -> str | None:
    """The name nearest to ``name``: first one that differs in case alone, then one a few letters away.

    >>> meant("preferredTime", ["id", "preferredtime"])
    'preferredtime'
    >>> meant("reservation", ["services", "reservations"])
    'reservations'
    >>> meant("period", ["id", "phone"])
    """
    names = list(there)
    folded = [other for other in names if other.casefold() == name.casefold()]
    return next(iter(folded or get_close_matches(name, names, n=1, cutoff=0.7)), None)
