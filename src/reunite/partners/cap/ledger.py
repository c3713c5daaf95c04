"""Which CAP messages we have sent about which case, and which came from others."""

from dataclasses import dataclass
from datetime import datetime

from reunite.kernel.ids import CapMessageId, CaseId
from reunite.partners.cap.alert import MessageType
from reunite.partners.cap.signing import SignatureState


@dataclass(slots=True)
class SentMessage:
    """One message of ours.  Its words are made from the case when it is read."""

    case_id: CaseId
    kind: MessageType
    sent_at: datetime
    radius_km: float
    id: CapMessageId = CapMessageId(0)


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """A message of somebody else, as it came."""

    sender: str
    identifier: str
    sent_at: datetime
    kind: MessageType
    status: str
    signature: SignatureState
    document: bytes
    received_at: datetime
    headline: str = ""
    expires_at: datetime | None = None
    cancelled_at: datetime | None = None
