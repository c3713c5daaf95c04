"""Leads in memory."""

from dataclasses import replace

from reunite.cases.case import OPEN_STATUSES, Case
from reunite.cases.leads import NO_PHOTO, Lead, LeadStatus
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId, LeadId, PhotoId
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_tables import MemorySession, Table


def forget_photo(session: MemorySession, photo_id: PhotoId) -> None:
    """What a lead keeps of a photo that is erased: that there was one."""
    leads: Table[LeadId, Lead] = session.table("leads")
    for lead in leads.values(lambda x: photo_id in (x.missing_photo_id, x.found_photo_id)):
        if lead.missing_photo_id == photo_id:
            lead.missing_photo_id = NO_PHOTO
        if lead.found_photo_id == photo_id:
            lead.found_photo_id = NO_PHOTO
        leads.put(lead.id, lead)


class MemoryLeads:
    """Implements ``LeadRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._leads: Table[LeadId, Lead] = session.table("leads")

    def add_new(self, lead: Lead) -> LeadId | None:
        pair = (lead.missing_case_id, lead.found_case_id)
        self._require_others(lead)
        self._session.hold("leads.pair", pair)
        known = self._leads.values(lambda x: (x.missing_case_id, x.found_case_id) == pair)
        if not known:
            lead.id = LeadId(self._session.store.next_id("leads"))
            self._leads.put(lead.id, lead)
            return lead.id
        self._session.hold("leads", known[0].id)
        stored = self.get(known[0].id)
        better_known = stored.similarity < lead.similarity or stored.bits != lead.bits
        if stored.status is LeadStatus.OPEN and better_known:
            better = replace(
                stored,
                missing_photo_id=lead.missing_photo_id,
                found_photo_id=lead.found_photo_id,
                similarity=lead.similarity,
                bits=lead.bits,
                evidence=list(lead.evidence),
            )
            self._leads.put(stored.id, better)
        return None

    def get(self, lead_id: LeadId, *, lock: bool = False) -> Lead:
        if lock and lead_id in self._leads:
            self._session.hold("leads", lead_id)
        lead = self._leads.get(lead_id)
        if lead is None:
            raise NotFoundError
        return lead

    def save(self, lead: Lead) -> None:
        self._session.hold("leads", lead.id)
        stored = self.get(lead.id)
        for decision in lead.decisions:
            require_account(self._session, decision.by)
        # What has been decided stays: only decisions after those stored are written.
        decisions = stored.decisions + lead.decisions[len(stored.decisions) :]
        self._leads.put(lead.id, replace(stored, status=lead.status, decisions=decisions))

    def list_with_status(
        self, statuses: frozenset[LeadStatus], *, limit: int = 50, offset: int = 0
    ) -> list[Lead]:
        listed = [
            lead
            for lead in self._leads.values(lambda x: x.status in statuses)
            if self._is_open(lead.missing_case_id) and self._is_open(lead.found_case_id)
        ]
        return _most_similar_first(listed)[offset : offset + limit]

    def list_of_case(self, case_id: CaseId) -> list[Lead]:
        return _most_similar_first(
            self._leads.values(lambda x: case_id in (x.missing_case_id, x.found_case_id))
        )

    def list_rejected_partners(self, case_id: CaseId) -> list[CaseId]:
        return sorted(
            lead.found_case_id if lead.missing_case_id == case_id else lead.missing_case_id
            for lead in self.list_of_case(case_id)
            if lead.status is LeadStatus.REJECTED
        )

    def _is_open(self, case_id: CaseId) -> bool:
        case: Case | None = self._session.table("cases").get(case_id)
        return case is not None and case.status in OPEN_STATUSES

    def _require_others(self, lead: Lead) -> None:
        cases, photos = self._session.table("cases"), self._session.table("photos")
        if not (
            lead.missing_case_id in cases
            and lead.found_case_id in cases
            and all(
                photo_id == NO_PHOTO or photo_id in photos
                for photo_id in (lead.missing_photo_id, lead.found_photo_id)
            )
        ):
            raise NotFoundError


def _most_similar_first(leads: list[Lead]) -> list[Lead]:
    return sorted(leads, key=lambda lead: (-lead.bits, -lead.similarity, lead.id))
