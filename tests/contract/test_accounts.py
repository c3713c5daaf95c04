"""AccountRepository and VolunteerRepository, in memory and on PostgreSQL."""

from datetime import timedelta

import pytest

from reunite.accounts.account import Role
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point
from reunite.ports import Database
from reunite.testing.factories import NOW, make_account, make_volunteer, store_account

TOKEN = bytes(range(32))
BEIJING = Point(39.9042, 116.4074)


def test_an_account_comes_back_as_it_was_written(database: Database) -> None:
    account = make_account(Role.OFFICER, language=Language.EN, organisation="Station 4")
    with database.transaction() as transaction:
        assert transaction.accounts.add(account) == account.id != 0
    with database.transaction() as transaction:
        assert transaction.accounts.get(account.id) == account
        assert transaction.accounts.find_by_email(account.email) == account
        assert transaction.accounts.find_by_email("nobody@example.org") is None


def test_an_address_is_taken_once(database: Database) -> None:
    account = store_account(database)
    with database.transaction() as transaction:
        with pytest.raises(ConflictError) as refused:
            transaction.accounts.add(make_account(email=account.email))
        # The transaction goes on: a form is shown again, an import takes the next line.
        transaction.accounts.add(make_account())
    assert refused.value.code == "email_taken"
    with database.transaction() as transaction:
        assert len(transaction.accounts.list_all()) == 2


def test_an_unknown_account_is_not_found(database: Database) -> None:
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.accounts.get(AccountId(99))
        with pytest.raises(NotFoundError):
            transaction.accounts.save(make_account())


def test_accounts_are_paged_by_id(database: Database) -> None:
    ids = [store_account(database).id for _ in range(5)]
    with database.transaction() as transaction:
        first = transaction.accounts.list_all(limit=3)
        rest = transaction.accounts.list_all(after=first[-1].id, limit=3)
    assert [account.id for account in first + rest] == ids


def test_what_may_change_of_an_account_is_saved(database: Database) -> None:
    account = store_account(database)
    account.display_name, account.role, account.disabled = "Chen", Role.REVIEWER, True
    account.password_hash, account.language, account.organisation = "new", Language.EN, "Home"
    with database.transaction() as transaction:
        transaction.accounts.save(account)
    with database.transaction() as transaction:
        assert transaction.accounts.get(account.id) == account


def test_a_session_belongs_to_an_enabled_account_until_it_expires(database: Database) -> None:
    account = store_account(database)
    expires_at = NOW + timedelta(hours=1)
    with database.transaction() as transaction:
        transaction.accounts.add_session(TOKEN, account.id, expires_at)
    with database.transaction() as transaction:
        assert transaction.accounts.find_session(TOKEN, NOW) == account
        assert transaction.accounts.find_session(bytes(32), NOW) is None
        assert transaction.accounts.find_session(TOKEN, expires_at) is None
        account.disabled = True
        transaction.accounts.save(account)
        assert transaction.accounts.find_session(TOKEN, NOW) is None


def test_sessions_are_deleted_one_by_one_by_account_and_by_age(database: Database) -> None:
    account, other = store_account(database), store_account(database)
    tokens = [bytes([number]) * 32 for number in range(4)]
    with database.transaction() as transaction:
        for hours, token in enumerate(tokens):
            transaction.accounts.add_session(token, account.id, NOW + timedelta(hours=hours))
        transaction.accounts.add_session(TOKEN, other.id, NOW + timedelta(hours=9))
        assert transaction.accounts.delete_expired_sessions(NOW) == 1
        transaction.accounts.delete_session(tokens[1])
        assert transaction.accounts.find_session(tokens[1], NOW) is None
        assert transaction.accounts.find_session(tokens[2], NOW) is not None
        transaction.accounts.delete_sessions_of(account.id)
        assert transaction.accounts.find_session(tokens[3], NOW) is None
        assert transaction.accounts.find_session(TOKEN, NOW) == other


def test_a_session_needs_an_account(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.accounts.add_session(TOKEN, AccountId(99), NOW)


def test_a_volunteer_joins_changes_and_leaves(database: Database) -> None:
    account = store_account(database)
    volunteer = make_volunteer(account.id, modules=frozenset({Module.CHILD, Module.BLOOD}))
    with database.transaction() as transaction:
        assert transaction.volunteers.find(account.id) is None
        transaction.volunteers.save(volunteer)
        assert transaction.volunteers.find(account.id) == volunteer
        moved = make_volunteer(account.id, place=BEIJING, modules=frozenset())
        moved.language = Language.EN
        transaction.volunteers.save(moved)
        assert transaction.volunteers.find(account.id) == moved
        assert transaction.volunteers.count() == 1
        transaction.volunteers.delete(account.id)
        assert transaction.volunteers.find(account.id) is None
        assert transaction.volunteers.count() == 0


def test_a_volunteer_needs_an_account(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.volunteers.save(make_volunteer(AccountId(99)))
