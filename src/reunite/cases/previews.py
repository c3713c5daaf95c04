"""Which ages of a missing child are illustrated, and when the next illustration is due."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from reunite.kernel.ids import AccountId, CaseId, PhotoId, PreviewId

# Every two years while a child grows, then every five; the mean faces do not convince
# beyond forty (docs/age-progression.md), so the last is before.
MILESTONES: Final = (2, 4, 6, 8, 10, 12, 14, 16, 18, 23, 28, 33, 38)
DECADES: Final = (10, 20, 30)
CHILD_BELOW: Final = 18  # photos of adults are not aged: that is experimental
SHORTEST_LAPSE_YEARS: Final = 2  # a younger photo shows better than any preview how they look


@dataclass(slots=True)
class AgePreview:
    """A computer illustration of how the person may look; never a photo of anybody.

    ``doubts`` are codes of what makes it worth less; ``maker`` is the digest of the mean
    faces that it was made with.  Only what a reviewer has approved is shown to everyone.
    """

    case_id: CaseId
    photo_id: PhotoId  # the photo that it was made from
    age: int
    storage_key: str
    made_at: datetime
    maker: str
    doubts: tuple[str, ...] = ()
    approved_by: AccountId | None = None
    approved_at: datetime | None = None
    id: PreviewId = PreviewId(0)

    @property
    def is_approved(self) -> bool:
        return self.approved_by is not None

    def approve(self, by: AccountId, at: datetime) -> None:
        """A reviewer finds it fit to be shown."""
        self.approved_by, self.approved_at = by, at

    def withdraw(self) -> None:
        """Show it to nobody but the reporter and reviewers."""
        self.approved_by = self.approved_at = None


def wanted_ages(age_at_photo: float, age_today: int) -> tuple[int, ...]:
    """The ages of the contact sheet, rising: one a decade, and the last milestone.

    Empty where the photo is young enough to speak for itself, or shows an adult.
    """
    if age_at_photo >= CHILD_BELOW:
        return ()
    earliest = age_at_photo + SHORTEST_LAPSE_YEARS
    reached = [age for age in MILESTONES if earliest <= age <= age_today]
    if not reached:
        return ()
    today = reached[-1]
    decades = [age for age in DECADES if earliest <= age < today - SHORTEST_LAPSE_YEARS]
    return (*decades, today)


def next_due(birth_year: int, today: date) -> date | None:
    """When somebody born in that year reaches the next milestone; None after the last."""
    age = today.year - birth_year
    following = next((m for m in MILESTONES if m > age), None)
    return None if following is None else date(birth_year + following, 1, 1)
