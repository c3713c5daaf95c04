"""Making segments from a stream of templates, aside of the gallery that answers."""

import shutil
from pathlib import Path

import numpy as np

from reunite.gallery.codes import CODE_BYTES, CODE_WORDS, Encoder
from reunite.gallery.files import CheckedFile, disk_full_as_error, map_array
from reunite.gallery.port import FACT_DTYPE, Enrolment, Facts, Int64, TemplateSpace, check_enrolment
from reunite.gallery.segments import ArraySource

_CHUNK = 16_384
MOST_ROWS = 1 << 24  # of one segment: 1 GiB of codes


class Builder:
    """Encodes templates into scratch files; what is asked for last is the sorted whole."""

    def __init__(self, scratch: Path, space: TemplateSpace) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        self.space = space
        self.encoder = Encoder(space.dim)
        self.encoder.require_shape()
        self._scratch = scratch
        self._codes = CheckedFile(scratch / "codes")
        self._rows = CheckedFile(scratch / "rows")
        self._ids: list[Int64] = []
        self._facts: list[Facts] = []
        self.count = 0

    def append(self, enrolment: Enrolment) -> None:
        """Encode some more; of an id that comes twice the later stays.

        Raises InvalidInputError, GalleryDiskFullError.
        """
        check_enrolment(self.space, enrolment)
        with disk_full_as_error():
            for start in range(0, len(enrolment.template_ids), _CHUNK):
                codes, rows = self.encoder.encode(enrolment.vectors[start : start + _CHUNK])
                self._codes.write(codes)
                self._rows.write(rows)
        self._ids.append(enrolment.template_ids.copy())
        self._facts.append(enrolment.facts.copy())
        self.count += len(enrolment.template_ids)

    def sources(self) -> list[ArraySource]:
        """Everything appended, in portions of one segment each."""
        dims = self.encoder.shape.dims
        ids = np.concatenate([np.empty(0, dtype=np.int64), *self._ids])
        facts = np.concatenate([np.empty(0, dtype=FACT_DTYPE), *self._facts])
        codes = map_array(self._scratch / "codes", np.uint64, self.count * CODE_BYTES // 8)
        rows = map_array(self._scratch / "rows", np.int8, self.count * dims)
        codes, rows = codes.reshape(-1, CODE_WORDS), rows.reshape(-1, dims)
        # Seen from the end, the first of each id is the one to keep.
        _, last = np.unique(ids[::-1], return_index=True)
        if len(last) == len(ids):
            spans = [slice(at, at + MOST_ROWS) for at in range(0, len(ids), MOST_ROWS)]
            return [ArraySource(ids[s], facts[s], codes[s], rows[s]) for s in spans]
        kept = np.sort(len(ids) - 1 - last)
        parts = [kept[at : at + MOST_ROWS] for at in range(0, len(kept), MOST_ROWS)]
        return [ArraySource(ids[p], facts[p], codes[p], rows[p]) for p in parts]

    def discard(self) -> None:
        """Delete the scratch files."""
        self._codes.close()
        self._rows.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
