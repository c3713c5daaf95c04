"""Blood centres and donors with sensible values, for tests to change one at a time."""

from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

from reunite.blood.centres import BloodCentre
from reunite.blood.deferral import DonorFacts
from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.blood.notation import parse_phenotype
from reunite.kernel.ids import AccountId
from reunite.kernel.people import Sex
from reunite.kernel.places import cell_of
from reunite.ports import Database
from reunite.testing.factories import HANGZHOU, NOW, store_account

_numbers = count(1)


def make_centre(name: str = "", **changes: Any) -> BloodCentre:
    """A verified blood centre; every one has another name."""
    centre = BloodCentre(
        name=name or f"Blood centre {next(_numbers)}",
        created_at=NOW,
        place=HANGZHOU,
        verified_at=NOW,
    )
    return replace(centre, **changes)


def make_donor(
    account_id: AccountId | None = None, *, written: str = "O+", **changes: Any
) -> RegisteredDonor:
    """A healthy woman of thirty in Hangzhou who agreed to everything."""
    donor = RegisteredDonor(
        registered_at=NOW,
        account_id=account_id,
        declared=parse_phenotype(written),
        cell=cell_of(HANGZHOU),
        place_label="1808926",
        facts=DonorFacts(date(1996, 1, 1), Sex.FEMALE, 60.0),
        consents=frozenset(ConsentPurpose),
    )
    return replace(donor, **changes)


def store_centre(database: Database, name: str = "", **changes: Any) -> BloodCentre:
    """A centre that is there."""
    centre = make_centre(name, **changes)
    with database.transaction() as transaction:
        transaction.blood_centres.add(centre)
    return centre


def store_donor(database: Database, **changes: Any) -> RegisteredDonor:
    """A donor who is there, with an account of their own unless a centre keeps them."""
    if "account_id" not in changes and "centre_id" not in changes:
        changes["account_id"] = store_account(database).id
    donor = make_donor(**changes)
    with database.transaction() as transaction:
        transaction.donors.add(donor)
    return donor
