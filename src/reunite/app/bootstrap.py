"""Wire the outside world to the use cases; the only place that knows both."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import structlog

from reunite.app.audience_sync import LiveAudience
from reunite.app.choose_channels import unsubscribe_link
from reunite.app.donor_sync import LiveDonors
from reunite.app.gallery_sync import LiveGallery
from reunite.app.services import Services, Settings
from reunite.broker.live import PostgresLive
from reunite.broker.outbox import PostgresOutbox
from reunite.delivery.http_outside import HttpOutside
from reunite.delivery.opening import (
    ChannelSettings,
    chat_secret,
    open_channels,
    read_channel_rates,
    read_channel_settings,
)
from reunite.delivery.outbound import OutboundSettings
from reunite.delivery.vapid import load_or_create
from reunite.faces.engine import FaceEngine
from reunite.faces.installed_adapters import AdapterFolder, choose_adapter
from reunite.faces.progression.preview import AgeProgression
from reunite.faces.registry import ModelKind, load_registry
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.errors import GalleryDamagedError, GalleryLockedError, GalleryMissingError
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import Float32, Gallery, Int64, TemplateSpace
from reunite.gallery.settings import GallerySettings, Upkeep
from reunite.kernel.clock import SystemClock
from reunite.kernel.tokens import LinkSigner
from reunite.partners.cap.signing import SigningKey, make_signing_key
from reunite.ports import ChannelName, ChunkQueue, Delivery
from reunite.storage.database import PostgresDatabase
from reunite.storage.migrate import current, newest, upgrade
from reunite.storage.photo_files import PhotoDirectory
from reunite.storage.server import DatabaseHandle, open_database, sqlalchemy_url

log = structlog.get_logger(__name__)

# A removed face leaves the gallery's files within this time; searches miss it at once.
ERASE_WITHIN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Config:
    """Where things are on this machine."""

    data_directory: Path
    database_url: str | None = None  # an existing PostgreSQL; None starts our own
    models_file: Path | None = None  # an operator's own models
    embedder: str | None = None  # one of them, instead of the packaged one
    adapter: str = ""  # a file, or "none"; empty: the newest installed one, else the shipped one
    permissive_only: bool = False  # only models and adapters that anybody may use for anything
    gallery_shards: int = 0  # 0: one gallery on this machine's disk; else so many Ray actors
    ray_address: str | None = None  # of a Ray cluster; None starts one on this machine
    inference_threads: int = 1  # of one face; several faces are read at the same time
    alert_key_file: Path | None = None  # PEM; None makes a key and its certificate once
    alert_certificate_file: Path | None = None
    nats_url: str | None = None  # a broker of chunks; None looks for them in the database
    metrics_port: int | None = None  # on the loopback address; None measures for nobody
    settings: Settings = field(default_factory=Settings)
    channels: ChannelSettings = field(default_factory=ChannelSettings)


def default_data_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """``REUNITE_DATA``, or the place that the XDG base directory specification gives."""
    if environment.get("REUNITE_DATA"):
        return Path(environment["REUNITE_DATA"])
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "reunite"


def read_config(environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration that the environment gives; see ``docs/configuration.md``."""
    models = environment.get("REUNITE_MODELS")
    return Config(
        data_directory=default_data_directory(environment),
        database_url=environment.get("REUNITE_DATABASE_URL") or None,
        models_file=Path(models) if models else None,
        embedder=environment.get("REUNITE_EMBEDDER") or None,
        adapter=environment.get("REUNITE_ADAPTER", ""),
        permissive_only=environment.get("REUNITE_PERMISSIVE_ONLY", "0") not in ("", "0"),
        gallery_shards=int(environment.get("REUNITE_GALLERY_SHARDS", "0")),
        ray_address=environment.get("REUNITE_RAY_ADDRESS") or None,
        inference_threads=int(environment.get("REUNITE_INFERENCE_THREADS", "1")),
        channels=read_channel_settings(environment),
        nats_url=environment.get("REUNITE_NATS_URL") or None,
        metrics_port=_number(environment.get("REUNITE_METRICS_PORT")),
        alert_key_file=_path(environment, "REUNITE_CAP_KEY"),
        alert_certificate_file=_path(environment, "REUNITE_CAP_CERTIFICATE"),
        settings=Settings(
            channel_rates=read_channel_rates(environment.get("REUNITE_CHANNEL_RATES", "")),
            domain=_domain(environment),
            public_url=environment.get("REUNITE_PUBLIC_URL", "").strip().rstrip("/"),
        ),
    )


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None


