"""Pages of a blood centre and of administrators: donors, types, claims, files."""

import re
from io import BytesIO

import openpyxl
import pytest

from reunite.accounts.account import Actor, Role
from reunite.blood.centres import BloodCentre
from reunite.blood.deferral import DonationKind
from reunite.blood.donors import RegisteredDonor, TypingMethod
from reunite.blood.notation import parse_phenotype
from reunite.testing.donors import store_centre, store_donor
from tests.unit.app.test_donors import a_centre, officer_of
from tests.unit.app.test_import_donors import FILE
from tests.unit.web.conftest import Reader, Site

FAULTY = FILE + "D3,=1+1,,,,,,,\n"


@pytest.fixture
def centre(site: Site) -> BloodCentre:
    return store_centre(site.world.database, "杭州血液中心")


@pytest.fixture
def reader(site: Site, centre: BloodCentre) -> Reader:
    return site.reader(officer_of(site.world, centre))


def stored(site: Site, donor: RegisteredDonor) -> RegisteredDonor:
    with site.world.database.transaction() as transaction:
        return transaction.donors.get(donor.id)


def test_nobody_acts_without_a_verified_centre(site: Site) -> None:
    stranger = site.reader(site.world.actor(Role.OFFICER))
    assert "acts for no blood centre" in stranger.get("/en/blood/centre").text
    assert stranger.get("/en/blood/centre/claims").status_code == 403
    new = store_centre(site.world.database, "New", verified_at=None)
    waiting = site.reader(officer_of(site.world, new))
    assert "has not been verified" in waiting.get("/en/blood/centre").text
    assert waiting.get("/en/blood/centre/export/donors.csv").status_code == 403


def test_the_roll_tells_words_from_results(site: Site, centre: BloodCentre, reader: Reader) -> None:
    assert "No donors yet" in reader.get("/en/blood/centre").text
    donor = store_donor(site.world.database, centre_id=centre.id, reference="HZ-1", written="O-")
    assert "Own word" in reader.get("/en/blood/centre").text
    path = f"/en/blood/centre/donors/{donor.id}"
    assert reader.post(f"{path}/type", {"found": "O A"}).status_code == 422
    shown = reader.post(f"{path}/type", {"found": "O Rh- kk", "method": "genotyping"}).text
    assert "data-read>O RhD- K- k+<" in shown
    assert stored(site, donor).confirmation is None
    saved = reader.post(
        f"{path}/type", {"found": "O Rh- kk", "method": "genotyping", "action": "save"}
    )
    assert saved.headers["location"] == f"{path}?done=typed"
    found = stored(site, donor).confirmation
    assert found is not None
    assert (found.phenotype, found.method) == (parse_phenotype("O- kk"), TypingMethod.GENOTYPING)
    roll = reader.get("/en/blood/centre").text
    assert "Laboratory" in roll
    assert "never transfusion advice" in roll


def test_donations_deferrals_and_families(site: Site, centre: BloodCentre, reader: Reader) -> None:
    donor = store_donor(site.world.database, centre_id=centre.id)
    path = f"/en/blood/centre/donors/{donor.id}"
    sent = {"last_on": "2026-05-30", "last_kind": "platelets", "reason": "tattoo_or_piercing"}
    assert reader.post(f"{path}/deferral", sent).headers["location"] == f"{path}?done=written"
    facts = stored(site, donor).facts
    assert [one.kind for one in facts.donations] == [DonationKind.PLATELETS]
    assert [one.code for one in facts.reasons] == ["tattoo_or_piercing"]
    assert "Tattoo or piercing: while it lasts" in reader.get(path).text
    for sent in ({}, {"last_on": "2050-01-01"}):
        refused = reader.post(f"{path}/deferral", sent)
        assert refused.status_code == 422
        assert 'href="#field-last_on"' in refused.text
    reader.post(f"{path}/family")
    assert stored(site, donor).family_code in reader.get(path).text
    gone = reader.post(f"{path}/release")
    assert gone.headers["location"] == "/en/blood/centre?done=released"


def test_another_centres_donor_is_not_there(site: Site, reader: Reader) -> None:
    other, _ = a_centre(site.world)
    donor = store_donor(site.world.database, centre_id=other.id)
    path = f"/en/blood/centre/donors/{donor.id}"
    assert reader.get(path).status_code == 404
    for action in ("type", "deferral", "family", "release"):
        sent = {"found": "O+", "action": "save", "last_on": "2026-01-01"}
        assert reader.post(f"{path}/{action}", sent).status_code == 404


