"""The states of a move, and which may follow which. Whatever is not in ``NEXT`` is refused."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where the move of a run stands. A killed process leaves ``APPLYING`` or ``UNDOING`` behind: start it again."""

    PLANNED = "planned"
    APPLYING = "applying"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDO_PAUSED = "undo_paused"
    UNDONE = "undone"


NEXT: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        # Nothing was written yet.
        State.PLANNED: frozenset({State.APPLYING, State.CANCELLED}),
        # To itself: another process goes on where one was killed.
        State.APPLYING: frozenset({State.APPLYING, State.PAUSED, State.CANCELLED, State.APPLIED, State.UNDOING}),
        State.PAUSED: frozenset({State.APPLYING, State.CANCELLED, State.UNDOING}),
        # What was written stays until it is undone; it may also be gone on with.
        State.CANCELLED: frozenset({State.APPLYING, State.UNDOING}),
        # Rows that arrived since are applied as an increment.
        State.APPLIED: frozenset({State.APPLYING, State.UNDOING}),
        State.UNDOING: frozenset({State.UNDOING, State.UNDO_PAUSED, State.UNDONE, State.APPLYING}),
        State.UNDO_PAUSED: frozenset({State.UNDOING, State.UNDO_PAUSED, State.APPLYING}),
        # Undo of an undo is apply again.
        State.UNDONE: frozenset({State.APPLYING}),
    }
)


def before(state: State) -> frozenset[State]:
    """The states that ``state`` may follow.

    >>> sorted(before(State.UNDONE))
    [<State.UNDOING: 'undoing'>]
    """
    return frozenset(earlier for earlier, later in NEXT.items() if state in later)