def _domain(environment: Mapping[str, str]) -> str:
    """``REUNITE_DOMAIN``, or the host of the public address."""
    named = environment.get("REUNITE_DOMAIN", "").strip().lower()
    host = urlsplit(environment.get("REUNITE_PUBLIC_URL", "")).hostname
    return named or host or Settings().domain


def _number(text: str | None) -> int | None:
    return int(text) if text else None


@contextmanager
def open_queue(url: str | None, settings: Settings) -> Iterator[ChunkQueue | None]:
    """The broker of chunks at ``url``; nobody waits for one that is away."""
    if url is None:
        yield None
        return
    # Slow to load, and most installations have no broker.
    from reunite.broker.jetstream import JetStreamQueue, JetStreamSettings  # noqa: PLC0415

    queue = JetStreamQueue(
        url,
        JetStreamSettings(
            # A little later than the lease: then whoever is handed the chunk may take it over.
            ack_wait_seconds=1.25 * settings.lease.total_seconds(),
            duplicate_seconds=0.8 * settings.requeue_after.total_seconds(),
        ),
    )
    try:
        yield queue
    finally:
        queue.close()


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Where the database is, and whether its tables are those of this release."""

    dsn: str
    revision: str | None  # None: empty
    newest: str | None

    @property
    def is_current(self) -> bool:
        return self.revision == self.newest


@contextmanager
def inspect_database(config: Config) -> Iterator[DatabaseState]:
    """Look at the database without changing it; it is up while the block runs."""
    with _opened(config) as handle:
        yield DatabaseState(handle.dsn, current(handle.dsn), newest())


def _opened(config: Config) -> DatabaseHandle:
    # The server's directory belongs to its own account when started by root, so photos lie
    # beside it, not in it.
    return open_database(dsn=config.database_url, data_directory=config.data_directory / "database")


def _gallery_opener(
    config: Config, database: PostgresDatabase, opened: ExitStack
) -> Callable[[TemplateSpace], Gallery]:
    """How this process opens the gallery on disk: writing it, or reading where another does.

    The folder is named after the database and the space: ids of another database would name
    other faces.
    """
    where = hashlib.sha256((config.database_url or "").encode()).hexdigest()[:8]

    def open_gallery(space: TemplateSpace) -> Gallery:
        made = hashlib.sha256(
            f"{space.model_digest} {space.adapter_digest} {space.dim}".encode()
        ).hexdigest()[:16]
        folder = config.data_directory / "gallery" / f"{where}-{made}"

        def stored(template_ids: Int64) -> Float32:
            with database.transaction() as transaction:
                found = transaction.templates.get_enrolment(template_ids.tolist(), space)
            vectors = np.full((len(template_ids), space.dim), np.nan, dtype=np.float32)
            vectors[np.searchsorted(template_ids, found.template_ids)] = found.vectors
            return vectors

        settings = GallerySettings(upkeep=Upkeep(erase_within_seconds=ERASE_WITHIN_SECONDS))
        if config.gallery_shards:
            from reunite.gallery.ray_shards import open_sharded  # noqa: PLC0415  (Ray is optional)

            return opened.enter_context(
                open_sharded(
                    folder.with_name(f"{folder.name}-{config.gallery_shards}-shards"),
                    space,
                    config.gallery_shards,
                    address=config.ray_address,
                    templates=stored,
                    settings=settings,
                )
            )
        try:
            gallery = SegmentGallery(folder, space, templates=stored, settings=settings)
        except GalleryLockedError:
            try:
                return SegmentGallery(
                    folder, space, writable=False, templates=stored, settings=settings
                )
            except GalleryMissingError:
                # Another process is making it at this moment; the next look finds it.
                return ExactGallery(space)
        except GalleryDamagedError:
            log.warning("gallery_made_anew", folder=str(folder))
            shutil.rmtree(folder)
            gallery = SegmentGallery(folder, space, templates=stored, settings=settings)
        gallery.start_upkeep()
        return gallery

    return open_gallery


def open_faces(config: Config) -> FaceEngine:
    """The face models and the adapter of this configuration.

    Raises FaceModelError and AdapterError.
    """
    registry = load_registry(config.models_file)
    name = config.embedder or registry.default_embedder
    adapter = choose_adapter(
        registry,
        registry.get_model(name, ModelKind.EMBEDDER),
        AdapterFolder(adapter_folder(config)),
        wanted=config.adapter,
        permissive_only=config.permissive_only,
    )
    return FaceEngine.from_registry(
        registry, name, adapter=adapter, intra_op_threads=config.inference_threads
    )


def open_fitting_engine(config: Config, others: Sequence[str]) -> FaceEngine:
    """The same embedder, and others beside it, without an adapter: to fit one.

    Raises FaceModelError.
    """
    return FaceEngine.from_registry(
        load_registry(config.models_file),
        config.embedder,
        others=others,
        intra_op_threads=config.inference_threads,
    )


def adapter_folder(config: Config) -> Path:
    """Where adapters fitted on this installation's own data are kept."""
    return config.data_directory / "adapters"


