"""What is known beyond looks, and the keys of linkage, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.background import Background
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Side
from reunite.ports import CaseKeys
from reunite.storage.copying import copy_rows, new_rows
from reunite.storage.tables import backgrounds, linkage_keys, linkage_nights

_NAMES = tuple(one.name for one in fields(Background))
_KEY_COLUMNS = {"key": ">i8", "side": ">i2", "case_id": ">i8"}
# A key that very many share says nothing, and counting them all would take the time of everyone.
MOST_ROWS_A_KEY = 2000
_CANDIDATES = text("""
    SELECT case_id, count(*) AS hits
    FROM unnest(CAST(:keys AS bigint[])) AS wanted (key)
    CROSS JOIN LATERAL (
        SELECT case_id FROM linkage_keys
        WHERE linkage_keys.key = wanted.key AND side = :side LIMIT :most
    ) AS same
    GROUP BY case_id ORDER BY hits DESC, case_id DESC LIMIT :limit
""")


class PostgresBackgrounds:
    """Implements ``BackgroundRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, written: Mapping[CaseId, Background]) -> None:
        """Write them, over what was there."""
        if not written:
            return
        offered = insert(backgrounds)
        self._connection.execute(
            offered.on_conflict_do_update(
                index_elements=["case_id"],
                set_={name: offered.excluded[name] for name in _NAMES},
            ),
            [{"case_id": case_id, **asdict(one)} for case_id, one in written.items()],
        )

    def get_many(self, case_ids: Sequence[CaseId]) -> dict[CaseId, Background]:
        """Those that there are."""
        rows = self._connection.execute(
            select(backgrounds).where(
                backgrounds.c.case_id == func.any([int(case_id) for case_id in set(case_ids)])
            )
        ).mappings()
        return {
            CaseId(row["case_id"]): Background(**{name: row[name] for name in _NAMES})
            for row in rows
        }

    def erase(self, case_id: CaseId) -> None:
        self._connection.execute(delete(backgrounds).where(backgrounds.c.case_id == case_id))


class PostgresLinkage:
    """Implements ``LinkageRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, records: Sequence[CaseKeys]) -> None:
        """Write keys, instead of those that a record had."""
        if not records:
            return
        self._connection.execute(
            delete(linkage_keys).where(
                linkage_keys.c.case_id == func.any([int(one.case_id) for one in records])
            )
        )
        flat = [(key, int(one.side), int(one.case_id)) for one in records for key in set(one.keys)]
        rows = new_rows(len(flat), _KEY_COLUMNS)
        if flat:
            for name, values in zip(_KEY_COLUMNS, zip(*flat, strict=True), strict=True):
                rows[name] = values
            copy_rows(self._connection, "linkage_keys", _KEY_COLUMNS, [rows])

    def erase(self, case_id: CaseId) -> None:
        self._connection.execute(delete(linkage_keys).where(linkage_keys.c.case_id == case_id))

    def claim_night(self, night: date) -> bool:
        """Whether nobody has taken it upon themselves yet to compare everything this night."""
        claimed = self._connection.execute(
            insert(linkage_nights)
            .values(night=night)
            .on_conflict_do_nothing()
            .returning(linkage_nights.c.night)
        )
        return claimed.first() is not None

    def candidates(self, keys: Sequence[int], side: Side, limit: int) -> list[tuple[CaseId, int]]:
        """Records of a side that share keys, and how many; those that share most come first."""
        rows = self._connection.execute(
            _CANDIDATES,
            {"keys": sorted(set(keys)), "side": int(side), "limit": limit, "most": MOST_ROWS_A_KEY},
        )
        return [(CaseId(row.case_id), row.hits) for row in rows]
