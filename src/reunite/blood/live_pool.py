"""The register as matching sees it, changed donor by donor without packing it anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from reunite.blood.deferral import DonationKind, too_old_from
from reunite.blood.donors import RegisteredDonor, rules_named
from reunite.blood.matching import NEVER, Donor, DonorPool, day_number
from reunite.blood.rules import Component

Int32 = npt.NDArray[np.int32]

# What is given for each product.
KIND_OF: Mapping[Component, DonationKind] = {
    Component.RED_CELLS: DonationKind.WHOLE_BLOOD,
    Component.PLASMA: DonationKind.PLASMA,
    Component.PLATELETS: DonationKind.PLATELETS,
}
_KINDS = tuple(dict.fromkeys(KIND_OF.values()))


@dataclass(frozen=True, slots=True)
class LivePool:
    """Donors who may be asked, packed.

    from_days : for each kind of donation, the first day on which each donor may give, int32
        array of shape (n,), proleptic ordinals
    until_days : the day from which each is too old, int32 array of shape (n,)
    """

    pool: DonorPool
    from_days: Mapping[DonationKind, Int32]
    until_days: Int32

    def __len__(self) -> int:
        return len(self.pool)

    @classmethod
    def pack(cls, donors: Iterable[RegisteredDonor], today: date) -> "LivePool":
        """Those of ``donors`` who may be asked, in their order."""
        listed = [one for one in donors if one.may_be_asked]
        days = [[day_number(_from_day(one, kind, today)) for one in listed] for kind in _KINDS]
        limits = (too_old_from(rules_named(one.rules), one.facts) for one in listed)
        return cls(
            DonorPool.pack(
                Donor(one.id, one.phenotype, one.point, None, one.is_confirmed) for one in listed
            ),
            {kind: np.array(row, np.int32) for kind, row in zip(_KINDS, days, strict=True)},
            np.array([limit.toordinal() for limit in limits], np.int32),
        )

    def changed(
        self, donors: Iterable[RegisteredDonor], gone: Iterable[int], today: date
    ) -> "LivePool":
        """The same with these donors as they are now, and without those who are gone."""
        listed = list(donors)
        out = [one.id for one in listed] + list(gone)
        keep = ~np.isin(self.pool.ids, np.array(out, np.int64))
        fresh = LivePool.pack(listed, today)
        return LivePool(
            self.pool.only(keep).followed_by(fresh.pool),
            {
                kind: np.concatenate([self.from_days[kind][keep], fresh.from_days[kind]])
                for kind in _KINDS
            },
            np.concatenate([self.until_days[keep], fresh.until_days]),
        )

    def for_component(self, component: Component, on: date) -> DonorPool:
        """The pool for ``matching.match`` on that day, for a donation of what is needed."""
        young = self.until_days > on.toordinal()
        days = np.where(young, self.from_days[KIND_OF[component]], NEVER).astype(np.int32)
        return replace(self.pool, eligible_day=days)


def _from_day(donor: RegisteredDonor, kind: DonationKind, today: date) -> date | None:
    """The first day on which somebody may give, may come, and would; None for never."""
    if kind not in donor.kinds:
        return None
    # A clock that is behind must not make the donation of today one of tomorrow.
    today = max([today, *(donation.on for donation in donor.facts.donations)])
    earliest = donor.next_eligible(kind, today).earliest
    if earliest is None or donor.away_until is None:
        return earliest
    return max(earliest, donor.away_until)
