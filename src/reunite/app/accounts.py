from reunite.accounts.account import *  # noqa: F403
from reunite.accounts.account import EVERYONE, STAFF, Account, Actor, Role, require_role  # noqa: F401
