"""Other repositories, their records, and where a case's fields come from, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.case import CaseStatus
from reunite.kernel.ids import AccountId, CaseId
from reunite.kernel.people import Module
from reunite.partners.exchange import (
    FieldOrigin,
    PartnerRecord,
    PublicChange,
    RecordState,
    Repository,
)
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.records import PfifRecord
from reunite.storage.tables import (
    case_origins,
    case_transitions,
    cases,
    duplicate_decisions,
    duplicates,
    partner_records,
    repositories,
)

# Steps after which the public sees something else.
_PUBLIC_STEPS = [CaseStatus.PUBLISHED.value, CaseStatus.RESOLVED.value, CaseStatus.WITHDRAWN.value]


class PostgresPartners:
    """Implements ``PartnerRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_repository(self, repository: Repository) -> None:
        """Add a repository, or change it."""
        state = {
            "address": repository.address,
            "account_id": repository.account_id,
            "created_at": repository.created_at,
            "secret": repository.secret,
            "publication_agreed": repository.publication_agreed,
            "photos_agreed": repository.photos_agreed,
            "module": int(repository.module),
            "every_seconds": int(repository.every.total_seconds()),
            "due_at": repository.due_at,
            "since": repository.since,
            "skip": repository.skip,
            "pulled_at": repository.pulled_at,
            "error": repository.error,
            "paused": repository.paused,
        }
        self._connection.execute(
            insert(repositories)
            .values(domain=repository.domain, **state)
            .on_conflict_do_update(index_elements=["domain"], set_=state)
        )

    def find_repository(self, domain: str) -> Repository | None:
        found = self._repositories(select(repositories).where(repositories.c.domain == domain))
        return found[0] if found else None

    def list_repositories(self) -> list[Repository]:
        """By domain."""
        return self._repositories(select(repositories).order_by(repositories.c.domain.collate("C")))

    def claim_due(self, now: datetime) -> Repository | None:
        """One that is due and nobody else works on, held until the transaction ends."""
        found = self._repositories(
            select(repositories)
            .where(~repositories.c.paused)
            .where(or_(repositories.c.due_at.is_(None), repositories.c.due_at <= now))
            .order_by(repositories.c.domain.collate("C"))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return found[0] if found else None

    def delete_repository(self, domain: str) -> None:
        self._connection.execute(delete(repositories).where(repositories.c.domain == domain))

    def find_record(self, record_id: str, *, lock: bool = False) -> PartnerRecord | None:
        wanted = select(partner_records).where(partner_records.c.record_id == record_id)
        found = self._records(wanted.with_for_update() if lock else wanted)
        return found[0] if found else None

    def save_record(self, record: PartnerRecord) -> None:
        """Keep the latest of a record."""
        said = record.record
        state = {
            "kind": said.kind.value,
            "domain": said.domain,
            "person_record_id": said.text("person_record_id"),
            "fields": dict(said.fields),
            "unknown": list(said.unknown),
            "expires_at": said.time("expiry_date"),
            "received_at": record.received_at,
            "via": record.via,
            "state": record.state.value,
            "case_id": record.case_id,
        }
        self._connection.execute(
            insert(partner_records)
            .values(record_id=said.record_id, **state)
            .on_conflict_do_update(index_elements=["record_id"], set_=state)
        )

    def list_of_case(self, case_id: CaseId) -> list[PartnerRecord]:
        """Everything that a case was made from, by record id."""
        return self._records(_by_id().where(partner_records.c.case_id == case_id))

    def list_of_person(self, person_record_id: str) -> list[PartnerRecord]:
        """The notes about a person, by record id."""
        return self._records(
            _by_id()
            .where(partner_records.c.person_record_id == person_record_id)
            .where(partner_records.c.kind == Kind.NOTE.value)
        )

    def list_of_domain(
        self, domain: str, *, after: str = "", limit: int = 100
    ) -> list[PartnerRecord]:
        """Records that a repository answers for, by record id."""
        return self._records(
            _by_id()
            .where(partner_records.c.domain == domain)
            .where(partner_records.c.record_id.collate("C") > after)
            .limit(limit)
        )

    def list_due_to_expire(self, now: datetime, *, limit: int = 100) -> list[PartnerRecord]:
        """Live records whose expiry date has come."""
        return self._records(
            select(partner_records)
            .where(partner_records.c.state == RecordState.LIVE.value)
            .where(partner_records.c.expires_at <= now)
            .order_by(partner_records.c.expires_at, partner_records.c.record_id)
            .limit(limit)
        )

    def record_ids_of(self, case_ids: Sequence[CaseId]) -> Mapping[CaseId, str]:
        """The person record that each case was opened from; own cases are absent."""
        rows = self._connection.execute(
            select(partner_records.c.case_id, partner_records.c.record_id)
            .where(partner_records.c.case_id.in_(set(case_ids)))
            .where(partner_records.c.kind == Kind.PERSON.value)
        )
        return {CaseId(row.case_id): row.record_id for row in rows}

    def put_origins(self, case_id: CaseId, origins: Sequence[FieldOrigin]) -> None:
        """Say where fields of a case come from; fields not named keep their origin."""
        for origin in origins:
            state = {
                "record_id": origin.record_id,
                "source_at": origin.source_at,
                "received_at": origin.received_at,
            }
            self._connection.execute(
                insert(case_origins)
                .values(case_id=case_id, field=origin.field, **state)
                .on_conflict_do_update(index_elements=["case_id", "field"], set_=state)
            )

    def list_origins(self, case_id: CaseId) -> list[FieldOrigin]:
        """By field."""
        rows = self._connection.execute(
            select(case_origins)
            .where(case_origins.c.case_id == case_id)
            .order_by(case_origins.c.field.collate("C"))
        )
        return [
            FieldOrigin(row.field, row.record_id, row.source_at, row.received_at) for row in rows
        ]

    def list_public_changes(
        self, since: datetime | None, *, skip: int, limit: int
    ) -> list[PublicChange]:
        """Cases that have ever been public, by the time of their last change.

        From ``since`` on, oldest first; without it the newest first.
        """
        steps = case_transitions
        stepped = (
            select(steps.c.case_id, func.max(steps.c.at).label("at"))
            .where(steps.c.status.in_(_PUBLIC_STEPS))
            .group_by(steps.c.case_id)
            .having(func.bool_or(steps.c.status == CaseStatus.PUBLISHED.value))
            .subquery()
        )
        corrected = (
            select(case_origins.c.case_id, func.max(case_origins.c.received_at).label("at"))
            .group_by(case_origins.c.case_id)
            .subquery()
        )
        # Both records of a pair are told of anew when it is linked, or the link undone.
        paired = union_all(
            *(
                select(column.label("case_id"), duplicate_decisions.c.at).join_from(
                    duplicates, duplicate_decisions
                )
                for column in (duplicates.c.first_case_id, duplicates.c.second_case_id)
            )
        ).subquery()
        linked = (
            select(paired.c.case_id, func.max(paired.c.at).label("at"))
            .group_by(paired.c.case_id)
            .subquery()
        )
        # GREATEST leaves out what is null.
        at = func.greatest(stepped.c.at, corrected.c.at, linked.c.at)
        wanted = (
            select(stepped.c.case_id, at.label("at"))
            .join_from(stepped, corrected, stepped.c.case_id == corrected.c.case_id, isouter=True)
            .join(linked, stepped.c.case_id == linked.c.case_id, isouter=True)
            .offset(skip)
            .limit(limit)
        )
        if since is None:
            wanted = wanted.order_by(at.desc(), stepped.c.case_id.desc())
        else:
            wanted = wanted.where(at >= since).order_by(at, stepped.c.case_id)
        rows = self._connection.execute(wanted)
        return [PublicChange(CaseId(row.case_id), row.at) for row in rows]

    def list_public_named(self, name: str, *, limit: int) -> list[CaseId]:
        """Published cases whose name holds these words, whatever their case; newest first."""
        found = self._connection.scalars(
            select(cases.c.id)
            .where(cases.c.status == CaseStatus.PUBLISHED.value)
            .where(cases.c.name.icontains(name, autoescape=True))
            .order_by(cases.c.id.desc())
            .limit(limit)
        )
        return [CaseId(one) for one in found]

    def _repositories(self, wanted: Select[Any]) -> list[Repository]:
        return [_repository(row) for row in self._connection.execute(wanted).mappings()]

    def _records(self, wanted: Select[Any]) -> list[PartnerRecord]:
        return [_record(row) for row in self._connection.execute(wanted).mappings()]


def _by_id() -> Select[Any]:
    return select(partner_records).order_by(partner_records.c.record_id.collate("C"))


def _repository(row: RowMapping) -> Repository:
    return Repository(
        domain=row["domain"],
        address=row["address"],
        account_id=AccountId(row["account_id"]),
        created_at=row["created_at"],
        secret=row["secret"],
        publication_agreed=row["publication_agreed"],
        photos_agreed=row["photos_agreed"],
        module=Module(row["module"]),
        every=timedelta(seconds=row["every_seconds"]),
        due_at=row["due_at"],
        since=row["since"],
        skip=row["skip"],
        pulled_at=row["pulled_at"],
        error=row["error"],
        paused=row["paused"],
    )


def _record(row: RowMapping) -> PartnerRecord:
    return PartnerRecord(
        PfifRecord(Kind(row["kind"]), dict(row["fields"]), tuple(row["unknown"])),
        received_at=row["received_at"],
        via=row["via"],
        state=RecordState(row["state"]),
        case_id=None if row["case_id"] is None else CaseId(row["case_id"]),
    )
