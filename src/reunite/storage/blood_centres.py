"""Blood centres, who acts for them, and families in PostgreSQL."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from reunite.blood.centres import BloodCentre, BloodFamily, CentreKind
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, BloodCentreId
from reunite.storage.rows import columns_of_point, point_of
from reunite.storage.tables import blood_centre_members, blood_centres, blood_families


class PostgresBloodCentres:
    """Implements ``BloodCentreRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, centre: BloodCentre) -> BloodCentreId:
        """Sets ``centre.id``.  Raises ConflictError ``centre_exists``."""
        added = self._connection.execute(
            upsert(blood_centres)
            .values(created_at=centre.created_at, **_columns(centre))
            .on_conflict_do_nothing(index_elements=["name"])
            .returning(blood_centres.c.id)
        ).scalar()
        if added is None:
            raise ConflictError("centre_exists", field="name")
        centre.id = BloodCentreId(added)
        return centre.id

    def get(self, centre_id: BloodCentreId) -> BloodCentre:
        """Raises NotFoundError."""
        found = self._find(select(blood_centres).where(blood_centres.c.id == centre_id))
        if found is None:
            raise NotFoundError
        return found

    def find_by_name(self, name: str) -> BloodCentre | None:
        return self._find(select(blood_centres).where(blood_centres.c.name == name))

    def list_all(self) -> list[BloodCentre]:
        """By name."""
        rows = self._connection.execute(
            select(blood_centres).order_by(blood_centres.c.name.collate("C"))
        )
        return [_centre(row) for row in rows.mappings()]

    def save(self, centre: BloodCentre) -> None:
        """Write what is known of it.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(blood_centres).where(blood_centres.c.id == centre.id).values(**_columns(centre))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def set_member(self, account_id: AccountId, centre_id: BloodCentreId | None) -> None:
        """Somebody acts for this centre, and for no other one; None: for none."""
        self._connection.execute(
            delete(blood_centre_members).where(blood_centre_members.c.account_id == account_id)
        )
        if centre_id is not None:
            self.get(centre_id)
            self._connection.execute(
                insert(blood_centre_members).values(account_id=account_id, centre_id=centre_id)
            )

    def find_of_member(self, account_id: AccountId) -> BloodCentre | None:
        return self._find(
            select(blood_centres)
            .join(blood_centre_members, blood_centre_members.c.centre_id == blood_centres.c.id)
            .where(blood_centre_members.c.account_id == account_id)
        )

    def list_members(self, centre_id: BloodCentreId) -> list[AccountId]:
        """Who acts for it, by id."""
        members = blood_centre_members.c
        rows = self._connection.execute(
            select(members.account_id)
            .where(members.centre_id == centre_id)
            .order_by(members.account_id)
        )
        return [AccountId(row.account_id) for row in rows]

    def add_family(self, family: BloodFamily) -> None:
        self._connection.execute(
            insert(blood_families).values(
                code=family.code, centre_id=family.centre_id, made_at=family.made_at
            )
        )

    def find_family(self, code: str) -> BloodFamily | None:
        row = self._connection.execute(
            select(blood_families).where(blood_families.c.code == code)
        ).one_or_none()
        if row is None:
            return None
        return BloodFamily(row.code, BloodCentreId(row.centre_id), row.made_at)

    def _find(self, wanted: Select[Any]) -> BloodCentre | None:
        row = self._connection.execute(wanted).mappings().one_or_none()
        return None if row is None else _centre(row)


def _columns(centre: BloodCentre) -> dict[str, Any]:
    return {
        "name": centre.name,
        "kind": centre.kind.value,
        **columns_of_point(centre.place),
        "place_label": centre.place_label,
        "contact": centre.contact,
        "rules": centre.rules,
        "verified_at": centre.verified_at,
    }


def _centre(row: RowMapping) -> BloodCentre:
    return BloodCentre(
        name=row["name"],
        created_at=row["created_at"],
        kind=CentreKind(row["kind"]),
        place=point_of(row["latitude"], row["longitude"]),
        place_label=row["place_label"],
        contact=row["contact"],
        rules=row["rules"],
        verified_at=row["verified_at"],
        id=BloodCentreId(row["id"]),
    )
