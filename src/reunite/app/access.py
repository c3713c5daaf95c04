"""Who may call a route; every route of every edge declares one of these."""

from dataclasses import dataclass

from reunite.accounts.account import EVERYONE, STAFF, Actor, Role, require_role


@dataclass(frozen=True, slots=True)
class Access:
    """A rule about callers.  ``roles`` None lets everybody in, signed in or not."""

    name: str
    roles: frozenset[Role] | None

    def check(self, actor: Actor | None) -> None:
        """Raise ForbiddenError ``sign_in_required`` or ``role_required``."""
        if self.roles is not None:
            require_role(actor, self.roles)


PUBLIC = Access("public", None)
SIGNED_IN = Access("signed_in", EVERYONE)
STAFF_ONLY = Access("staff", STAFF)
ADMIN_ONLY = Access("admin", frozenset({Role.ADMIN}))
