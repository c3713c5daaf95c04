"""Where registrations ahead of time are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from reunite.cases.registration import CardMessage, Registration
from reunite.kernel.ids import AccountId, CaseId, RegistrationId


class RegistrationRepository(Protocol):
    """People who may wander, their episodes, and what finders wrote."""

    def add(self, registration: Registration) -> RegistrationId:
        """Sets ``registration.id``."""
        ...

    def get_by_token(self, token: str, *, lock: bool = False) -> Registration:
        """Raises NotFoundError."""
        ...

    def list_of_owner(self, owner: AccountId) -> list[Registration]:
        """The newest first."""
        ...

    def delete(self, registration_id: RegistrationId) -> None:
        """Forget it, and what finders wrote; cases that came of it stay."""
        ...

    def add_episode(self, registration_id: RegistrationId, case_id: CaseId) -> None: ...

    def list_episodes(
        self, registration_ids: Sequence[RegistrationId]
    ) -> dict[RegistrationId, list[CaseId]]:
        """Cases of each, the newest first."""
        ...

    def add_message(self, message: CardMessage) -> None: ...

    def list_messages(self, registration_id: RegistrationId) -> list[CardMessage]:
        """The newest first."""
        ...

    def count_messages_since(self, registration_id: RegistrationId, at: datetime) -> int: ...

    def erase_of_case(self, case_id: CaseId) -> None:
        """Forget what finders wrote about one episode."""
        ...
