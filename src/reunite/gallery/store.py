"""The gallery's folder: opening a generation, applying changes, publishing the next."""

import os
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from reunite.gallery.codes import Encoder
from reunite.gallery.errors import GalleryDamagedError, GalleryMissingError
from reunite.gallery.files import disk_full_as_error, sync_directory
from reunite.gallery.kernels import count_bits
from reunite.gallery.log import Change, Kind, LogWriter, read_changes, require_torn_at_end
from reunite.gallery.manifest import MANIFEST, HeldSegment, Manifest, read_manifest
from reunite.gallery.port import Int64, TemplateSpace
from reunite.gallery.segments import RowSource, Segment, UInt8, live_bytes, write_segment
from reunite.gallery.state import Held, State
from reunite.gallery.tail import Tail

_TRIES = 100
_OURS = ("segment-", "live-", "log-", "build-")

Stamp = tuple[int, int, int]


def _stamp(folder: Path) -> Stamp:
    try:
        about = (folder / MANIFEST).stat()
    except FileNotFoundError as error:
        raise GalleryMissingError(folder=folder.name) from error
    return about.st_ino, about.st_mtime_ns, about.st_size


def create_folder(folder: Path, space: TemplateSpace) -> None:
    """Make an empty gallery; raises GallerySpaceError if no code fits the space."""
    Encoder(space.dim).require_shape()
    with disk_full_as_error():
        folder.mkdir(parents=True, exist_ok=True)
        LogWriter(folder / "log-000001", 0).close()
        Manifest(1, space, (), "log-000001", 2).write(folder)


def _read_live(folder: Path, held: HeldSegment) -> UInt8:
    data = (folder / held.live_file).read_bytes()
    if zlib.crc32(data) != held.live_crc:
        raise GalleryDamagedError(file=held.live_file)
    return np.frombuffer(data, dtype=np.uint8)


