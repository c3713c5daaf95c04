"""PostgreSQL's binary COPY for rows of one fixed width, written by numpy at once.

A row that all fields of are present and of one length is a record: 2 bytes for the number
of fields, then 4 bytes of length before each field, everything big-endian.  So a whole
table can be made as one structured array, instead of a tuple a row.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql
from sqlalchemy import Connection

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, no flags, no extension
_TRAILER = b"\xff\xff"

Rows = npt.NDArray[np.void]


def psycopg_connection(connection: Connection) -> "psycopg.Connection[tuple[object, ...]]":
    """The driver's connection, in the same transaction, for what SQLAlchemy has no words for."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)  # noqa: S101  (the engine is made for psycopg)
    return raw


def row_dtype(columns: Mapping[str, str | np.dtype[np.void]]) -> np.dtype[np.void]:
    """The record of one row.

    columns : numpy type of each column by name, e.g. ``">i8"`` for bigint, ``"V256"`` for bytea
    """
    fields: list[tuple[str, str | np.dtype[np.void]]] = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(_length_of(name), ">i4"), (name, kind)]
    return np.dtype(fields)


def new_rows(n: int, columns: Mapping[str, str | np.dtype[np.void]]) -> Rows:
    """``n`` rows with all values zero and the framing filled in."""
    rows = np.zeros(n, dtype=row_dtype(columns))
    rows["fields"] = len(columns)
    for name in columns:
        rows[_length_of(name)] = rows.dtype[name].itemsize
    return rows


def copy_rows(
    connection: Connection, table: str, columns: Iterable[str], batches: Iterable[Rows]
) -> None:
    """Append rows made by ``new_rows`` with these columns, in this order."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with psycopg_connection(connection).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        for rows in batches:
            copy.write(rows.tobytes())
        copy.write(_TRAILER)


def _length_of(column: str) -> str:
    return f"{column}.length"
