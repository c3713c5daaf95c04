"""Volunteers: people who agreed to be told, about what, near which places, and how loudly."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from reunite.alerts.pushing import DEFAULT_WEEKLY_PUSHES, QuietHours
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language
from reunite.kernel.people import Module

# Whoever moves house seldom thinks of us: asked again after half a year, and told meanwhile.
CONFIRM_AFTER = timedelta(days=180)
# Where somebody was two days ago says little about where they are.
POSITION_TTL = timedelta(days=2)
# A page that stays in one cell says so this often, so that the place does not expire.
POSITION_RENEWED_AFTER = timedelta(hours=12)

DEFAULT_TIME_ZONE = "Asia/Shanghai"


class PlaceKind(StrEnum):
    """What a place is to a volunteer; one of each."""

    HOME = "home"
    WORK = "work"
    COMMUTE = "commute"  # somewhere on the way
    FAMILY = "family"
    HERE = "here"  # the device's position, as long as a page is open

    @property
    def is_declared(self) -> bool:
        """Whether it was typed in, and not read from a device."""
        return self is not PlaceKind.HERE


class Precision(IntEnum):
    """H3 resolution of the cell that is kept."""

    FINE = 9  # about 0.1 km²
    COARSE = 7  # about 5 km²


@dataclass(frozen=True, slots=True)
class VolunteerPlace:
    """One of somebody's places.

    ``cell`` is an H3 cell, never a point: enough to be told, too coarse to be followed.
    ``said_at`` is when it was typed in, confirmed or read from the device.
    """

    kind: PlaceKind
    cell: int
    place_label: str
    said_at: datetime
    expires_at: datetime | None = None

    def asks_to_be_confirmed(self, now: datetime) -> bool:
        """Whether it is time to ask if this is still true."""
        return self.kind.is_declared and now - self.said_at >= CONFIRM_AFTER

    def needs_writing(self, cell: int, now: datetime) -> bool:
        """Whether a device that is in ``cell`` now has anything new to say of this place."""
        soon = now + POSITION_TTL - POSITION_RENEWED_AFTER
        return cell != self.cell or (self.expires_at is not None and self.expires_at < soon)


@dataclass(slots=True)
class Volunteer:
    """Somebody's standing wish to be told.

    ``weekly_pushes`` and ``quiet`` (on the clock of ``time_zone``) bound what disturbs; the
    inbox always holds every notice.
    """

    account_id: AccountId
    places: tuple[VolunteerPlace, ...]
    modules: frozenset[Module]
    joined_at: datetime
    language: Language = field(default=DEFAULT_LANGUAGE)
    weekly_pushes: int = DEFAULT_WEEKLY_PUSHES
    quiet: QuietHours = field(default_factory=QuietHours)
    time_zone: str = DEFAULT_TIME_ZONE

    def find_place(self, kind: PlaceKind) -> VolunteerPlace | None:
        """The place of this kind."""
        return next((place for place in self.places if place.kind is kind), None)

    @property
    def main_place(self) -> VolunteerPlace | None:
        """Home, or whatever else was said first in the order of kinds."""
        listed = (self.find_place(kind) for kind in PlaceKind)
        return next((place for place in listed if place is not None), None)

    def set_place(self, place: VolunteerPlace) -> None:
        """Say where one's home, work … is; replaces what was said before."""
        others = [other for other in self.places if other.kind is not place.kind]
        self.places = _in_order([*others, place])

    def forget_place(self, kind: PlaceKind) -> None:
        """Raises NotFoundError where there is none of this kind."""
        if self.find_place(kind) is None:
            raise NotFoundError
        self.places = tuple(place for place in self.places if place.kind is not kind)

    def confirm_places(self, at: datetime) -> None:
        """Everything that was typed in is still true."""
        self.places = tuple(
            replace(place, said_at=at) if place.kind.is_declared else place for place in self.places
        )


def _in_order(places: list[VolunteerPlace]) -> tuple[VolunteerPlace, ...]:
    order = list(PlaceKind)
    return tuple(sorted(places, key=lambda place: order.index(place.kind)))
