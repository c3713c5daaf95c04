"""What Reunite needs from the outside, in their own words.

``storage``, ``broker`` and ``delivery`` implement these on PostgreSQL; ``testing``
implements them in memory.  One contract suite (``tests/contract``) runs on both.
"""

from reunite.ports.accounts import AccountRepository
from reunite.ports.alerts import (
    InboxEntry,
    NoticeProgress,
    NoticeRepository,
    VolunteerChange,
    VolunteerRepository,
)
from reunite.ports.cases import (
    CaseCount,
    CaseQuery,
    CaseRepository,
    GalleryChange,
    LeadRepository,
    PhotoRepository,
    SightingRepository,
    TemplateRepository,
)
from reunite.ports.database import Database, LiveChannel, Message, Outbox, PhotoStore, Transaction
from reunite.ports.searches import (
    ImportRepository,
    Look,
    LookPurpose,
    LookRepository,
    Probe,
    ProbeRepository,
)

__all__ = [
    "AccountRepository",
    "CaseCount",
    "CaseQuery",
    "CaseRepository",
    "Database",
    "GalleryChange",
    "ImportRepository",
    "InboxEntry",
    "LeadRepository",
    "LiveChannel",
    "Look",
    "LookPurpose",
    "LookRepository",
    "Message",
    "NoticeProgress",
    "NoticeRepository",
    "Outbox",
    "PhotoRepository",
    "PhotoStore",
    "Probe",
    "ProbeRepository",
    "SightingRepository",
    "TemplateRepository",
    "Transaction",
    "VolunteerChange",
    "VolunteerRepository",
]
