"""Numbers for the database, unguessable references for the outside."""

import secrets
from typing import NewType

AccountId = NewType("AccountId", int)
CaseId = NewType("CaseId", int)
PhotoId = NewType("PhotoId", int)
TemplateId = NewType("TemplateId", int)
LeadId = NewType("LeadId", int)
DuplicateId = NewType("DuplicateId", int)
SightingId = NewType("SightingId", int)
NoticeId = NewType("NoticeId", int)
VolunteerId = NewType("VolunteerId", int)
StationId = NewType("StationId", int)
RegistrationId = NewType("RegistrationId", int)
PreviewId = NewType("PreviewId", int)
ApiKeyId = NewType("ApiKeyId", int)
CapMessageId = NewType("CapMessageId", int)
WebhookId = NewType("WebhookId", int)
DonorId = NewType("DonorId", int)
DonorClaimId = NewType("DonorClaimId", int)
BloodCentreId = NewType("BloodCentreId", int)
BloodRequestId = NewType("BloodRequestId", int)
DonorAskId = NewType("DonorAskId", int)

# Crockford's base 32: no I, L, O or U, so a reference can be read out by telephone.
REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10  # 50 bits: a poster's address cannot be found by counting
_READ_OUT = str.maketrans("OIL", "011")


def read_reference(text: str) -> str:
    """A reference as it is stored; it may have been read out by telephone (Crockford)."""
    return text.strip().upper().translate(_READ_OUT)


def new_reference() -> str:
    """A fresh public reference, e.g. ``7K3M9QX2TB``."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))
