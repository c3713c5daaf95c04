from reunite.ports import *  # noqa: F403
