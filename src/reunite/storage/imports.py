"""What imports have dealt with, in PostgreSQL."""

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from reunite.storage.tables import imports


class PostgresImports:
    """Implements ``ImportRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def seen(self, source: str) -> set[str]:
        """Names of the files of this source that are done."""
        return set(
            self._connection.scalars(select(imports.c.name).where(imports.c.source == source))
        )

    def add(self, source: str, name: str, outcome: str, detail: str) -> None:
        """One file is done: ``imported``, ``duplicate`` or ``refused``."""
        said = {"outcome": outcome, "detail": detail}
        self._connection.execute(
            insert(imports)
            .values(source=source, name=name, **said)
            .on_conflict_do_update(
                index_elements=["source", "name"], set_={**said, "at": func.now()}
            )
        )

    def list_outcomes(self, source: str) -> list[tuple[str, str, str]]:
        """Name, outcome and detail of every file, by name."""
        rows = self._connection.execute(
            select(imports.c.name, imports.c.outcome, imports.c.detail)
            .where(imports.c.source == source)
            # As Python sorts, whatever the collation of the database.
            .order_by(imports.c.name.collate("C"))
        )
        return [(row.name, row.outcome, row.detail) for row in rows]