@contextmanager
def open_services(config: Config) -> Iterator[Services]:
    """Everything running: database started or reached, migrated; closed again at the end.

    Raises the errors of ``storage.server``, each of which says what to do.
    """
    with ExitStack() as opened:
        handle = opened.enter_context(_opened(config))
        url = sqlalchemy_url(handle.dsn).render_as_string(hide_password=False)
        upgrade(url)
        database = PostgresDatabase(url, PostgresOutbox)
        opened.callback(database.dispose)
        live = PostgresLive(url)
        opened.callback(live.close)
        faces = open_faces(config)
        space = TemplateSpace(faces.model.sha256, faces.adapter_digest, faces.dim)
        gallery = LiveGallery(database, _gallery_opener(config, database, opened), space)
        opened.callback(gallery.close)
        outside = HttpOutside(OutboundSettings(allow_private=config.channels.allow_private))
        opened.callback(outside.close)
        audience = LiveAudience(database)
        opened.callback(audience.close)
        clock = SystemClock()
        donors = LiveDonors(database, clock)
        opened.callback(donors.close)
        keys = config.data_directory / "keys"
        links = LinkSigner(load_or_create(keys / "links.key", secrets.token_bytes(32)))
        channels = open_channels(
            config.channels, keys, clock, _unsubscribe_url(config.settings.public_url, links)
        )
        for channel in channels.values():
            opened.callback(channel.close)
        yield Services(
            database=database,
            photos=PhotoDirectory(config.data_directory / "photos"),
            faces=faces,
            gallery=gallery,
            audience=audience,
            donors=donors,
            live=live,
            clock=clock,
            settings=config.settings,
            channels=channels,
            links=links,
            queue=opened.enter_context(open_queue(config.nats_url, config.settings)),
            ageing=None if config.permissive_only else AgeProgression(),
            calibration=AdapterFolder(adapter_folder(config)).find_calibration(
                space.model_digest, space.adapter_digest
            ),
            alert_key=_alert_key(config),
            outside=outside,
        )


def get_chat_secret(config: Config) -> str:
    """What workers and the chat bot of this machine know one another by."""
    return chat_secret(config.data_directory / "keys")


def _unsubscribe_url(public_url: str, links: LinkSigner) -> Callable[[Delivery], str] | None:
    """How a message's recipient stops them; None where nobody knows the site's address."""
    if not public_url:
        return None

    def link(delivery: Delivery) -> str:
        token = unsubscribe_link(links, delivery.volunteer_id, ChannelName.EMAIL, delivery.address)
        return f"{public_url}/{delivery.message.language.value}/unsubscribe/{token}"

    return link


def _alert_key(config: Config) -> SigningKey:
    """The operator's key for CAP messages, or one that this host makes for itself."""
    key, certificate = config.alert_key_file, config.alert_certificate_file
    if key is not None and certificate is not None:
        return SigningKey(key.read_bytes(), certificate.read_bytes())
    folder = config.data_directory / "alert-key"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not (key.exists() and certificate.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = make_signing_key(config.settings.domain, SystemClock().now())
        for path, pem in ((certificate, made.certificate), (key, made.private)):
            # Whole or not at all; two processes that start at once end up with one pair.
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_bytes(pem)
            draft.replace(path)
    return SigningKey(key.read_bytes(), certificate.read_bytes())
