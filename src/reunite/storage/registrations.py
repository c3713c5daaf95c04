"""Registrations ahead of time in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from reunite.cases.background import Background
from reunite.cases.case import Person
from reunite.cases.registration import CardMessage, Registration
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, RegistrationId
from reunite.kernel.people import Sex, YearRange
from reunite.storage.rows import columns_of_point, point_of
from reunite.storage.tables import card_messages, registration_cases, registrations


class PostgresRegistrations:
    """Implements ``RegistrationRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, registration: Registration) -> RegistrationId:
        """Sets ``registration.id``."""
        added = self._connection.execute(
            insert(registrations)
            .values(
                token=registration.token,
                owner=registration.owner,
                created_at=registration.created_at,
                person=_stored_person(registration.person),
                background=asdict(registration.background),
                contact=registration.contact,
                consent_publish=registration.consent_publish,
                **columns_of_point(registration.place),
                place_label=registration.place_label,
                photo_key=registration.photo_key,
            )
            .returning(registrations.c.id)
        ).scalar_one()
        registration.id = RegistrationId(added)
        return registration.id

    def get_by_token(self, token: str, *, lock: bool = False) -> Registration:
        """Raises NotFoundError."""
        wanted = select(registrations).where(registrations.c.token == token)
        row = self._connection.execute(wanted.with_for_update() if lock else wanted)
        found = row.mappings().one_or_none()
        if found is None:
            raise NotFoundError
        return _registration(found)

    def list_of_owner(self, owner: AccountId) -> list[Registration]:
        """The newest first."""
        rows = self._connection.execute(
            select(registrations)
            .where(registrations.c.owner == owner)
            .order_by(registrations.c.id.desc())
        ).mappings()
        return [_registration(row) for row in rows]

    def delete(self, registration_id: RegistrationId) -> None:
        """Forget it, and what finders wrote; cases that came of it stay."""
        self._connection.execute(delete(registrations).where(registrations.c.id == registration_id))

    def add_episode(self, registration_id: RegistrationId, case_id: CaseId) -> None:
        self._connection.execute(
            upsert(registration_cases)
            .values(registration_id=registration_id, case_id=case_id)
            .on_conflict_do_nothing()
        )

    def list_episodes(
        self, registration_ids: Sequence[RegistrationId]
    ) -> dict[RegistrationId, list[CaseId]]:
        """Cases of each, the newest first."""
        episodes: dict[RegistrationId, list[CaseId]] = {one: [] for one in registration_ids}
        rows = self._connection.execute(
            select(registration_cases)
            .where(registration_cases.c.registration_id.in_(episodes))
            .order_by(registration_cases.c.case_id.desc())
        )
        for row in rows:
            episodes[RegistrationId(row.registration_id)].append(CaseId(row.case_id))
        return episodes

    def add_message(self, message: CardMessage) -> None:
        self._connection.execute(
            insert(card_messages).values(
                registration_id=message.registration_id,
                case_id=message.case_id,
                at=message.at,
                text=message.text,
                contact=message.contact,
                **columns_of_point(message.place),
                place_label=message.place_label,
            )
        )

    def list_messages(self, registration_id: RegistrationId) -> list[CardMessage]:
        """The newest first."""
        rows = self._connection.execute(
            select(card_messages)
            .where(card_messages.c.registration_id == registration_id)
            .order_by(card_messages.c.id.desc())
        ).mappings()
        return [
            CardMessage(
                registration_id,
                CaseId(row["case_id"]),
                row["at"],
                row["text"],
                row["contact"],
                point_of(row["latitude"], row["longitude"]),
                row["place_label"],
            )
            for row in rows
        ]

    def count_messages_since(self, registration_id: RegistrationId, at: datetime) -> int:
        return self._connection.execute(
            select(func.count())
            .select_from(card_messages)
            .where(card_messages.c.registration_id == registration_id)
            .where(card_messages.c.at >= at)
        ).scalar_one()

    def erase_of_case(self, case_id: CaseId) -> None:
        """Forget what finders wrote about one episode."""
        self._connection.execute(delete(card_messages).where(card_messages.c.case_id == case_id))


def _stored_person(person: Person) -> dict[str, Any]:
    years = person.birth_years
    return {
        "name": person.name,
        "sex": int(person.sex),
        "birth_years": None if years is None else [years.first, years.last],
        "height_cm": person.height_cm,
        "marks": person.marks,
        "clothing": person.clothing,
        "dialect": person.dialect,
        "blood_group": person.blood_group,
    }


def _registration(row: RowMapping) -> Registration:
    person = dict(row["person"])
    years = person.pop("birth_years")
    return Registration(
        token=row["token"],
        owner=AccountId(row["owner"]),
        created_at=row["created_at"],
        person=Person(
            **{**person, "sex": Sex(person["sex"])},
            birth_years=None if years is None else YearRange(*years),
        ),
        background=Background(**row["background"]),
        contact=row["contact"],
        consent_publish=row["consent_publish"],
        place=point_of(row["latitude"], row["longitude"]),
        place_label=row["place_label"],
        photo_key=row["photo_key"],
        id=RegistrationId(row["id"]),
    )
