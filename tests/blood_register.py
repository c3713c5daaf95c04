"""A register with Bombay donors for a real server."""

from datetime import UTC, datetime

from reunite.accounts.account import Role
from reunite.app.bootstrap import open_services, read_config
from reunite.app.sign_in import create_account
from reunite.blood.centres import BloodFamily
from reunite.kernel.languages import Language
from reunite.kernel.places import Point, cell_of
from reunite.testing.donors import store_centre, store_donor
from tests.servers import PASSWORD, Server, environment

HOSPITAL = "湖滨医院"
FAMILY = "7K3M9QX2TB"
FAR = Point(27.70, 119.40)  # some 300 km from Hangzhou
NEAR = Point(30.25, 120.17)


def fill_register(server: Server) -> dict[str, str]:
    """The hospital, the family, and donors: how these come about is another story.

    Addresses of the accounts, by the part that they play.
    """
    roles = dict.fromkeys(("far", "sibling", "near"), Role.VOLUNTEER) | {"clerk": Role.OFFICER}
    addresses = {name: f"{name}@example.org" for name in roles}
    with open_services(read_config(environment(server.data))) as services:
        database = services.database
        ids = {
            name: create_account(services, addresses[name], PASSWORD, name, role, Language.ZH)
            for name, role in roles.items()
        }
        centre = store_centre(database, HOSPITAL)
        with database.transaction() as transaction:
            transaction.blood_centres.set_member(ids["clerk"], centre.id)
            transaction.blood_centres.add_family(BloodFamily(FAMILY, centre.id, datetime.now(UTC)))
        bombay = {"written": "Bombay (Oh) Rh+"}
        store_donor(database, account_id=ids["far"], cell=cell_of(FAR), **bombay)
        store_donor(
            database,
            account_id=ids["sibling"],
            cell=cell_of(Point(FAR.latitude - 1, FAR.longitude)),
            family_code=FAMILY,
            **bombay,
        )
        store_donor(database, account_id=ids["near"], cell=cell_of(NEAR), written="O Rh+")
    return addresses
