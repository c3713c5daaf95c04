"""Accounts, passwords, sessions."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from reunite.accounts.account import Account, Actor, Role
from reunite.app import sign_in as accounts
from reunite.app.erase_expired import erase_expired
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.sign_in import (
    MAX_PASSWORD_LENGTH,
    change_account,
    create_account,
    find_actor,
    list_accounts,
    register,
    set_password,
    sign_in,
    sign_out,
)
from reunite.kernel.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from tests.unit.app.world import HANGZHOU, World

PASSWORD = "correct horse"
EMAIL = "zhou.ming@example.org"


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at its cheapest: these tests are about what happens around it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "_hasher", hasher)
    monkeypatch.setattr(accounts, "_nobodys_hash", lambda: hasher.hash("nobody's"))


def registered(world: World, email: str = EMAIL, role: Role = Role.FAMILY) -> AccountId:
    return create_account(
        world.services, email, PASSWORD, "周明", role, Language.ZH, " 湖滨救助站 "
    )


def stored(world: World, email: str = EMAIL) -> Account:
    with world.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(email)
    assert account is not None
    return account


def test_the_right_password_opens_a_session(world: World) -> None:
    account_id = registered(world)
    token = sign_in(world.services, f"  {EMAIL.upper()} ", PASSWORD)
    assert find_actor(world.services, token) == Actor(
        account_id, Role.FAMILY, "周明", Language.ZH, "湖滨救助站"
    )
    sign_out(world.services, token)
    assert find_actor(world.services, token) is None
    sign_out(world.services, token)


def test_a_password_is_not_what_is_stored(world: World) -> None:
    registered(world)
    assert PASSWORD not in stored(world).password_hash
    assert stored(world).password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("token", [None, "", "x", "nobody's token"])
def test_a_wrong_token_is_nobody(world: World, token: str | None) -> None:
    registered(world)
    assert find_actor(world.services, token) is None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong horse"),
        (EMAIL, ""),
        (EMAIL, PASSWORD + " "),
        (EMAIL, "x" * 2_000_000),
        ("nobody@example.org", PASSWORD),
        ("", ""),
    ],
)
def test_it_is_not_said_what_was_wrong(world: World, email: str, password: str) -> None:
    registered(world)
    with pytest.raises(ForbiddenError) as caught:
        sign_in(world.services, email, password)
    assert (caught.value.code, caught.value.details) == ("sign_in_failed", {"field": "password"})


def test_a_very_long_password_is_not_cut_into_a_right_one(world: World) -> None:
    longest = "长" * MAX_PASSWORD_LENGTH
    create_account(world.services, EMAIL, longest, "周明", Role.FAMILY, Language.ZH)
    assert sign_in(world.services, EMAIL, longest)
    for more in ("x", "xx", "x" * 1000):
        with pytest.raises(ForbiddenError, match="sign_in_failed"):
            sign_in(world.services, EMAIL, longest + more)


def test_a_broken_hash_opens_nothing(world: World) -> None:
    with pytest.raises(ForbiddenError, match="sign_in_failed"):
        sign_in(world.services, "family1@example.org", PASSWORD)


def test_a_disabled_account_is_shut_out_at_once(world: World) -> None:
    account_id = registered(world)
    token = sign_in(world.services, EMAIL, PASSWORD)
    change_account(world.services, world.admin, account_id, disabled=True)
    assert find_actor(world.services, token) is None
    with pytest.raises(ForbiddenError, match="sign_in_failed"):
        sign_in(world.services, EMAIL, PASSWORD)
    change_account(world.services, world.admin, account_id, disabled=False)
    assert find_actor(world.services, token) is None
    assert find_actor(world.services, sign_in(world.services, EMAIL, PASSWORD)) is not None


def test_a_disabled_account_is_told_nothing_any_more(world: World) -> None:
    join_alerts(world.services, world.volunteer, JoinRequest(frozenset(Module), point=HANGZHOU))
    change_account(world.services, world.admin, world.volunteer.account_id, disabled=True)
    with world.database.transaction() as transaction:
        assert transaction.volunteers.find(world.volunteer.account_id) is None


def test_a_new_role_ends_all_sessions(world: World) -> None:
    account_id = registered(world)
    tokens = [sign_in(world.services, EMAIL, PASSWORD) for _ in range(2)]
    change_account(world.services, world.admin, account_id, role=Role.REVIEWER)
    assert [find_actor(world.services, token) for token in tokens] == [None, None]
    actor = find_actor(world.services, sign_in(world.services, EMAIL, PASSWORD))
    assert actor is not None
    assert actor.role is Role.REVIEWER


def test_a_change_of_nothing_ends_nothing(world: World) -> None:
    account_id = registered(world)
    token = sign_in(world.services, EMAIL, PASSWORD)
    change_account(world.services, world.admin, account_id)
    assert find_actor(world.services, token) is not None


def test_nobody_locks_themselves_out(world: World) -> None:
    with pytest.raises(InvalidInputError, match="own_account"):
        change_account(world.services, world.admin, world.admin.account_id, disabled=True)
    with pytest.raises(NotFoundError):
        change_account(world.services, world.admin, AccountId(999), disabled=True)


def test_a_session_expires(world: World) -> None:
    registered(world)
    token = sign_in(world.services, EMAIL, PASSWORD)
    world.clock.advance(world.settings.session_ttl - timedelta(seconds=1))
    assert find_actor(world.services, token) is not None
    world.pass_time(seconds=1)
    assert find_actor(world.services, token) is None
    erase_expired(world.services)
    with world.database.transaction() as transaction:
        assert transaction.accounts.delete_expired_sessions(world.clock.now()) == 0


def test_a_new_password_ends_all_sessions(world: World) -> None:
    registered(world)
    token = sign_in(world.services, EMAIL, PASSWORD)
    set_password(world.services, f" {EMAIL.upper()}", "battery staple")
    assert find_actor(world.services, token) is None
    with pytest.raises(ForbiddenError):
        sign_in(world.services, EMAIL, PASSWORD)
    assert sign_in(world.services, EMAIL, "battery staple")
    with pytest.raises(InvalidInputError, match="email_unknown"):
        set_password(world.services, "nobody@example.org", PASSWORD)
    with pytest.raises(InvalidInputError, match="password_too_short"):
        set_password(world.services, EMAIL, "short")


@pytest.mark.parametrize("role", Role)
def test_only_families_and_volunteers_register_themselves(world: World, role: Role) -> None:
    arguments = (world.services, EMAIL, PASSWORD, "周明", role, Language.EN)
    if role in {Role.FAMILY, Role.VOLUNTEER}:
        register(*arguments)
        assert (stored(world).role, stored(world).language) == (role, Language.EN)
        return
    with pytest.raises(ForbiddenError, match="role_required"):
        register(*arguments)


def test_an_address_is_taken_once(world: World) -> None:
    registered(world)
    with pytest.raises(ConflictError, match="email_taken"):
        registered(world, EMAIL.upper())


@pytest.mark.parametrize(
    ("email", "password", "name", "code", "field"),
    [
        ("", PASSWORD, "周明", "email_invalid", "email"),
        ("zhou", PASSWORD, "周明", "email_invalid", "email"),
        ("zhou@", PASSWORD, "周明", "email_invalid", "email"),
        ("zhou@example", PASSWORD, "周明", "email_invalid", "email"),
        ("zhou@example..org", PASSWORD, "周明", "email_invalid", "email"),
        ("zhou ming@example.org", PASSWORD, "周明", "email_invalid", "email"),
        ("zhou@ming@example.org", PASSWORD, "周明", "email_invalid", "email"),
        ("z" * 65 + "@example.org", PASSWORD, "周明", "email_invalid", "email"),
        ("z@" + "e" * 250 + ".org", PASSWORD, "周明", "email_invalid", "email"),
        (EMAIL, "123456789", "周明", "password_too_short", "password"),
        (EMAIL, "x" * 201, "周明", "text_too_long", "password"),
        (EMAIL, PASSWORD, "  ", "required", "display_name"),
        (EMAIL, PASSWORD, "长" * 61, "text_too_long", "display_name"),
    ],
)
def test_a_mistake_names_its_field(
    world: World, email: str, password: str, name: str, code: str, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        register(world.services, email, password, name, Role.FAMILY, Language.ZH)
    assert (caught.value.code, caught.value.details["field"]) == (code, field)


def test_administrators_list_accounts_in_pages(world: World) -> None:
    everyone = list_accounts(world.services, world.admin)
    assert [account.id for account in everyone] == sorted(account.id for account in everyone)
    first = list_accounts(world.services, world.admin, limit=4)
    second = list_accounts(world.services, world.admin, after=first[-1].id)
    assert first + second == everyone
