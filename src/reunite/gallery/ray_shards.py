"""Shards as Ray actors: the same shard code on as many machines as Ray knows.

Ray is installed by whoever wants it; nothing else here imports it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from reunite.gallery.errors import GallerySpaceError, ShardUnavailableError
from reunite.gallery.port import TemplateSpace
from reunite.gallery.scanning import TemplateSource
from reunite.gallery.settings import GallerySettings
from reunite.gallery.sharded import CHANGE_SECONDS, ShardedGallery, ShardServer, Wait

LOOPBACK = "127.0.0.1"
_OBJECT_STORE_BYTES = 128 << 20  # probes and hits are small; the segments stay outside
# A search and a change at a time need not wait for one another inside a shard.
_CALLS_AT_ONCE = 4


@contextmanager
def cluster(address: str | None = None, *, processors: int | None = None) -> Iterator[None]:
    """A connection to Ray: at ``address``, or a cluster of this machine's own.

    The cluster of one's own listens on the loopback address only and shows no dashboard.
    """
    # Ray would otherwise warn that a later version leaves this variable alone.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if address is None:
        options |= {
            "num_cpus": processors or len(os.sched_getaffinity(0)),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "_node_ip_address": LOOPBACK,
        }
    else:
        options["address"] = address
    ray.init(**options)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def open_sharded(
    folder: Path,
    space: TemplateSpace,
    n_shards: int,
    *,
    address: str | None = None,
    templates: TemplateSource | None = None,
    settings: GallerySettings | None = None,
) -> Iterator[ShardedGallery]:
    """A gallery over so many Ray actors, shard ``n`` in ``folder/n``.

    The number of shards belongs to the data: opened with another number, ids would be looked
    for in the wrong place, so the folder remembers it.  Raises GallerySpaceError
    ``gallery_shards_differ``, ShardUnavailableError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = len([one for one in folder.iterdir() if one.name.isdigit()])
    if held not in {0, n_shards}:
        raise GallerySpaceError("gallery_shards_differ", expected=held, got=n_shards)
    with cluster(address):
        chosen = settings or GallerySettings()
        shards = [RayShard(folder / str(n), space, chosen) for n in range(n_shards)]
        for shard in shards:
            shard.wait_until_ready()
        gallery = ShardedGallery(space, shards, templates=templates, depth=chosen.depth)
        try:
            yield gallery
        finally:
            gallery.close()


class RayShard:
    """A shard in an actor; every method is safe to call while the actor is dead."""

    def __init__(self, folder: Path, space: TemplateSpace, settings: GallerySettings) -> None:
        self._arguments = (str(folder), space, settings)
        self._actor: Any = None
        self._ready: Any = None
        self.restore()

    def restore(self) -> None:
        """Start an actor on the shard's folder, unless one is alive or starting."""
        if self._actor is not None and not self._is_dead():
            return
        # No claim on processors: a shard that waits for one could never be scheduled
        # beside another that holds it.
        options = {"num_cpus": 0, "max_restarts": 0, "max_concurrency": _CALLS_AT_ONCE}
        self._actor = ray.remote(ShardServer).options(**options).remote(*self._arguments)
        self._ready = self._actor.count.remote()

    def start(self, method: str, *arguments: object) -> Wait:
        """Begin a call; searches do not wait for a shard that is still opening."""
        if method == "search" and not self._is_ready():
            raise ShardUnavailableError
        reference = getattr(self._actor, method).remote(*arguments)

        def wait(seconds: float) -> Any:
            try:
                return ray.get(reference, timeout=seconds)
            except GetTimeoutError as error:
                raise TimeoutError from error
            except RayTaskError as error:
                raise error.cause or error from error
            except RayActorError as error:
                raise ShardUnavailableError from error

        return wait

    def wait_until_ready(self) -> None:
        """Wait until the shard answers; raises ShardUnavailableError."""
        try:
            ray.get(self._ready, timeout=CHANGE_SECONDS)
        except (GetTimeoutError, RayActorError) as error:
            raise ShardUnavailableError from error

    def kill(self) -> None:
        """Kill the actor's process."""
        ray.kill(self._actor)

    def close(self) -> None:
        """Let the shard release its folder, and end it."""
        # It may be gone already, and its lock with it.
        with suppress(GetTimeoutError, RayActorError):
            ray.get(self._actor.close.remote(), timeout=CHANGE_SECONDS)
        ray.kill(self._actor)

    def _is_ready(self) -> bool:
        done, _ = ray.wait([self._ready], timeout=0)
        return bool(done) and not self._is_dead()

    def _is_dead(self) -> bool:
        done, _ = ray.wait([self._ready], timeout=0)
        if not done:
            return False
        # Only a call tells a dead actor from a live one.
        probe = self._actor.count.remote()
        try:
            ray.get(probe, timeout=CHANGE_SECONDS)
        except (GetTimeoutError, RayActorError):
            return True
        return False
