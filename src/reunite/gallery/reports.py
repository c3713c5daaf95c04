"""What upkeep found and did."""

from dataclasses import dataclass

from reunite.gallery.port import Int64


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """A gallery made anew from stored templates.

    carried : faces added while the rebuild ran, in the same space, and kept
    missed_template_ids : int64 array; faces added while it ran in another space, which the
        caller must encode again and add
    """

    faces: int
    carried: int
    missed_template_ids: Int64
    elapsed_seconds: float


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """Segments rewritten without their dead rows."""

    segments_before: int
    segments_after: int
    rows_erased: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The gallery held against the ids of the records that it should mirror.

    rows_without_record : int64 array, live rows whose record is gone
    records_without_row : int64 array, records that no live row stands for
    repeated : int64 array, ids with more than one live row
    damaged_segments : names whose checksum does not fit
    awaiting_erasure : dead rows still on disk, until compaction
    """

    live: int
    rows_without_record: Int64
    records_without_row: Int64
    repeated: Int64
    damaged_segments: tuple[str, ...]
    awaiting_erasure: int
    oldest_erasure_seconds: float

    @property
    def is_sound(self) -> bool:
        """Whether rows and records agree and every checksum fits."""
        found = (self.rows_without_record, self.records_without_row, self.repeated)
        return not self.damaged_segments and not any(len(one) for one in found)


@dataclass(frozen=True, slots=True)
class GalleryStatus:
    """Figures for the operator."""

    live: int
    dead: int
    segments: int
    partitions: int
    tail: int
    generation: int
    size_bytes: int
    hot_bytes: int
    incomplete: bool
    disk_full: bool
