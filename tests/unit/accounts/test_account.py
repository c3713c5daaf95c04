"""Who may do what."""

import itertools

import pytest

from reunite.accounts.account import EVERYONE, STAFF, Actor, Role, require_role
from reunite.kernel.errors import ForbiddenError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language


def actor(role: Role) -> Actor:
    return Actor(AccountId(1), role, "周明", Language.ZH)


def test_nobody_is_let_in_without_signing_in() -> None:
    for roles in (EVERYONE, STAFF, frozenset[Role]()):
        with pytest.raises(ForbiddenError) as caught:
            require_role(None, roles)
        assert caught.value.code == "sign_in_required"


@pytest.mark.parametrize(("role", "wanted"), list(itertools.product(Role, Role)))
def test_only_the_roles_named_are_let_in(role: Role, wanted: Role) -> None:
    who = actor(role)
    if role is wanted:
        assert require_role(who, frozenset({wanted})) is who
        return
    with pytest.raises(ForbiddenError) as caught:
        require_role(who, frozenset({wanted}))
    assert caught.value.code == "role_required"
    assert caught.value.details == {"roles": [wanted]}


def test_an_empty_set_of_roles_admits_nobody() -> None:
    for role in Role:
        with pytest.raises(ForbiddenError):
            require_role(actor(role), frozenset())


def test_staff_are_reviewers_officers_and_administrators() -> None:
    assert {role for role in Role if actor(role).is_staff} == STAFF
    assert {Role.REVIEWER, Role.OFFICER, Role.ADMIN} == STAFF
    assert frozenset(Role) == EVERYONE
