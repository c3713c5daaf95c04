import pytest

from reunite.accounts.account import Role
from tests.unit.web.conftest import Reader, Site


def admin(site: Site) -> Reader:
    return site.reader(site.world.admin)


def test_accounts_are_listed_without_a_form_for_oneself(site: Site) -> None:
    html = admin(site).get("/en/admin/accounts").text
    assert "family1@example.org" in html
    assert "湖滨救助站" in html
    assert html.count('class="account-change"') == 5
    assert "your own account" in html


def test_a_role_is_given(site: Site) -> None:
    number = site.world.volunteer.account_id
    reader = admin(site)
    done = reader.post(f"/en/admin/accounts/{number}", {"change": "role", "role": "reviewer"})
    assert done.status_code == 303
    assert "changed" in reader.get(done.headers["location"].split("#")[0]).text
    with site.world.database.transaction() as transaction:
        assert transaction.accounts.get(number).role is Role.REVIEWER


def test_somebody_is_shut_out_and_let_in_again(site: Site) -> None:
    number = site.world.volunteer.account_id
    reader, volunteer = admin(site), site.reader(site.world.volunteer)
    assert volunteer.get("/en/inbox").status_code == 200
    reader.post(f"/en/admin/accounts/{number}", {"change": "disable", "role": "admin"})
    assert volunteer.get("/en/inbox").status_code == 303
    assert "Let in again" in reader.get("/en/admin/accounts").text
    with site.world.database.transaction() as transaction:
        assert transaction.accounts.get(number).role is Role.VOLUNTEER
    reader.post(f"/en/admin/accounts/{number}", {"change": "enable"})
    with site.world.database.transaction() as transaction:
        assert not transaction.accounts.get(number).disabled


def test_nobody_locks_themselves_out(site: Site) -> None:
    number = site.world.admin.account_id
    refused = admin(site).post(f"/en/admin/accounts/{number}", {"change": "disable"})
    assert refused.status_code == 422
    assert "lock yourself out" in refused.text


@pytest.mark.parametrize(
    "form",
    [{}, {"change": "destroy"}, {"change": "role"}, {"change": "role", "role": "emperor"}],
)
def test_changes_that_are_none(site: Site, form: dict[str, str]) -> None:
    number = site.world.volunteer.account_id
    assert admin(site).post(f"/en/admin/accounts/{number}", form).status_code == 422


@pytest.mark.parametrize("number", ["99", "9" * 30])
def test_an_account_that_does_not_exist(site: Site, number: str) -> None:
    answer = admin(site).post(f"/en/admin/accounts/{number}", {"change": "disable"})
    assert answer.status_code == 404


def test_accounts_are_shown_a_page_at_a_time(site: Site) -> None:
    for _ in range(50):
        site.world.actor(Role.FAMILY)
    reader = admin(site)
    first = reader.get("/en/admin/accounts").text
    assert first.count('class="account"') == 50
    after = first.split("accounts?after=")[1].split('"')[0]
    second = reader.get(f"/en/admin/accounts?after={after}").text
    assert second.count('class="account"') == 6
    assert reader.get("/en/admin/accounts?after=x").status_code == 422
