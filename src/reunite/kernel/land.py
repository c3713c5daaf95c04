"""Where there is land: a coarse map of the world in seven megabytes.

The map is the GLOBE digital elevation model as packed by ``global_land_mask``.  That library
is never imported, because importing it holds a gigabyte in memory for good; its file is read
a few rows at a time instead, once, by the first process that asks.
"""

from functools import cache
from importlib.util import find_spec
from math import cos, floor, radians
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt

SQUARES_PER_DEGREE: Final = 30  # a square is 3.7 km high
_ROWS_PER_DEGREE: Final = 120  # of the file
_POOL: Final = _ROWS_PER_DEGREE // SQUARES_PER_DEGREE
_ROWS, _COLUMNS = 180 * SQUARES_PER_DEGREE, 360 * SQUARES_PER_DEGREE
_FILE_ROW_BYTES: Final = 360 * _ROWS_PER_DEGREE
_ALL_SEA: Final = 0x01010101
_KM_PER_DEGREE: Final = 111.2
# Nearer to a pole a degree of longitude is no distance at all.
_SMALLEST_COSINE: Final = 0.05


def is_land_within(latitude: float, longitude: float, radius_km: float) -> bool:
    """Whether a square of the map that holds land begins within ``radius_km``.

    Squares are whole, so land up to 4 km beyond the radius counts too.  Lakes are land.
    """
    land = _land_squares()
    reach_rows = radius_km / _KM_PER_DEGREE * SQUARES_PER_DEGREE
    reach_columns = reach_rows / max(_SMALLEST_COSINE, cos(radians(latitude)))
    row = (90.0 - latitude) * SQUARES_PER_DEGREE
    column = (longitude + 180.0) * SQUARES_PER_DEGREE
    top = max(0, floor(row - reach_rows))
    bottom = min(_ROWS - 1, floor(row + reach_rows))
    columns = np.arange(floor(column - reach_columns), floor(column + reach_columns) + 1)
    rows = np.unpackbits(land[top : bottom + 1], axis=1)
    return bool(rows[:, columns % _COLUMNS].any())


@cache
def _land_squares() -> npt.NDArray[np.uint8]:
    """One bit a square, north to south and west to east, uint8 array of shape (5400, 1350)."""
    spec = find_spec("global_land_mask")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package global-land-mask is not installed")
    path = Path(spec.submodule_search_locations[0]) / "globe_combined_mask_compressed.npz"
    packed = np.empty((_ROWS, _COLUMNS // 8), dtype=np.uint8)
    with ZipFile(path) as archive, archive.open("mask.npy") as file:
        np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        header = np.lib.format.read_array_header_1_0(file)  # type: ignore[no-untyped-call]
        shape, by_columns, dtype = header
        if shape != (_ROWS * _POOL, _FILE_ROW_BYTES) or by_columns or dtype != np.bool_:
            raise RuntimeError("the land mask has another layout than expected")
        for row in range(_ROWS):
            # Four cells side by side, one byte each, are read as one number.
            cells = np.frombuffer(file.read(_POOL * _FILE_ROW_BYTES), dtype=np.uint32)
            sea = np.bitwise_and.reduce(cells.reshape(_POOL, _COLUMNS), axis=0)
            packed[row] = np.packbits(sea != _ALL_SEA)
    return packed
