"""Files of donors: whole or not at all, tried first, brought again, taken away."""

from dataclasses import replace
from datetime import date

import pytest

from reunite.accounts.account import Actor
from reunite.app.export_donors import FileFormat, export_donors
from reunite.app.import_donors import DonorFileOptions, DonorFileReport, import_donors
from reunite.app.keep_donors import list_own_donors
from reunite.app.settle_claims import list_claims
from reunite.blood.claims import ClaimReason
from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.blood.notation import parse_phenotype
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex
from reunite.kernel.places import cell_of
from reunite.testing.donors import store_donor
from tests.unit.app.test_donors import a_centre
from tests.unit.app.world import HANGZHOU, World

HEAD = "编号,血型,出生日期,性别,体重,城市,联系电话,血站确认,同意\n"
FILE = (
    HEAD
    + "D1,孟买型 Rh阳性,1990-05-01,女,55,杭州,138 0000 1234,是,是\n"
    + "D2,O型 Rh阴性,,,,,,,否\n"
)
AGREED = DonorFileOptions(agreed=True)


def bring(
    world: World, actor: Actor, text: str, options: DonorFileOptions = AGREED
) -> DonorFileReport:
    return import_donors(world.services, actor, text.encode("gbk"), options)


def roll(world: World, actor: Actor) -> dict[str, RegisteredDonor]:
    kept = list_own_donors(world.services, actor, limit=500)
    return {one.donor.reference: one.donor for one in kept.donors}


def test_a_file_is_brought_and_brought_again(world: World) -> None:
    centre, officer = a_centre(world)
    tried = bring(world, officer, FILE, replace(AGREED, dry_run=True))
    assert tried.counts == {"new": 2, "updated": 0, "unchanged": 0, "refused": 0}
    assert not tried.written
    assert roll(world, officer) == {}
    brought = bring(world, officer, FILE)
    assert brought == replace(tried, written=True)
    first, second = roll(world, officer).values()
    assert first.confirmation is not None
    assert first.confirmation.centre_id == centre.id
    assert (first.facts.born_on, first.facts.sex) == (date(1990, 5, 1), Sex.FEMALE)
    assert first.cell is not None
    assert first.place_label == "1808926"
    assert first.may_be_asked
    assert second.declared == parse_phenotype("O-")
    assert not second.may_be_asked  # the file says so of this one
    assert len(world.services.donors.pool()) == 1

    again = bring(world, officer, FILE)
    assert again.counts["unchanged"] == 2
    changed = bring(world, officer, FILE.replace("D2,O型 Rh阴性", "D2,O型 Rh阴性 K-"))
    assert [row.outcome for row in changed.rows] == ["unchanged", "updated"]
    assert roll(world, officer)["D2"].declared == parse_phenotype("O- K-")


def test_nothing_is_half_imported(world: World) -> None:
    _, officer = a_centre(world)
    bad = FILE + "D3,AB 抗-A,,,,,,,\nD4,Q,,,,,,,\nD5,A,,,,亚特兰蒂斯,,,\nD1,O,,,,,,,\n"
    report = bring(world, officer, bad)
    assert not report.written
    assert report.counts == {"new": 2, "updated": 0, "unchanged": 0, "refused": 4}
    told = [
        (row.row, fault.column, fault.error.code) for row in report.rows for fault in row.faults
    ]
    assert told == [
        (4, "type", "blood_antibody_contradicts"),
        (5, "type", "blood_notation_unreadable"),
        (6, "town", "town_unknown"),
        (7, "id", "donor_twice"),
    ]
    assert roll(world, officer) == {}
    report = bring(world, officer, bad, replace(AGREED, skip_faulty=True))
    assert report.written
    assert set(roll(world, officer)) == {"D1", "D2"}


def test_files_that_cannot_be_used(world: World) -> None:
    _, officer = a_centre(world)
    for text, code in (("", "import_columns"), ("name,age\nx,1\n", "import_columns")):
        with pytest.raises(InvalidInputError, match=code):
            bring(world, officer, text)
    with pytest.raises(InvalidInputError, match="register_rows_many"):
        bring(world, officer, FILE, DonorFileOptions(most_rows=1))
    with pytest.raises(InvalidInputError, match="import_encoding"):
        import_donors(world.services, officer, b"id,type\nx,\xff\xff\n", DonorFileOptions())


def test_ten_thousand_bad_rows(world: World) -> None:
    _, officer = a_centre(world)
    rows = "".join(f"{number},Q{number % 7},,,,,,,\n" for number in range(10_000))
    report = bring(world, officer, HEAD + rows)
    assert report.counts["refused"] == 10_000
    assert not report.written
    assert roll(world, officer) == {}


def test_an_account_says_itself_what_it_agrees_to(world: World) -> None:
    centre, officer = a_centre(world)
    kept = store_donor(
        world.database,
        account_id=world.family.account_id,
        centre_id=centre.id,
        reference="D2",
        written="O+",
        consents=frozenset({ConsentPurpose.CENTRE}),
    )
    bring(world, officer, FILE.replace(",否\n", ",是\n").replace("D2,O型 Rh阴性", "D2,A型"))
    found = roll(world, officer)["D2"]
    assert found.consents == kept.consents
    assert found.declared == kept.declared


def test_what_looks_like_anothers_donor_is_claimed_and_not_merged(world: World) -> None:
    other, keeper = a_centre(world)
    _, officer = a_centre(world)
    known = store_donor(
        world.database,
        centre_id=other.id,
        reference="X",
        written="孟买型",
        contact="+8613800001234",
        facts=replace(store_donor(world.database).facts, born_on=date(1990, 5, 1)),
    )
    tried = bring(world, officer, FILE, replace(AGREED, dry_run=True))
    assert [row.claim for row in tried.rows] == [ClaimReason.SAME_CONTACT, None]
    assert list_claims(world.services, keeper) == []
    report = bring(world, officer, FILE)
    assert report.claims == 1
    [claim] = list_claims(world.services, keeper)
    assert (claim.claim.donor_id, claim.own) == (known.id, known)
    assert set(roll(world, officer)) == {"D1", "D2"}
    assert bring(world, officer, FILE).claims == 0


@pytest.mark.parametrize("form", FileFormat)
def test_what_is_exported_can_be_brought_back(world: World, form: FileFormat) -> None:
    centre, officer = a_centre(world)
    bring(world, officer, FILE)
    for written, reference in (("-D-/-D-", "=1+1"), ("A₂B Jk(a-b-) 抗-E", "@x")):
        store_donor(
            world.database,
            centre_id=centre.id,
            written=written,
            reference=reference,
            contact="-77",
            asleep=True,
            cell=cell_of(HANGZHOU),
        )
    before = roll(world, officer)
    data = export_donors(world.services, officer, form)
    if form is FileFormat.CSV:
        assert b"'=1+1" in data
        assert b"'@x" in data
    report = import_donors(world.services, officer, data, DonorFileOptions())
    assert report.counts == {"new": 0, "updated": 0, "unchanged": 4, "refused": 0}
    assert roll(world, officer) == before
