"""Records of other registries: what we hold of them, from whom, and what they became."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reunite.kernel.ids import AccountId, CaseId
from reunite.kernel.people import Module
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.life import is_placeholder
from reunite.partners.pfif.records import PfifRecord, is_expired

DEFAULT_PULL_EVERY = timedelta(minutes=15)


class RecordState(StrEnum):
    """Where a partner's record stands."""

    LIVE = "live"
    EXPIRED = "expired"  # its time came, or its repository wiped it: nothing of it is left here


@dataclass(frozen=True, slots=True)
class PartnerRecord:
    """The latest of a record that some other repository answers for.

    ``via`` says how it came: ``push`` or the domain that it was pulled from.  ``digest`` is of
    its content, so that the same thing said again is known to be nothing new.
    """

    record: PfifRecord
    received_at: datetime
    via: str
    state: RecordState = RecordState.LIVE
    case_id: CaseId | None = None

    @property
    def digest(self) -> bytes:
        return content_digest(self.record)


# What changes whenever a copy is made and says nothing about the person.
_COPY_FIELDS = frozenset({"entry_date"})


def content_digest(record: PfifRecord) -> bytes:
    """SHA-256 of what a record says, whoever passed it on and when."""
    said = {name: record.text(name) for name in sorted(record.fields) if name not in _COPY_FIELDS}
    text = json.dumps([record.kind.value, said, sorted(record.unknown)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


class Arrival(StrEnum):
    """What a record that has just come in means to us."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"  # expired, or taken back
    UNCHANGED = "unchanged"  # said before, by whomever
    OUTDATED = "outdated"  # we hold a later version already
    OWN = "own"  # it came from us in the first place
    STRANGE = "strange"  # of a domain that this partner may not speak for
    NEVER_SEEN = "never_seen"  # expired before we ever had it: nothing to do


def judge(
    incoming: PfifRecord,
    known: PartnerRecord | None,
    *,
    own_domain: str,
    may_speak_for: frozenset[str],
    now: datetime,
) -> Arrival:
    """What is to be done about a record.

    ``may_speak_for`` are the domains whose records the sender may bring.  This is where echoes
    end: a record of ours that comes back, and one that two partners hand to and fro.
    """
    if incoming.domain == own_domain:
        return Arrival.OWN
    if incoming.domain not in may_speak_for:
        return Arrival.STRANGE
    gone = is_placeholder(incoming) or (incoming.kind is Kind.PERSON and is_expired(incoming, now))
    if known is None:
        return Arrival.NEVER_SEEN if gone else Arrival.NEW
    if _is_older(incoming, known.record):
        return Arrival.OUTDATED
    if gone:
        return Arrival.UNCHANGED if known.state is RecordState.EXPIRED else Arrival.GONE
    if known.state is RecordState.EXPIRED and not _is_later(incoming, known.record):
        # Somebody's stale copy of what its own repository has wiped.
        return Arrival.OUTDATED
    if known.state is RecordState.EXPIRED or _is_later(incoming, known.record):
        same = known.state is RecordState.LIVE and content_digest(incoming) == known.digest
        return Arrival.UNCHANGED if same else Arrival.CHANGED
    # PFIF 1.4, data update: of two versions with one date the one at hand stays.  The other is
    # a copy that somebody has put into words of their own, e.g. we ourselves.
    undated = incoming.time("source_date") is None or known.record.time("source_date") is None
    differs = content_digest(incoming) != known.digest
    return Arrival.CHANGED if undated and differs else Arrival.UNCHANGED


def _is_older(incoming: PfifRecord, held: PfifRecord) -> bool:
    ours, theirs = held.time("source_date"), incoming.time("source_date")
    return ours is not None and theirs is not None and theirs < ours


def _is_later(incoming: PfifRecord, held: PfifRecord) -> bool:
    ours, theirs = held.time("source_date"), incoming.time("source_date")
    return ours is not None and theirs is not None and theirs > ours


@dataclass(frozen=True, slots=True)
class FieldOrigin:
    """Where one field of a case comes from."""

    field: str
    record_id: str
    source_at: datetime | None  # when its repository says that it was true
    received_at: datetime


@dataclass(slots=True)
class Repository:
    """A repository that is pulled from on schedule.

    ``since`` and ``skip`` say how far we have read: PFIF feeds go on from the last entry date,
    and ``skip`` passes over those of that very second which we had already.
    """

    domain: str
    address: str  # of its person feed
    account_id: AccountId  # who answers here for what it brings
    created_at: datetime
    secret: str = field(default="", repr=False)  # our key there
    publication_agreed: bool = False
    photos_agreed: bool = False  # the photos that its records point at may be fetched
    module: Module = Module.CHILD  # of persons whose age is not known
    every: timedelta = DEFAULT_PULL_EVERY
    due_at: datetime | None = None  # None: at once
    since: datetime | None = None
    skip: int = 0
    pulled_at: datetime | None = None
    error: str = ""  # the code of the last failure; empty after a success
    paused: bool = False


@dataclass(frozen=True, slots=True)
class PublicChange:
    """A case that has been public, and when what the public sees of it last changed."""

    case_id: CaseId
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordFate:
    """What became of a partner's record, for that partner."""

    record_id: str
    state: RecordState
    received_at: datetime
    case_reference: str = ""
    case_status: str = ""
    outcome: str = ""
