"""Requests for blood, those who were asked, and units in stock, in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reunite.blood.appeals import Appeal, CannotReason, DonorAsk
from reunite.blood.demands import Need
from reunite.blood.donors import RegisteredDonor
from reunite.blood.notation import parse_phenotype
from reunite.blood.requests import BloodRequest
from reunite.blood.rules import POLICIES, Component, Grade
from reunite.blood.stock import StockUnit
from reunite.blood.waves import Answer, Urgency, Why
from reunite.cases.case import CaseStatus
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import BloodCentreId, BloodRequestId, DonorAskId, DonorId
from reunite.kernel.places import Point
from reunite.ports import Database
from reunite.testing.donors import store_centre, store_donor
from reunite.testing.factories import HANGZHOU, NOW, store_account, store_case

LONG_AGO = date(2000, 1, 1)


def an_appeal(
    database: Database, centre_id: BloodCentreId, status: CaseStatus = CaseStatus.VERIFIED
) -> Appeal:
    case, _ = store_case(database, status=status)
    need = Need(
        parse_phenotype("Bombay Rh+ anti-E"), Component.RED_CELLS, True, POLICIES["default"]
    )
    request = BloodRequest(
        centre_id,
        need,
        2,
        HANGZHOU,
        NOW,
        NOW + timedelta(hours=12),
        Urgency.IMMINENT,
        "P-17",
        "7K3M9QX2TB",
        "theatre 3",
        "ruptured spleen",
    )
    return Appeal(request, case.id)


def stored(database: Database, appeal: Appeal) -> Appeal:
    with database.transaction() as transaction:
        transaction.blood_requests.add(appeal)
    return appeal


def an_ask(appeal: Appeal, donor: RegisteredDonor) -> DonorAsk:
    return DonorAsk(appeal.id, donor.id, NOW, 1, Grade.EXACT, 12.5, 0.3)


def test_a_request_comes_back(database: Database) -> None:
    centre = store_centre(database)
    appeal = stored(database, an_appeal(database, centre.id))
    with database.transaction() as transaction:
        assert transaction.blood_requests.get(appeal.id) == appeal
        assert transaction.blood_requests.find_of_case(appeal.case_id) == appeal
        appeal.asking_since, appeal.filled_at, appeal.why = NOW, NOW, Why.FILLED
        appeal.waves, appeal.next_look_at = 3, NOW + timedelta(minutes=15)
        appeal.units_per_donation = 2
        appeal.forget()
        transaction.blood_requests.save(appeal)
    with database.transaction() as transaction:
        assert transaction.blood_requests.get(appeal.id) == appeal
        for wrong in (
            lambda: transaction.blood_requests.get(BloodRequestId(99)),
            lambda: transaction.blood_requests.save(replace(appeal, id=BloodRequestId(99))),
        ):
            with pytest.raises(NotFoundError):
                wrong()


def test_requests_of_a_centre_and_open_ones(database: Database) -> None:
    centre, other = store_centre(database), store_centre(database)
    first = stored(database, an_appeal(database, centre.id))
    over = stored(database, an_appeal(database, centre.id, CaseStatus.RESOLVED))
    elsewhere = stored(database, an_appeal(database, other.id))
    with database.transaction() as transaction:
        assert transaction.blood_requests.list_of_centre(centre.id) == [over, first]
        assert transaction.blood_requests.list_of_centre(centre.id, limit=1) == [over]
        assert transaction.blood_requests.list_open() == [first, elsewhere]


def test_whoever_was_asked_comes_back(database: Database) -> None:
    appeal = stored(database, an_appeal(database, store_centre(database).id))
    donor, other = store_donor(database), store_donor(database)
    first = an_ask(appeal, donor)
    second = replace(an_ask(appeal, other), distance_km=None, sibling=True, by_phone=True)
    with database.transaction() as transaction:
        transaction.donor_asks.add_many([first, second])
    first.come(NOW, NOW + timedelta(hours=2), "138")
    second.answer, second.answered_at = Answer.CANNOT, NOW
    second.reason, second.hindrance = CannotReason.DEFERRED, "interval"
    second.deferred_until, second.remark, second.thanked_at = date(2026, 9, 1), "x", NOW
    with database.transaction() as transaction:
        transaction.donor_asks.save(first)
        transaction.donor_asks.save(second)
    with database.transaction() as transaction:
        asks = transaction.donor_asks
        assert asks.list_of_request(appeal.id) == [first, second]
        assert asks.get(first.id) == first
        assert asks.find(appeal.id, other.id) == second
        assert asks.find(appeal.id, DonorId(0)) is None
        assert asks.list_of_donor(donor.id) == [first]
        for wrong in (
            lambda: asks.get(DonorAskId(99)),
            lambda: asks.save(replace(first, id=DonorAskId(99))),
        ):
            with pytest.raises(NotFoundError):
                wrong()
        asks.delete([first.id])
        asks.delete([])
        assert asks.list_of_request(appeal.id) == [second]


def test_whom_a_centre_has_to_call(database: Database) -> None:
    keeper, other = store_centre(database), store_centre(database)
    open_request = stored(database, an_appeal(database, other.id))
    closed = stored(database, an_appeal(database, other.id, CaseStatus.RESOLVED))
    kept, silent, elsewhere = (
        store_donor(database, centre_id=centre.id, reference=str(number))
        for number, centre in enumerate((keeper, keeper, other))
    )
    asks = [replace(an_ask(open_request, one), by_phone=True) for one in (kept, silent, elsewhere)]
    others = [replace(an_ask(closed, kept), by_phone=True), an_ask(closed, silent)]
    with database.transaction() as transaction:
        transaction.donor_asks.add_many([*asks, *others])
        asks[0].leave(NOW)
        transaction.donor_asks.save(asks[0])
    with database.transaction() as transaction:
        assert transaction.donor_asks.list_to_call(keeper.id) == [asks[1]]


def test_nobody_is_asked_twice_for_one_request(database: Database) -> None:
    appeal = stored(database, an_appeal(database, store_centre(database).id))
    donor = store_donor(database)
    with database.transaction() as transaction:
        transaction.donor_asks.add_many([an_ask(appeal, donor)])
    with (
        pytest.raises(ConflictError, match="asked_already"),
        database.transaction() as transaction,
    ):
        transaction.donor_asks.add_many([an_ask(appeal, donor)])


def test_of_a_donor_who_has_left_only_the_count_stays(database: Database) -> None:
    appeal = stored(database, an_appeal(database, store_centre(database).id))
    donors = [store_donor(database, account_id=store_account(database).id) for _ in range(2)]
    with database.transaction() as transaction:
        transaction.donor_asks.add_many([an_ask(appeal, one) for one in donors])
        for one in donors:
            transaction.donors.delete(one.id)
    with database.transaction() as transaction:
        asks = transaction.donor_asks.list_of_request(appeal.id)
        assert [one.donor_id for one in asks] == [0, 0]
        assert transaction.donor_asks.list_of_donor(donors[0].id) == []


def a_unit(number: str, *, days: int = 30, point: Point | None = None) -> StockUnit:
    expires_on = NOW.date() + timedelta(days=days)
    return StockUnit(number, parse_phenotype("O Rh-"), Component.RED_CELLS, expires_on, "", point)


def test_an_inventory_replaces_the_one_before(database: Database) -> None:
    centre, other = store_centre(database, "A"), store_centre(database, "B")
    point = Point(31.2, 121.5)
    with database.transaction() as transaction:
        stock = transaction.blood_stock
        assert stock.last_report(centre.id) is None
        stock.replace(centre.id, [a_unit("2"), a_unit("1", point=point), a_unit("0", days=-1)], NOW)
        stock.replace(other.id, [a_unit("1")], NOW)
    with database.transaction() as transaction:
        listed = transaction.blood_stock.list_units(NOW.date())
        assert [(one.centre_id, one.unit.number) for one in listed] == [
            (centre.id, "1"),
            (centre.id, "2"),
            (other.id, "1"),
        ]
        assert listed[0].unit == replace(a_unit("1", point=point), centre="A")
        assert listed[1].unit.point == centre.place
        assert len(transaction.blood_stock.list_units(LONG_AGO)) == 4
        assert transaction.blood_stock.last_report(centre.id) == (3, NOW)
        transaction.blood_stock.replace(centre.id, [], NOW)
    with database.transaction() as transaction:
        assert [one.centre_id for one in transaction.blood_stock.list_units(LONG_AGO)] == [other.id]


def test_a_promised_unit_is_nobody_elses(database: Database) -> None:
    centre = store_centre(database)
    first, second = (stored(database, an_appeal(database, centre.id)) for _ in range(2))
    with database.transaction() as transaction:
        transaction.blood_stock.replace(centre.id, [a_unit("1"), a_unit("2")], NOW)
        transaction.blood_stock.promise(centre.id, "1", first.id)
        transaction.blood_stock.promise(centre.id, "1", first.id)
        # The next inventory still has it.
        transaction.blood_stock.replace(centre.id, [a_unit("1"), a_unit("3")], NOW)
    with database.transaction() as transaction:
        stock = transaction.blood_stock
        promised = {one.unit.number: one.promised_to for one in stock.list_units(LONG_AGO)}
        assert promised == {"1": first.id, "3": None}
        assert stock.count_promised(first.id) == 1
        with pytest.raises(ConflictError, match="unit_promised"):
            stock.promise(centre.id, "1", second.id)
        with pytest.raises(NotFoundError):
            stock.promise(centre.id, "2", second.id)
        stock.promise(centre.id, "1", None)
        assert stock.count_promised(first.id) == 0
