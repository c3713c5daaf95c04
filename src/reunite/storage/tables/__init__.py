"""Every table of the system of record, one module a capability.

The repositories beside this package hold all queries, except those on ``outbox``: they
belong to ``broker``, which may not import ``storage``.  ``migrations`` must lead to exactly
what is written here (``tests/integration/storage`` compares the two).
"""

from reunite.storage.tables.accounts import accounts, looks, sessions
from reunite.storage.tables.alerts import (
    inbox,
    notice_chunks,
    notices,
    volunteer_changes,
    volunteers,
)
from reunite.storage.tables.base import metadata
from reunite.storage.tables.cases import (
    case_transitions,
    cases,
    imports,
    lead_decisions,
    leads,
    photos,
    sightings,
)
from reunite.storage.tables.faces import probes, template_changes, template_spaces, templates
from reunite.storage.tables.partners import (
    backgrounds,
    linkage_keys,
    residents,
    station_clerks,
    stations,
)
from reunite.storage.tables.work import outbox

__all__ = [
    "accounts",
    "backgrounds",
    "case_transitions",
    "cases",
    "imports",
    "inbox",
    "lead_decisions",
    "leads",
    "linkage_keys",
    "looks",
    "metadata",
    "notice_chunks",
    "notices",
    "outbox",
    "photos",
    "probes",
    "residents",
    "sessions",
    "sightings",
    "station_clerks",
    "stations",
    "template_changes",
    "template_spaces",
    "templates",
    "volunteer_changes",
    "volunteers",
]
