"""Who may do what with donors and blood centres; a part of the table in ``test_who_may``."""

from collections.abc import Callable
from datetime import date

from reunite.accounts.account import EVERYONE, STAFF, Actor, Role
from reunite.app import (
    blood_centres,
    donor_families,
    export_donors,
    import_donors,
    keep_donors,
    register_donor,
    settle_claims,
)
from reunite.app.services import Services
from reunite.blood.claims import Verdict
from reunite.blood.deferral import Donation, DonationKind
from reunite.blood.notation import parse_phenotype
from reunite.kernel.ids import BloodCentreId, DonorClaimId, DonorId

ADMINS = frozenset({Role.ADMIN})
NOBODY = DonorId(0)
O_NEGATIVE = parse_phenotype("O-")
GIVEN = Donation(DonationKind.PLASMA, date(2026, 1, 1))


def _acting_centre(services: Services, actor: Actor | None) -> object:
    with services.database.transaction() as transaction:
        return blood_centres.require_centre(transaction, actor)


DONOR_RULES: dict[str, tuple[frozenset[Role], Callable[[Services, Actor | None], object]]] = {
    "blood_centres.add_centre": (
        ADMINS,
        lambda s, a: blood_centres.add_centre(s, a, blood_centres.CentreRequest("")),
    ),
    "blood_centres.verify_centre": (
        ADMINS,
        lambda s, a: blood_centres.verify_centre(s, a, BloodCentreId(0)),
    ),
    "blood_centres.set_centre_member": (
        ADMINS,
        lambda s, a: blood_centres.set_centre_member(s, a, "", None),
    ),
    "blood_centres.list_centres": (ADMINS, blood_centres.list_centres),
    "blood_centres.find_own_centre": (STAFF, blood_centres.find_own_centre),
    "blood_centres.require_centre": (STAFF, _acting_centre),
    "register_donor.register_donor": (
        EVERYONE,
        lambda s, a: register_donor.register_donor(
            s, a, register_donor.DonorForm(O_NEGATIVE, frozenset())
        ),
    ),
    "register_donor.find_own_donor": (EVERYONE, register_donor.find_own_donor),
    "register_donor.sleep_donor": (EVERYONE, register_donor.sleep_donor),
    "register_donor.defer_donor": (EVERYONE, register_donor.defer_donor),
    "register_donor.forget_deferral": (
        EVERYONE,
        lambda s, a: register_donor.forget_deferral(s, a, "malaria"),
    ),
    "register_donor.erase_donor": (EVERYONE, register_donor.erase_donor),
    "donor_families.make_family": (STAFF, donor_families.make_family),
    "donor_families.join_family": (
        EVERYONE,
        lambda s, a: donor_families.join_family(s, a, "7K3M9QX2TB"),
    ),
    "donor_families.leave_family": (EVERYONE, donor_families.leave_family),
    "keep_donors.list_own_donors": (STAFF, keep_donors.list_own_donors),
    "keep_donors.get_kept_donor": (STAFF, lambda s, a: keep_donors.get_kept_donor(s, a, NOBODY)),
    "keep_donors.take_on_donor": (STAFF, lambda s, a: keep_donors.take_on_donor(s, a, "")),
    "keep_donors.confirm_type": (
        STAFF,
        lambda s, a: keep_donors.confirm_type(s, a, NOBODY, O_NEGATIVE),
    ),
    "keep_donors.record_donation": (
        STAFF,
        lambda s, a: keep_donors.record_donation(s, a, NOBODY, GIVEN),
    ),
    "keep_donors.record_deferral": (
        STAFF,
        lambda s, a: keep_donors.record_deferral(s, a, NOBODY, "malaria", None),
    ),
    "keep_donors.release_donor": (STAFF, lambda s, a: keep_donors.release_donor(s, a, NOBODY)),
    "import_donors.import_donors": (
        STAFF,
        lambda s, a: import_donors.import_donors(s, a, b"", import_donors.DonorFileOptions()),
    ),
    "export_donors.export_donors": (
        STAFF,
        lambda s, a: export_donors.export_donors(s, a, export_donors.FileFormat.CSV),
    ),
    "export_donors.export_own_donor": (EVERYONE, export_donors.export_own_donor),
    "settle_claims.list_claims": (STAFF, settle_claims.list_claims),
    "settle_claims.settle_claim": (
        STAFF,
        lambda s, a: settle_claims.settle_claim(s, a, DonorClaimId(0), Verdict.SAME),
    ),
    "settle_claims.settle_own_claim": (
        EVERYONE,
        lambda s, a: settle_claims.settle_own_claim(s, a, DonorClaimId(0), Verdict.SAME),
    ),
}
