"""What use cases are given: the outside world, wired once by ``bootstrap``."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reunite.alerts.fanout import LEASE
from reunite.app.audience_sync import LiveAudience
from reunite.app.donor_sync import LiveDonors
from reunite.app.gallery_sync import LiveGallery
from reunite.app.metrics import Metrics
from reunite.app.position_batches import PositionBatches
from reunite.faces.calibration import Calibration
from reunite.faces.port import FaceReader
from reunite.faces.progression.port import AgeingReader
from reunite.kernel.clock import Clock
from reunite.kernel.tokens import LinkSigner
from reunite.partners.cap.signing import SigningKey
from reunite.ports import (
    Channel,
    ChannelName,
    ChunkQueue,
    Database,
    LiveChannel,
    NoOutsideWorld,
    OutsideWorld,
    PhotoStore,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may change; see ``docs/configuration.md``."""

    session_ttl: timedelta = timedelta(days=14)
    probe_ttl: timedelta = timedelta(days=1)
    searches_per_hour: int = 60  # a person's; enough to work with, too few to trawl
    # Of one account: more than an eager helper sends, too few to bury the reviewers.
    sightings_per_hour: int = 20
    reports_per_day: int = 20
    leads_per_record: int = 10
    # Two faces make a lead if at most this share of strangers of their ages is as much alike, or
    # where templates were never calibrated, from this similarity on; see docs/faces.md.
    lead_false_match_rate: float = 0.02
    lead_similarity: float = 0.30
    # Facts (and faces, where there are any) make a lead from so many bits, and if it is at least
    # this likely among all who are looked for; see docs/linkage.md.
    lead_bits: float = 12.0
    lead_probability: float = 0.02
    duplicate_probability: float = 0.3  # of two records of one side, to be suggested
    face_bits_at_most: float = 10.0  # what a face may add to facts that fall short of a lead
    country: str = "CN"
    public_url: str = ""  # of the pages, in messages that leave Reunite
    lease: timedelta = LEASE  # how soon a chunk is taken over from a worker that has died
    # Deliveries a second, over all workers; a channel that is not named is not held back.
    channel_rates: Mapping[ChannelName, float] = field(default_factory=dict)
    # When a broker that has lost a chunk is told of it again.
    requeue_after: timedelta = timedelta(seconds=150)
    # Whose records are ours in the eyes of other registries (PFIF).
    domain: str = "reunite.localhost"


def _signer_of_this_process() -> LinkSigner:
    return LinkSigner(secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a use case may touch."""

    database: Database
    photos: PhotoStore
    faces: FaceReader
    gallery: LiveGallery
    audience: LiveAudience
    donors: LiveDonors
    live: LiveChannel
    clock: Clock
    settings: Settings
    ageing: AgeingReader | None = None  # None where only permissively licensed parts may be used
    calibration: Calibration | None = None  # of the gallery's space; None: nobody measured it
    # The ways out that this machine is configured for.
    channels: Mapping[ChannelName, Channel] = field(default_factory=dict)
    links: LinkSigner = field(default_factory=_signer_of_this_process)
    # None: workers find chunks in the ledger by themselves.
    queue: ChunkQueue | None = None
    metrics: Metrics = field(default_factory=Metrics)
    alert_key: SigningKey | None = None  # signs CAP messages; None leaves them unsigned
    outside: OutsideWorld = field(default_factory=NoOutsideWorld)

    @property
    def positions(self) -> PositionBatches:
        """Where positions of devices are written, together with those of other requests."""
        return self.audience.batches
