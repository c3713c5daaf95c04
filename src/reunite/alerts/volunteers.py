"""Volunteers: people who agreed to be told, about what, and near which place."""

from dataclasses import dataclass, field
from datetime import datetime

from reunite.kernel.ids import AccountId
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language
from reunite.kernel.people import Module


@dataclass(slots=True)
class Volunteer:
    """Somebody's standing wish to be told.

    ``cell`` is an H3 cell of resolution 9, never a point: enough to be told, too coarse to
    be followed.
    """

    account_id: AccountId
    cell: int
    place_label: str
    modules: frozenset[Module]
    joined_at: datetime
    language: Language = field(default=DEFAULT_LANGUAGE)
