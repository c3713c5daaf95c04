"""What Reunite needs from the outside, in their own words.

``storage``, ``broker`` and ``delivery`` implement these on PostgreSQL; ``testing``
implements them in memory.  One contract suite (``tests/contract``) runs on both.
"""

from reunite.ports.accounts import AccountRepository
from reunite.ports.alerts import AlertPlanRepository, VolunteerChange, VolunteerRepository
from reunite.ports.blood_requests import (
    BloodRequestRepository,
    BloodStockRepository,
    DonorAskRepository,
    ShelvedUnit,
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
from reunite.ports.channels import (
    Channel,
    ChannelAddress,
    ChannelAddressId,
    ChannelAddressRepository,
    ChannelMessage,
    ChannelName,
    Delivery,
    DigestOption,
    PushChannel,
    Receipt,
    ReceiptStatus,
    ServiceChannel,
    Urgency,
    topic_of,
)
from reunite.ports.database import (
    FURTHEST_DUE,
    Arrival,
    Database,
    LiveChannel,
    Message,
    Outbox,
    PhotoStore,
    Prepare,
    Transaction,
)
from reunite.ports.donors import BloodCentreRepository, DonorChange, DonorRepository
from reunite.ports.duplicates import DuplicateRepository
from reunite.ports.exchange import (
    AlertLedger,
    ApiKeyRepository,
    PartnerRepository,
    WebhookRepository,
)
from reunite.ports.ledger import ChunkLedger, WaitingChunks
from reunite.ports.notices import (
    ChannelProgress,
    InboxEntry,
    NoticeProgress,
    NoticeRepository,
)
from reunite.ports.outside import NoOutsideWorld, OutsideWorld
from reunite.ports.partners import (
    BackgroundRepository,
    CaseKeys,
    LinkageRepository,
    ResidentRecord,
    StationRepository,
)
from reunite.ports.previews import PreviewRepository
from reunite.ports.queue import ChunkQueue, Taken
from reunite.ports.registrations import RegistrationRepository
from reunite.ports.searches import (
    ImportRepository,
    Look,
    LookPurpose,
    LookRepository,
    Probe,
    ProbeRepository,
)

__all__ = [
    "FURTHEST_DUE",
    "AccountRepository",
    "AlertLedger",
    "AlertPlanRepository",
    "ApiKeyRepository",
    "Arrival",
    "BackgroundRepository",
    "BloodCentreRepository",
    "BloodRequestRepository",
    "BloodStockRepository",
    "CaseCount",
    "CaseKeys",
    "CaseQuery",
    "CaseRepository",
    "Channel",
    "ChannelAddress",
    "ChannelAddressId",
    "ChannelAddressRepository",
    "ChannelMessage",
    "ChannelName",
    "ChannelProgress",
    "ChunkLedger",
    "ChunkQueue",
    "Database",
    "Delivery",
    "DigestOption",
    "DonorAskRepository",
    "DonorChange",
    "DonorRepository",
    "DuplicateRepository",
    "GalleryChange",
    "ImportRepository",
    "InboxEntry",
    "LeadRepository",
    "LinkageRepository",
    "LiveChannel",
    "Look",
    "LookPurpose",
    "LookRepository",
    "Message",
    "NoOutsideWorld",
    "NoticeProgress",
    "NoticeRepository",
    "Outbox",
    "OutsideWorld",
    "PartnerRepository",
    "PhotoRepository",
    "PhotoStore",
    "Prepare",
    "PreviewRepository",
    "Probe",
    "ProbeRepository",
    "PushChannel",
    "Receipt",
    "ReceiptStatus",
    "RegistrationRepository",
    "ResidentRecord",
    "ServiceChannel",
    "ShelvedUnit",
    "SightingRepository",
    "StationRepository",
    "Taken",
    "TemplateRepository",
    "Transaction",
    "Urgency",
    "VolunteerChange",
    "VolunteerRepository",
    "WaitingChunks",
    "WebhookRepository",
    "topic_of",
]
