"""A request for blood: what a hospital or blood centre asks for, and what is refused.

Only verified hospitals and blood centres ask; who that is, the use case knows.  Patients have
no name here, only the hospital's own code.  Money has no place in it (RH Union and the law of
voluntary donation alike): a request that speaks of payment is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from reunite.blood.demands import Need
from reunite.blood.waves import Urgency, require_override, require_units
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import BloodCentreId
from reunite.kernel.places import Point, distance_km

LATEST: Final = timedelta(days=90)  # red cells keep 35 to 42 days; beyond this nothing is planned
MAX_NOTE: Final = 500  # characters
MAX_CODE: Final = 40
# Two centres that ask for the same type so near in place and time may mean one patient.
_SAME_KM: Final = 100.0
_SAME_TIME: Final = timedelta(hours=72)
_MONEY: Final = re.compile(
    r"[¥￥$€£₹]\s*\d|\d\s*(?:元|块|万|rmb|usd|eur|yuan|dollars?|euros?|rupees?)"
    r"|报酬|酬金|酬谢|有偿|重金|红包|买血|卖血"
    r"|\b(?:reward|payment|paid|cash|compensat\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class BloodRequest:
    """What is needed, where and by when.

    ``patient_code`` : the hospital's own, so that a duplicate is noticed; never a name
    ``family_code`` : given to a family by its centre; donors with it are siblings of the patient
    """

    centre_id: BloodCentreId
    need: Need
    units: int
    place: Point
    opened_at: datetime
    needed_by: datetime
    urgency: Urgency = Urgency.URGENT
    patient_code: str = ""
    family_code: str = ""
    note: str = ""
    override_reason: str = ""


class Likeness(StrEnum):
    """Why another request may be the same one."""

    SAME_PATIENT = "same_patient"  # one centre, one code: certainly
    SAME_TYPE_NEAR_BY = "same_type_near_by"  # perhaps two hospitals for one patient


def require_request(request: BloodRequest) -> BloodRequest:
    """``request`` itself, its texts trimmed.

    Raises InvalidInputError ``number_out_of_range``, ``needed_by_past``, ``needed_by_far``,
    ``text_too_long``, ``blood_for_money``, ``override_not_imminent``.
    """
    require_units(request.units)
    if request.needed_by <= request.opened_at:
        raise InvalidInputError("needed_by_past", field="needed_by")
    if request.needed_by - request.opened_at > LATEST:
        raise InvalidInputError("needed_by_far", field="needed_by", days=LATEST.days)
    for field, text, most in (
        ("note", request.note, MAX_NOTE),
        ("patient_code", request.patient_code, MAX_CODE),
        ("family_code", request.family_code, MAX_CODE),
        ("override_reason", request.override_reason, MAX_NOTE),
    ):
        if len(text) > most:
            raise InvalidInputError("text_too_long", field=field, maximum=most)
    if _MONEY.search(request.note):
        raise InvalidInputError("blood_for_money", field="note")
    require_override(request.urgency, request.override_reason)
    return request


def donors_needed(units: int, units_per_donation: int = 1) -> int:
    """How many donors give so many units.

    A unit of red cells is of 200 ml in China, where one gives 200 to 400 ml: up to two; of 450
    to 500 ml elsewhere, where one gives one.
    """
    if units_per_donation < 1:
        raise ValueError("a donation gives at least one unit")
    return ceil(require_units(units) / units_per_donation)


def likenesses(
    request: BloodRequest, open_requests: Iterable[BloodRequest]
) -> list[tuple[BloodRequest, Likeness]]:
    """Open requests that may be for the same patient: for the centre to look at, before asking."""
    found = []
    for other in open_requests:
        same_code = request.patient_code and request.patient_code == other.patient_code
        if same_code and request.centre_id == other.centre_id:
            found.append((other, Likeness.SAME_PATIENT))
        elif _alike(request, other):
            found.append((other, Likeness.SAME_TYPE_NEAR_BY))
    return found


def _alike(request: BloodRequest, other: BloodRequest) -> bool:
    return (
        request.need.patient == other.need.patient
        and request.need.component is other.need.component
        and abs(request.opened_at - other.opened_at) <= _SAME_TIME
        and distance_km(request.place, other.place) <= _SAME_KM
        # A centre knows its own patients apart, when it gives them codes.
        and not (request.centre_id == other.centre_id and request.patient_code)
    )
