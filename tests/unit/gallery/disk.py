"""Folders for galleries under test, in memory where the system offers that.

What is tested is what a process leaves behind, not the disk; waiting for one would take
most of the time.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that goes away."""
    place = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place, prefix="gallery-test-") as folder:
        yield Path(folder)