def test_taking_on_and_settling(site: Site, centre: BloodCentre, reader: Reader) -> None:
    free = store_donor(site.world.database)
    assert reader.post("/en/blood/centre/donors", {"code": "WRONG"}).status_code == 422
    taken = reader.post("/en/blood/centre/donors", {"code": free.code, "reference": "HZ-9"})
    assert taken.headers["location"] == f"/en/blood/centre/donors/{free.id}?done=taken"
    other, officer = a_centre(site.world)
    kept = store_donor(
        site.world.database, account_id=site.world.family.account_id, centre_id=other.id
    )
    claimed = reader.post("/en/blood/centre/donors", {"code": kept.code, "reference": "HZ-8"})
    assert claimed.headers["location"] == "/en/blood/centre/claims?done=claimed"
    assert other.name in reader.get("/en/blood/centre/claims").text
    keeper = site.reader(officer)
    page = keeper.get("/en/blood/centre/claims").text
    assert centre.name in page
    [claim] = re.findall(r'action="/en(/blood/centre/claims/\d+)"', page)
    assert keeper.post(f"/en{claim}", {"verdict": "same"}).status_code == 422
    settled = keeper.post(f"/en{claim}", {"verdict": "move"})
    assert settled.headers["location"] == "/en/blood/centre/claims?done=settled"
    assert stored(site, kept).centre_id == centre.id


def send(reader: Reader, text: str, **form: str) -> str:
    answer = reader.post(
        "/zh/blood/centre/import", form, files={"sheet": ("d.csv", text.encode("gbk"))}
    )
    return answer.text


def test_a_file_is_tried_brought_and_reported(site: Site, reader: Reader) -> None:
    assert "血型" in reader.get("/zh/blood/centre/import").text
    tried = send(reader, FAULTY, action="try", agreed="1")
    assert "没有写入" in tried
    assert "“=1+1”" in tried
    stands = send(reader, FAULTY, action="import", agreed="1")
    assert "有问题的行阻止了导入" in stands
    report = send(reader, FAULTY, action="report")
    assert report.startswith("\ufeffrow,number,outcome,column,got,problem")
    assert "4,,refused,type,'=1+1," in report
    with site.world.database.transaction() as transaction:
        assert transaction.donors.count() == 0
    brought = send(reader, FAULTY, action="import", agreed="1", skip_faulty="1")
    assert "登记册已更新" in brought
    with site.world.database.transaction() as transaction:
        assert transaction.donors.count() == 2
        assert [one.may_be_asked for one in transaction.donors.iter_all()] == [True, False]


def test_files_that_cannot_be_read_say_so(reader: Reader) -> None:
    for data in (b"", b"PK\x03\x04 broken", b"\xff\xff\xff"):
        answer = reader.post(
            "/en/blood/centre/import", {"action": "try"}, files={"sheet": ("d.csv", data)}
        )
        assert answer.status_code == 422
        assert 'href="#field-sheet"' in answer.text


def test_the_roll_can_be_taken_away(site: Site, centre: BloodCentre, reader: Reader) -> None:
    store_donor(site.world.database, centre_id=centre.id, reference="=1+1", written="O-")
    text = reader.get("/en/blood/centre/export/donors.csv")
    assert "'=1+1,O RhD-,no,1996-01-01" in text.text
    book = openpyxl.load_workbook(
        BytesIO(reader.get("/en/blood/centre/export/donors.xlsx").content)
    )
    assert [cell.value for cell in book.worksheets[0][2]][:2] == ["'=1+1", "O RhD-"]
    assert reader.get("/en/blood/centre/export/donors.exe").status_code == 404


def test_administrators_write_verify_and_staff_centres(site: Site) -> None:
    admin = site.reader(site.world.actor(Role.ADMIN))
    assert "No centre yet" in admin.get("/en/admin/centres").text
    sent = {"name": "杭州血液中心", "kind": "blood_centre", "town": "Hangzhou", "rules": "china"}
    assert admin.post("/en/admin/centres", {**sent, "town": "Atlantis"}).status_code == 422
    assert admin.post("/en/admin/centres", sent).headers["location"] == "/en/admin/centres"
    assert admin.post("/en/admin/centres", sent).status_code == 409
    officer: Actor = site.world.actor(Role.OFFICER)
    with site.world.database.transaction() as transaction:
        [centre] = transaction.blood_centres.list_all()
        email = transaction.accounts.get(officer.account_id).email
    path = f"/en/admin/centres/{centre.id}"
    admin.post(path, {"action": "member", "email": email})
    admin.post(path, {"action": "verify"})
    page = admin.get("/en/admin/centres").text
    assert email in page
    assert "Verified" in page
    assert site.reader(officer).get("/en/blood/centre").status_code == 200
    assert admin.post(path, {"action": "member", "email": "x"}).status_code == 422
    assert admin.post(path, {"action": "burn"}).status_code == 422
    admin.post(path, {"action": "no-member", "email": email})
    admin.post(path, {"action": "suspend"})
    assert "Not verified" in admin.get("/en/admin/centres").text
