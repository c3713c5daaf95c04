"""Keys for partners: made once, rotated, revoked, limited, logged."""

from datetime import timedelta
from typing import Any

import pytest

from reunite.accounts.account import Role
from reunite.app.api_keys import (
    KeyRequest,
    NewKey,
    add_key,
    list_key_uses,
    list_keys,
    revoke_key,
    rotate_key,
)
from reunite.app.sign_in import change_account
from reunite.app.use_key import STRANGERS_PER_MINUTE, KeyGate, actor_behind, admit, log_use
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
)
from reunite.kernel.ids import ApiKeyId
from reunite.partners.keys import Scope
from tests.unit.app.world import World

READ = frozenset({Scope.READ_PUBLIC})


def make(world: World, **changes: Any) -> NewKey:
    wanted: dict[str, Any] = {
        "name": "登记处", "scopes": READ, "account_id": world.officer.account_id,
    }  # fmt: skip
    return add_key(world.services, world.admin, KeyRequest(**{**wanted, **changes}))


@pytest.fixture
def gate(world: World) -> KeyGate:
    return KeyGate(world.clock)


def enter(world: World, gate: KeyGate, secret: str | None, scope: Scope = Scope.READ_PUBLIC) -> Any:
    return admit(world.services, gate, secret, frozenset({scope}), "127.0.0.1")


def test_the_secret_opens_and_is_stored_nowhere(world: World, gate: KeyGate) -> None:
    made = make(world)
    assert enter(world, gate, made.secret).id == made.key.id
    assert made.secret not in repr(list_keys(world.services, world.admin))
    with pytest.raises(ForbiddenError, match="key_scope_missing"):
        enter(world, gate, made.secret, Scope.SEARCH)
    with pytest.raises(ForbiddenError, match="key_required"):
        enter(world, gate, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "required"),
        ({"domain": "reunite.localhost"}, "own_domain"),
        ({"domain": "x"}, "domain_unreadable"),
    ],
)
def test_a_key_that_cannot_be_right_is_not_made(
    world: World, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises((InvalidInputError, ConflictError)) as caught:
        make(world, **changes)
    assert caught.value.code == code
    assert list_keys(world.services, world.admin).keys == []


def test_somebody_of_the_staff_answers_for_a_key(world: World) -> None:
    with pytest.raises(InvalidInputError, match="account_not_staff"):
        make(world, account_id=world.family.account_id)
    with pytest.raises(InvalidInputError, match="date_in_past"):
        make(world, expires_at=world.clock.now())


def test_rotation_leaves_a_day_to_change_over(world: World, gate: KeyGate) -> None:
    old = make(world)
    new = rotate_key(world.services, world.admin, old.key.id)
    assert new.secret != old.secret
    assert new.key.scopes == old.key.scopes
    enter(world, gate, old.secret)
    world.pass_time(hours=24)
    with pytest.raises(ForbiddenError, match="key_unknown"):
        enter(world, gate, old.secret)
    enter(world, gate, new.secret)
    with pytest.raises(ConflictError, match="key_ended"):
        rotate_key(world.services, world.admin, old.key.id)


def test_rotation_does_not_prolong_a_key_that_ends_sooner(world: World) -> None:
    ends = world.clock.now() + timedelta(hours=1)
    old = make(world, expires_at=ends)
    rotate_key(world.services, world.admin, old.key.id)
    assert [key.expires_at for key in list_keys(world.services, world.admin).keys] == [ends, ends]


def test_a_revoked_key_opens_nothing_at_once(world: World, gate: KeyGate) -> None:
    made = make(world)
    revoke_key(world.services, world.admin, made.key.id)
    first = list_keys(world.services, world.admin).keys[0].revoked_at
    world.pass_time(hours=1)
    revoke_key(world.services, world.admin, made.key.id)
    assert list_keys(world.services, world.admin).keys[0].revoked_at == first
    with pytest.raises(ForbiddenError, match="key_unknown"):
        enter(world, gate, made.secret)
    with pytest.raises(NotFoundError):
        revoke_key(world.services, world.admin, ApiKeyId(99))


def test_each_key_has_its_own_limit(world: World, gate: KeyGate) -> None:
    slow, other = make(world, requests_per_minute=2), make(world, requests_per_minute=2)
    for _ in range(2):
        enter(world, gate, slow.secret)
    with pytest.raises(TooManyRequestsError) as caught:
        enter(world, gate, slow.secret)
    assert caught.value.details["retry_after_seconds"] == 60
    enter(world, gate, other.secret)
    world.pass_time(seconds=61)
    enter(world, gate, slow.secret)


def test_whoever_guesses_is_slowed_down(world: World, gate: KeyGate) -> None:
    for _ in range(STRANGERS_PER_MINUTE):
        with pytest.raises(ForbiddenError, match="key_unknown"):
            enter(world, gate, "rk_guess")
    with pytest.raises(TooManyRequestsError):
        enter(world, gate, "rk_guess")


def test_uses_are_logged(world: World) -> None:
    made = make(world)
    log_use(world.services, made.key, "persons", 3)
    log_use(world.services, made.key, "push", 0, "xml_unreadable")
    uses = list_key_uses(world.services, world.admin, made.key.id)
    assert sorted((use.operation, use.records, use.outcome) for use in uses) == [
        ("persons", 3, ""), ("push", 0, "xml_unreadable"),
    ]  # fmt: skip
    assert list_keys(world.services, world.admin).uses == {made.key.id: 2}


def test_a_key_acts_for_its_account_while_that_may_come_in(world: World) -> None:
    made = make(world)
    assert actor_behind(world.services, made.key).role is Role.OFFICER
    change_account(world.services, world.admin, world.officer.account_id, disabled=True)
    with pytest.raises(ForbiddenError, match="key_unknown"):
        actor_behind(world.services, made.key)
