"""How a gallery searches and looks after itself."""

from dataclasses import dataclass, field

from reunite.gallery.depth import Depth

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """When the writer tidies up.

    tail_rows : newest rows kept in memory before they are sealed
    log_bytes : a longer log is sealed too, so that opening stays quick
    erase_within_seconds : a removed face has left the disk by then, at the latest
    dead_share : a segment with more dead rows than this is rewritten
    most_segments : with more than this the smaller ones are merged
    every_seconds : how often the background thread looks
    """

    tail_rows: int = 65_536
    log_bytes: int = 1 << 28
    erase_within_seconds: float = _DAY_SECONDS
    dead_share: float = 0.2
    most_segments: int = 8
    every_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """Depth of search, upkeep, and how a scan is shared out.

    groups_at_once : eights of faces in a piece of work; 8 MiB of codes are small enough to
        share evenly, and large enough that handing them out does not show
    """

    depth: Depth = field(default_factory=Depth)
    upkeep: Upkeep = field(default_factory=Upkeep)
    threads: int | None = None  # None: as many as this process may use
    groups_at_once: int = 1 << 14
