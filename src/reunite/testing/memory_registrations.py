"""Registrations ahead of time in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reunite.cases.registration import CardMessage, Registration
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, RegistrationId
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_cases import require_case
from reunite.testing.memory_tables import MemorySession, Table


@dataclass(frozen=True, slots=True)
class _Episode:
    registration_id: RegistrationId
    case_id: CaseId


class MemoryRegistrations:
    """Implements ``RegistrationRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._registrations: Table[RegistrationId, Registration] = session.table("registrations")
        self._episodes: Table[tuple[int, int], _Episode] = session.table("registration_cases")
        self._messages: Table[int, CardMessage] = session.table("card_messages")

    def add(self, registration: Registration) -> RegistrationId:
        require_account(self._session, registration.owner)
        registration.id = RegistrationId(self._session.store.next_id("registrations"))
        self._registrations.put(registration.id, registration)
        return registration.id

    def get_by_token(self, token: str, *, lock: bool = False) -> Registration:
        found = self._registrations.values(lambda one: one.token == token)
        if not found:
            raise NotFoundError
        if lock:
            self._session.hold("registrations", found[0].id)
        return found[0]

    def list_of_owner(self, owner: AccountId) -> list[Registration]:
        found = self._registrations.values(lambda one: one.owner == owner)
        return sorted(found, key=lambda one: -one.id)

    def delete(self, registration_id: RegistrationId) -> None:
        for key, one in self._episodes.items(lambda one: one.registration_id == registration_id):
            del one
            self._episodes.delete(key)
        for number, _ in self._messages.items(lambda one: one.registration_id == registration_id):
            self._messages.delete(number)
        self._registrations.delete(registration_id)

    def add_episode(self, registration_id: RegistrationId, case_id: CaseId) -> None:
        require_case(self._session, case_id)
        self._episodes.put((registration_id, case_id), _Episode(registration_id, case_id))

    def list_episodes(
        self, registration_ids: Sequence[RegistrationId]
    ) -> dict[RegistrationId, list[CaseId]]:
        episodes: dict[RegistrationId, list[CaseId]] = {one: [] for one in registration_ids}
        for one in self._episodes.values(lambda one: one.registration_id in episodes):
            episodes[one.registration_id].append(one.case_id)
        return {one: sorted(cases, reverse=True) for one, cases in episodes.items()}

    def add_message(self, message: CardMessage) -> None:
        require_case(self._session, message.case_id)
        self._messages.put(self._session.store.next_id("card_messages"), message)

    def list_messages(self, registration_id: RegistrationId) -> list[CardMessage]:
        found = self._messages.items(lambda one: one.registration_id == registration_id)
        return [message for _, message in sorted(found, key=lambda one: -one[0])]

    def count_messages_since(self, registration_id: RegistrationId, at: datetime) -> int:
        return len([one for one in self.list_messages(registration_id) if one.at >= at])

    def erase_of_case(self, case_id: CaseId) -> None:
        for number, _ in self._messages.items(lambda one: one.case_id == case_id):
            self._messages.delete(number)
