"""Blood centres and hospitals: who may ask for blood, and confirm what a donor says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import BloodCentreId
from reunite.kernel.places import Point

MAX_NAME: Final = 120
MAX_CONTACT: Final = 200


class CentreKind(StrEnum):
    """What a centre does."""

    BLOOD_CENTRE = "blood_centre"  # keeps donors and types them
    HOSPITAL = "hospital"  # asks for blood


@dataclass(slots=True)
class BloodCentre:
    """An organisation; nobody acts for it before an administrator has verified it.

    ``rules`` names the rule set of deferral that its donors come under.
    """

    name: str
    created_at: datetime
    kind: CentreKind = CentreKind.BLOOD_CENTRE
    place: Point | None = None
    place_label: str = ""
    contact: str = ""
    rules: str = "china"
    verified_at: datetime | None = None
    id: BloodCentreId = BloodCentreId(0)

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None

    def check(self) -> Self:
        """Itself.  Raises InvalidInputError ``required`` or ``text_too_long``."""
        if not self.name:
            raise InvalidInputError("required", field="name")
        for field, most in (("name", MAX_NAME), ("contact", MAX_CONTACT)):
            if len(getattr(self, field)) > most:
                raise InvalidInputError("text_too_long", field=field, maximum=most)
        return self


@dataclass(frozen=True, slots=True)
class BloodFamily:
    """A family that may share a rare type; its members join by the code."""

    code: str
    centre_id: BloodCentreId
    made_at: datetime
