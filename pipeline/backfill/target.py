"""The live table as a move sees it: names quoted, types as the catalog spells them, and what is to be filled."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pipeline.catalog import look_up
from pipeline.errors import DatabaseError, UsageError
from pipeline.settings import TableNames

PERIOD, SLOT, SERVICE = "period", "slot", "service"
FILLS = (PERIOD, SLOT, SERVICE)
"""What a move can fill: the period; the start of the slot from the clock time; the three service columns by code."""

_TYPES = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
"""
_UNKNOWN_CODES = """
SELECT DISTINCT r.{service}::text FROM {table} r
WHERE r.{service} IS NOT NULL
    AND NOT EXISTS (SELECT FROM {services} s WHERE s.{code}::text = r.{service}::text COLLATE "C")
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination of columns that a batch fills in the same row: where it applies and what it writes.

    ``columns`` are the settings' names, ``where`` and ``assignments`` speak of the row as ``r``, of the plan's line as
    ``p`` and of the service as ``s``; ``joins`` is what stands behind ``FROM``.
    """

    name: str
    columns: tuple[str, ...]
    joins: sql.Composable
    where: sql.Composable
    assignments: sql.Composable
    as_meant: sql.Composable


@dataclass(frozen=True, slots=True)
class Target:
    """The table: ``oid`` to know it again, ``types`` of its columns by their names, and what to fill."""

    names: TableNames
    oid: int
    types: dict[str, str]
    fills: tuple[str, ...]

    @property
    def table(self) -> sql.Identifier:
        """The table's quoted name with its schema."""
        return sql.Identifier(self.names.table_schema, self.names.table)

    @property
    def shown(self) -> str:
        """The table's quoted name as text."""
        return self.table.as_string(None)

    @property
    def id(self) -> sql.Identifier:
        """The quoted name of the id."""
        return sql.Identifier(self.names.id)

    @property
    def id_type(self) -> sql.SQL:
        """The id's type, as the catalog spells it."""
        return self.type_of(self.names.id)

    def type_of(self, column: str) -> sql.SQL:
        """The type of ``column`` as the catalog spells it, quoted where it must be."""
        return sql.SQL(self.types[column])  # from the catalog, not from people

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column to be filled, in the order in which lines of the ledger name them."""
        names = self.names
        of = {
            PERIOD: (names.period,),
            SLOT: (names.slot_start,),
            SERVICE: (names.service_id, names.service_name, names.estimated_duration),
        }
        return tuple(column for fill in self.fills for column in of[fill])

    @property
    def in_steps(self) -> bool:
        """Whether a row may be filled at several times: what can be filled of it now, the rest when it can be."""
        return len(self.fills) > 1

    @property
    def blank(self) -> sql.Composable:
        """The condition on a row ``r`` that nothing to be filled holds anything: so nothing of ours can stand in it."""
        return sql.SQL(" AND ").join(sql.SQL("r.{} IS NULL").format(sql.Identifier(name)) for name in self.columns)

    def variants(self, run_id: str) -> tuple[Variant, ...]:
        """What a batch may fill, the most at once first: a row that one has filled is none for those behind it."""
        halves = [self._period(run_id, slot=slot) for slot in ((True, False) if SLOT in self.fills else (False,))]
        if PERIOD not in self.fills:
            halves = []
        if SERVICE not in self.fills:
            return tuple(halves)
        service = self._service()
        return (*(_both(half, service) for half in halves), *halves, service)

    def _period(self, run_id: str, *, slot: bool) -> Variant:
        names = self.names
        period, text = sql.Identifier(names.period), sql.Identifier(names.preferred_time)
        where = sql.SQL('p.run_id = {run} AND p.raw = r.{text}::text COLLATE "C" AND r.{period} IS NULL').format(
            run=sql.Literal(run_id), text=text, period=period
        )
        sets = sql.SQL("{} = p.period::{}").format(period, self.type_of(names.period))
        meant = sql.SQL("r.{}::text = p.period").format(period)
        if slot:
            start = sql.Identifier(names.slot_start)
            where += sql.SQL(" AND p.slot_start IS NOT NULL AND r.{} IS NULL").format(start)
            sets += sql.SQL(", {} = p.slot_start::{}").format(start, self.type_of(names.slot_start))
            meant += sql.SQL(" AND r.{}::text = p.slot_start").format(start)
        elif SLOT in self.fills:
            start = sql.Identifier(names.slot_start)
            where += sql.SQL(" AND (p.slot_start IS NULL OR r.{} IS NOT NULL)").format(start)
        columns = (names.period, names.slot_start) if slot else (names.period,)
        return Variant("+".join(columns), columns, sql.SQL("ojeon.plan p"), where, sets, meant)

    def _service(self) -> Variant:
        names = self.names
        code = sql.Identifier(names.service)
        columns = (names.service_id, names.service_name, names.estimated_duration)
        values = ("s.{id}", "s.{name}", "s.{duration} + s.{buffer}")
        there = {
            "id": sql.Identifier("id"),
            "name": sql.Identifier("name"),
            "duration": sql.Identifier("durationMinutes"),
            "buffer": sql.Identifier("bufferMinutes"),
        }
        expressions = [sql.SQL(value).format(**there) for value in values]
        pairs = list(zip(columns, expressions, strict=True))
        empty = [sql.SQL("r.{} IS NULL").format(sql.Identifier(column)) for column in columns]
        return Variant(
            "+".join(columns),
            columns,
            sql.SQL("{} s").format(sql.Identifier(names.table_schema, names.services)),
            sql.SQL(" AND ").join([sql.SQL('s.code::text = r.{}::text COLLATE "C"').format(code), *empty]),
            sql.SQL(", ").join(
                sql.SQL("{} = ({})::{}").format(sql.Identifier(column), value, self.type_of(column))
                for column, value in pairs
            ),
            sql.SQL(" AND ").join(
                sql.SQL("r.{} IS NOT DISTINCT FROM ({})::{}").format(
                    sql.Identifier(column), value, self.type_of(column)
                )
                for column, value in pairs
            ),
        )


def _both(half: Variant, service: Variant) -> Variant:
    both = sql.SQL("({}) AND ({})")
    return Variant(
        f"{half.name}+{service.name}",
        half.columns + service.columns,
        sql.SQL("{}, {}").format(half.joins, service.joins),
        both.format(half.where, service.where),
        sql.SQL("{}, {}").format(half.assignments, service.assignments),
        both.format(half.as_meant, service.as_meant),
    )


def find_target(connection: psycopg.Connection[Any], names: TableNames, fills: tuple[str, ...]) -> Target:
    """Look the table up and check that everything to be filled is there.

    Raises:
        DatabaseError: the table or a column is missing, cannot be written, or ids are not unique.
        UsageError: ``fills`` names what cannot be filled.
    """
    if unknown := [fill for fill in fills if fill not in FILLS]:
        raise UsageError(f"{unknown[0]!r} cannot be filled. Choose among {', '.join(FILLS)} (setting fill).")
    if SLOT in fills and PERIOD not in fills:
        raise UsageError(f"A start is filled beside its period only. Fill both: {PERIOD}, {SLOT} (setting fill).")
    fills = tuple(fill for fill in FILLS if fill in fills)  # whatever their order, and once each
    table = look_up(connection, names)
    if table.unwritable:
        raise DatabaseError(table.unwritable)
    if not table.unique_id:
        raise DatabaseError(
            f"No unique index says that no {names.id!r} occurs twice, so rows cannot be told apart while they are "
            "moved. Name a unique column with OJEON_NAMES__ID, or add a unique index, then run again."
        )
    quoted = sql.Identifier(names.table_schema, names.table).as_string(connection)
    row = connection.execute("SELECT to_regclass(%s)::oid", (quoted,)).fetchone()
    oid = int(row[0]) if row else 0
    types: dict[str, str] = dict(connection.execute(_TYPES, (oid,)).fetchall())
    target = Target(names, oid, types, fills)
    for column in _needed(target):
        if column not in types:
            raise DatabaseError(
                f"{quoted} has no column {column!r}, which is to be filled. Add it, nullable, or leave it out of the "
                "setting fill."
            )
    return target


def unknown_services(connection: psycopg.Connection[Any], target: Target) -> list[str]:
    """Service codes of the table without a row in the services' table; none may be left before anything is written."""
    if SERVICE not in target.fills:
        return []
    names = target.names
    query = sql.SQL(_UNKNOWN_CODES).format(
        service=sql.Identifier(names.service),
        table=target.table,
        services=sql.Identifier(names.table_schema, names.services),
        code=sql.Identifier("code"),
    )
    return [code for (code,) in connection.execute(query).fetchall()]


def _needed(target: Target) -> list[str]:
    names = target.names
    needed = [names.slot_start] if SLOT in target.fills else []
    if SERVICE in target.fills:
        needed += [names.service, names.service_id, names.service_name, names.estimated_duration]
    return needed
