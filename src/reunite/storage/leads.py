"""Leads and the decisions on them in PostgreSQL."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.case import OPEN_STATUSES
from reunite.cases.leads import NO_PHOTO, Decision, Lead, LeadEvidence, LeadStatus, Verdict
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, LeadId, PhotoId
from reunite.storage.tables import cases, lead_decisions, leads


class PostgresLeads:
    """Implements ``LeadRepository``.  An erased photo of a lead reads as ``NO_PHOTO``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_new(self, lead: Lead) -> LeadId | None:
        """Write a lead; None when the pair is known already, rejected ones included.

        An open lead is given the more similar pair of photos, or what is known better now.
        """
        offered = insert(leads).values(
            missing_case_id=lead.missing_case_id,
            found_case_id=lead.found_case_id,
            missing_photo_id=lead.missing_photo_id or None,
            found_photo_id=lead.found_photo_id or None,
            similarity=float(lead.similarity),
            found_at=lead.found_at,
            status=lead.status.value,
            bits=float(lead.bits),
            evidence=[asdict(one) for one in lead.evidence],
        )
        written = self._connection.execute(
            offered.on_conflict_do_update(
                index_elements=["missing_case_id", "found_case_id"],
                set_={
                    "missing_photo_id": offered.excluded.missing_photo_id,
                    "found_photo_id": offered.excluded.found_photo_id,
                    "similarity": offered.excluded.similarity,
                    "bits": offered.excluded.bits,
                    "evidence": offered.excluded.evidence,
                },
                where=and_(
                    leads.c.status == LeadStatus.OPEN.value,
                    or_(
                        leads.c.similarity < offered.excluded.similarity,
                        leads.c.bits != offered.excluded.bits,
                    ),
                ),
            ).returning(
                leads.c.id,
                # A row that was just inserted has never been locked or deleted by anybody.
                literal_column("xmax = 0").label("is_new"),
            )
        ).one_or_none()
        if written is None or not written.is_new:
            return None
        lead.id = LeadId(written.id)
        self._add_decisions(lead, stored=0)
        return lead.id

    def get(self, lead_id: LeadId, *, lock: bool = False) -> Lead:
        """Raises NotFoundError."""
        wanted = select(leads).where(leads.c.id == lead_id)
        found = self._list(wanted.with_for_update() if lock else wanted)
        if not found:
            raise NotFoundError
        return found[0]

    def save(self, lead: Lead) -> None:
        """Write status and new decisions.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(leads).where(leads.c.id == lead.id).values(status=lead.status.value)
        )
        if saved.rowcount == 0:
            raise NotFoundError
        stored = self._connection.execute(
            select(func.count())
            .select_from(lead_decisions)
            .where(lead_decisions.c.lead_id == lead.id)
        ).scalar_one()
        self._add_decisions(lead, stored)

    def list_with_status(
        self, statuses: frozenset[LeadStatus], *, limit: int = 50, offset: int = 0
    ) -> list[Lead]:
        """The weightiest first, then the most similar; leads of closed cases are left out."""
        missing, found = cases.alias(), cases.alias()
        open_statuses = [status.value for status in OPEN_STATUSES]
        return self._list(
            select(leads)
            .join(missing, missing.c.id == leads.c.missing_case_id)
            .join(found, found.c.id == leads.c.found_case_id)
            .where(missing.c.status.in_(open_statuses), found.c.status.in_(open_statuses))
            .where(leads.c.status.in_([status.value for status in statuses]))
            .order_by(leads.c.bits.desc(), leads.c.similarity.desc(), leads.c.id)
            .limit(limit)
            .offset(offset)
        )

    def list_of_case(self, case_id: CaseId) -> list[Lead]:
        """The weightiest first, then the most similar."""
        return self._list(
            select(leads)
            .where(_concerns(case_id))
            .order_by(leads.c.bits.desc(), leads.c.similarity.desc(), leads.c.id)
        )

    def list_rejected_partners(self, case_id: CaseId) -> list[CaseId]:
        """Records of the other side that a reviewer has ruled out for this one."""
        pairs = self._connection.execute(
            select(leads.c.missing_case_id, leads.c.found_case_id)
            .where(_concerns(case_id))
            .where(leads.c.status == LeadStatus.REJECTED.value)
        )
        return sorted(CaseId(found if missing == case_id else missing) for missing, found in pairs)

    def _list(self, wanted: Select[Any]) -> list[Lead]:
        rows = self._connection.execute(wanted).mappings().all()
        decisions = self._decisions_of(row["id"] for row in rows)
        return [
            Lead(
                missing_case_id=CaseId(row["missing_case_id"]),
                found_case_id=CaseId(row["found_case_id"]),
                missing_photo_id=PhotoId(row["missing_photo_id"] or NO_PHOTO),
                found_photo_id=PhotoId(row["found_photo_id"] or NO_PHOTO),
                similarity=row["similarity"],
                found_at=row["found_at"],
                status=LeadStatus(row["status"]),
                bits=row["bits"],
                evidence=[LeadEvidence(**one) for one in row["evidence"]],
                decisions=decisions[row["id"]],
                id=LeadId(row["id"]),
            )
            for row in rows
        ]

    def _decisions_of(self, lead_ids: Iterable[int]) -> dict[int, list[Decision]]:
        taken: dict[int, list[Decision]] = {lead_id: [] for lead_id in lead_ids}
        if not taken:
            return taken
        rows = self._connection.execute(
            select(lead_decisions)
            .where(lead_decisions.c.lead_id.in_(taken))
            .order_by(lead_decisions.c.lead_id, lead_decisions.c.sequence)
        ).mappings()
        for row in rows:
            taken[row["lead_id"]].append(
                Decision(AccountId(row["by"]), Verdict(row["verdict"]), row["at"], row["note"])
            )
        return taken

    def _add_decisions(self, lead: Lead, stored: int) -> None:
        new = [
            {
                "lead_id": lead.id,
                "sequence": sequence,
                "by": decision.by,
                "verdict": decision.verdict.value,
                "at": decision.at,
                "note": decision.note,
            }
            for sequence, decision in enumerate(lead.decisions)
            if sequence >= stored
        ]
        if new:
            self._connection.execute(insert(lead_decisions), new)


def _concerns(case_id: CaseId) -> ColumnElement[bool]:
    return or_(leads.c.missing_case_id == case_id, leads.c.found_case_id == case_id)