class Store:
    """One process's view of the folder.  Not thread-safe: its owner locks."""

    def __init__(
        self, folder: Path, now: float, known: Mapping[str, Segment] | None = None
    ) -> None:
        """Read the current generation and its log.

        Raises GalleryMissingError, GalleryDamagedError.
        """
        self.folder = folder
        self.log_dead_since: float | None = None
        # Names being written beside the current generation; not to be swept away.
        self.in_progress: set[str] = set()
        # While a rebuild runs: ids added or removed since it began.
        self.touched: set[int] | None = None
        self._log: LogWriter | None = None
        for attempt in range(_TRIES):
            before = _stamp(folder)
            try:
                self._open(known or {}, now)
            except (FileNotFoundError, GalleryDamagedError) as error:
                # A writer may have replaced this generation while it was being read.
                if _stamp(folder) != before and attempt + 1 < _TRIES:
                    continue
                if isinstance(error, FileNotFoundError):
                    missing = Path(str(error.filename)).name
                    raise GalleryDamagedError(file=missing) from error
                raise
            self._stamp = before
            return

    def _open(self, known: Mapping[str, Segment], now: float) -> None:
        self.manifest = manifest = read_manifest(self.folder)
        encoder = Encoder(manifest.space.dim)
        held, self._live_files = [], {}
        for one in manifest.segments:
            segment = known.get(one.name) or Segment(self.folder / one.name, encoder.shape)
            live = _read_live(self.folder, one)
            held.append(Held(segment, live, int(count_bits(live)), one.dead_since))
            self._live_files[one.name] = (live, one)
        self.tail = Tail(encoder.shape)
        self.state = State(
            manifest.generation, manifest.space, encoder, tuple(held), self.tail.view
        )
        self.log_end = 0
        self.log_dead_since = None
        self._next_number = manifest.next_number
        self.catch_up(now)

    @property
    def segments(self) -> dict[str, Segment]:
        """Open segments by name, to be opened again without a read."""
        return {one.segment.name: one.segment for one in self.state.held}

    def is_outdated(self) -> bool:
        """Whether another process has published a generation since."""
        return _stamp(self.folder) != self._stamp

    def catch_up(self, now: float) -> None:
        """Apply what the log holds beyond what has been applied."""
        path = self.folder / self.manifest.log
        if path.stat().st_size == self.log_end:
            return
        for change, end in read_changes(path, self.state.encoder.shape, self.log_end):
            self.apply(change, now)
            self.log_end = end

    def start_writing(self) -> None:
        """Open the log for appending, and clear away what a crash left behind.

        Raises GalleryDamagedError if the log is broken before its end.
        """
        path = self.folder / self.manifest.log
        require_torn_at_end(path, self.log_end)
        self._log = LogWriter(path, self.log_end)
        self._sweep()

    def stop_writing(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def record(self, change: Change, now: float) -> int:
        """Make a change durable, then visible; how many live rows it ended.

        Raises GalleryDiskFullError and changes nothing.
        """
        if self._log is None:
            raise RuntimeError("not writing")
        self._log.append(change)
        self.log_end = self._log.end
        if self.touched is not None:
            self.touched.update(change.template_ids.tolist())
        return self.apply(change, now)

    def apply(self, change: Change, now: float) -> int:
        """Make a change visible; how many live rows it ended."""
        ended = 0
        held = []
        for one in self.state.held:
            rows = one.find_live(change.template_ids)
            held.append(one.without(rows, now) if len(rows) else one)
            ended += len(rows)
        dead = self.tail.find(change.template_ids)
        ended += len(dead)
        if len(dead) and self.log_dead_since is None:
            self.log_dead_since = now
        if change.kind is Kind.ADD or len(dead):
            self.tail.changed(dead, change.added_ids, change.facts, change.codes, change.rows)
        if ended or change.kind is Kind.ADD:
            self.state = replace(self.state, held=tuple(held), tail=self.tail.view)
        return ended

    def new_name(self, kind: str) -> str:
        """A name that no file in use has."""
        number = self._next_number
        self._next_number += 1
        return f"{kind}-{number:06d}"

    def seal(self, source: RowSource, encoder: Encoder, name: str) -> tuple[Held, Int64]:
        """Write rows as a segment that nothing refers to yet, and the order they lie in."""
        order = write_segment(self.folder / name, encoder.shape, source)
        segment = Segment(self.folder / name, encoder.shape)
        return Held(segment, live_bytes(segment.n), segment.n), order

    def flush(self) -> None:
        """Seal the tail and begin a new log.  Raises GalleryDiskFullError, changing nothing."""
        source = self.tail.source()
        held = self.state.held
        if len(source.template_ids):
            held = (*held, self.seal(source, self.state.encoder, self.new_name("segment"))[0])
        self.publish(held, self.state.space, keep_log=False)

    def publish(self, held: tuple[Held, ...], space: TemplateSpace, *, keep_log: bool) -> None:
        """Make these segments the gallery, durably and at once.

        With ``keep_log`` the log is applied on top of them again when they are opened, which
        changes nothing; without, the tail is forgotten.
        """
        held = tuple(one for one in held if one.live_count)
        generation = self.manifest.generation + 1
        log = self.manifest.log if keep_log else self.new_name("log")
        with disk_full_as_error():
            if not keep_log:
                LogWriter(self.folder / log, 0).close()
            entries = tuple(self._save_live(one, generation) for one in held)
            manifest = Manifest(generation, space, entries, log, self._next_number)
            manifest.write(self.folder)
        self.manifest, self._stamp = manifest, _stamp(self.folder)
        encoder = Encoder(space.dim)
        if not keep_log:
            self.tail = Tail(encoder.shape)
            self.log_end, self.log_dead_since = 0, None
            if self._log is not None:
                self._log.close()
                self._log = LogWriter(self.folder / log, 0)
        self._live_files = {
            one.segment.name: (one.live, entry) for one, entry in zip(held, entries, strict=True)
        }
        names = {one.segment.name for one in held}
        damaged = self.state.damaged & names
        self.state = State(generation, space, encoder, held, self.tail.view, damaged)
        self._sweep()

    def _save_live(self, held: Held, generation: int) -> HeldSegment:
        name = held.segment.name
        saved, entry = self._live_files.get(name, (None, None))
        if entry is not None and saved is held.live:
            return entry
        data = held.live.tobytes()
        file = f"live-{generation:06d}-{name}"
        with (self.folder / file).open("wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        return HeldSegment(name, file, zlib.crc32(data), held.dead_since)

    def _sweep(self) -> None:
        """Delete files of ours that the manifest does not name; readers keep their maps."""
        used = self.manifest.files
        gone = False
        for path in self.folder.iterdir():
            ours = path.name.startswith(_OURS)
            if (
                ours
                and path.name not in used
                and path.name.removesuffix(".new") not in self.in_progress
            ):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                gone = True
        if gone:
            sync_directory(self.folder)
