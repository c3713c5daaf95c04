"""A register with Bombay donors for a real server."""

from dataclasses import replace
from datetime import UTC, datetime

from argon2 import PasswordHasher

from reunite.accounts.account import Role
from reunite.blood.centres import BloodFamily
from reunite.broker.outbox import PostgresOutbox
from reunite.kernel.places import Point, cell_of
from reunite.storage.database import PostgresDatabase
from reunite.storage.server import open_database
from reunite.testing.donors import store_centre, store_donor
from reunite.testing.factories import make_account
from tests.servers import PASSWORD, Server

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
    hashed = PasswordHasher().hash(PASSWORD)
    with open_database(data_directory=server.data / "database") as handle:
        database = PostgresDatabase(handle.dsn, PostgresOutbox)
        people = {
            name: replace(make_account(role, email=addresses[name]), password_hash=hashed)
            for name, role in roles.items()
        }
        with database.transaction() as transaction:
            ids = {name: transaction.accounts.add(one) for name, one in people.items()}
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
        database.dispose()
    return addresses
