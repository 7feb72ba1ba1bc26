"""What an export promises of a table: its name, its columns with their types, and which totals must agree with the run.

The SQL of every column stands beside its name and type, so that the file has exactly these columns, whatever the run
holds; a column for which the run knows nothing is a null of that type.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of an exported table: its name, its DuckDB type, and the SQL that fills it."""

    name: str
    type: str
    sql: str

    @property
    def select(self) -> str:
        """The column as a part of a SELECT."""
        return f'CAST({self.sql} AS {self.type}) AS "{self.name}"'


@dataclass(frozen=True)
class Total:
    """One amount that must agree in each currency: summed over the rows of the export, and over the facts.

    `exported` is SQL over the written table, `wanted` over the rows of `facts` (a table of the run, with a WHERE
    clause where needed), in whole minor units; `is_major` where the export writes decimals of major units instead.
    """

    name: str
    exported: str
    facts: str
    wanted: str
    is_major: bool = False


@dataclass(frozen=True)
class Table:
    """A table to export: one row for each row of `source` (SQL after FROM), its columns, and what is compared.

    `reading` is what reconciliation selects from the table as it was written.
    `rows` is SQL over the facts for the number of rows there must be, `rows_are` says it in words.
    """

    name: str
    source: str
    columns: tuple[Column, ...]
    rows: str
    totals: tuple[Total, ...] = ()
    rows_are: str = ""
    order: str = ""
    constants: tuple[Column, ...] = ()
    reading: str = "*"

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Its own columns, then those that every table of this export has."""
        return self.columns + self.constants

    @property
    def select(self) -> str:
        """The rows as one query."""
        order = f" ORDER BY {self.order}" if self.order else ""
        return f"SELECT {', '.join(column.select for column in self.all_columns)} FROM {self.source}{order}"


@dataclass(frozen=True)
class Lines(Table):
    """A file of JSON lines: `source` is a query for lines of JSON, `columns` are those read back to be compared.

    `staged` is a query whose rows are laid aside first, where `source` finds them as `staged`: what has to be sorted
    is sorted narrow and becomes JSON afterwards (sorting the JSON takes more memory than an export may have).
    """

    staged: str = ""

    @property
    def select(self) -> str:
        """The lines as one query."""
        return self.source


def columns(text: str) -> tuple[Column, ...]:
    """Columns written as lines `name TYPE = SQL`; a line without SQL is a null of that type.

    >>> columns("id VARCHAR = cus(subscriber)")[0].select
    'CAST(cus(subscriber) AS VARCHAR) AS "id"'
    """
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        declared, _, sql = line.partition(" = ")
        name, kind = declared.split(maxsplit=1)
        found.append(Column(name, kind.strip(), sql or "NULL"))
    return tuple(found)
