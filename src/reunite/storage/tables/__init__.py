"""Every table of the system of record, one module a capability.

The repositories beside this package hold all queries, except those on ``outbox``: they
belong to ``broker``, which may not import ``storage``.  ``migrations`` must lead to exactly
what is written here (``tests/integration/storage`` compares the two).
"""

from reunite.storage.tables.accounts import accounts, looks, sessions
from reunite.storage.tables.alerts import (
    time_zones,
    volunteer_changes,
    volunteer_places,
    volunteers,
)
from reunite.storage.tables.base import metadata
from reunite.storage.tables.blood_requests import blood_requests, blood_stock, donor_asks
from reunite.storage.tables.cases import (
    case_transitions,
    cases,
    imports,
    lead_decisions,
    leads,
    photos,
    sightings,
)
from reunite.storage.tables.channels import channel_addresses
from reunite.storage.tables.donors import (
    blood_centre_members,
    blood_centres,
    blood_families,
    donor_changes,
    donor_claims,
    donors,
)
from reunite.storage.tables.duplicates import duplicate_decisions, duplicates
from reunite.storage.tables.exchange import (
    api_key_uses,
    api_keys,
    cap_messages,
    case_origins,
    partner_records,
    received_alerts,
    repositories,
    webhooks,
)
from reunite.storage.tables.faces import probes, template_changes, template_spaces, templates
from reunite.storage.tables.notices import (
    channel_gates,
    chunk_deliveries,
    delivery_failures,
    inbox,
    inbox_looks,
    notice_chunks,
    notice_recipients,
    notices,
)
from reunite.storage.tables.partners import (
    backgrounds,
    linkage_keys,
    linkage_nights,
    residents,
    station_clerks,
    stations,
)
from reunite.storage.tables.plans import alert_plans
from reunite.storage.tables.previews import age_previews, preview_dues
from reunite.storage.tables.registrations import (
    card_messages,
    registration_cases,
    registrations,
)
from reunite.storage.tables.work import outbox

__all__ = [
    "accounts",
    "age_previews",
    "alert_plans",
    "api_key_uses",
    "api_keys",
    "backgrounds",
    "blood_centre_members",
    "blood_centres",
    "blood_families",
    "blood_requests",
    "blood_stock",
    "cap_messages",
    "card_messages",
    "case_origins",
    "case_transitions",
    "cases",
    "channel_addresses",
    "channel_gates",
    "chunk_deliveries",
    "delivery_failures",
    "donor_asks",
    "donor_changes",
    "donor_claims",
    "donors",
    "duplicate_decisions",
    "duplicates",
    "imports",
    "inbox",
    "inbox_looks",
    "lead_decisions",
    "leads",
    "linkage_keys",
    "linkage_nights",
    "looks",
    "metadata",
    "notice_chunks",
    "notice_recipients",
    "notices",
    "outbox",
    "partner_records",
    "photos",
    "preview_dues",
    "probes",
    "received_alerts",
    "registration_cases",
    "registrations",
    "repositories",
    "residents",
    "sessions",
    "sightings",
    "station_clerks",
    "stations",
    "template_changes",
    "template_spaces",
    "templates",
    "time_zones",
    "volunteer_changes",
    "volunteer_places",
    "volunteers",
    "webhooks",
]
