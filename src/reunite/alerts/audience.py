"""Choose the audience of an alert: who is told, nearest first.

This is the one place where that is decided.  ``app.notify_audience`` hands in the
positions of everyone who opted in to the module and sends to whom it returns.
"""

from dataclasses import dataclass

import h3
import numpy as np
import numpy.typing as npt

from reunite.kernel.places import EARTH_RADIUS_KM, Point

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where volunteers are, one entry a volunteer.

    account_ids : int64 array of shape (n,)
    cells : int64 array of shape (n,), H3 cells
    """

    account_ids: Int64
    cells: Int64


@dataclass(frozen=True, slots=True)
class Audience:
    """The people to tell, nearest first.

    account_ids : int64 array of shape (m,)
    distances_km : float64 array of shape (m,), from the centre, ascending
    """

    account_ids: Int64
    distances_km: Float64

    def __len__(self) -> int:
        return len(self.account_ids)


def choose_audience(positions: Positions, centre: Point, radius_km: float) -> Audience:
    """Everyone whose cell's centre lies within ``radius_km`` of ``centre``, nearest first.

    Exact: each distinct cell is measured once by the haversine formula.  Equal
    distances are ordered by account id, so that the order is the same every time.
    """
    cells, where = np.unique(positions.cells, return_inverse=True)
    centres = np.array(
        [h3.cell_to_latlng(h3.int_to_str(int(cell))) for cell in cells], dtype=np.float64
    ).reshape(-1, 2)
    distances_km = _haversine_km(centres, centre)[where]
    near = np.flatnonzero(distances_km <= radius_km)
    order = near[np.lexsort((positions.account_ids[near], distances_km[near]))]
    return Audience(positions.account_ids[order], distances_km[order])


def _haversine_km(points_degrees: Float64, centre: Point) -> Float64:
    latitudes, longitudes = np.radians(points_degrees).T
    latitude, longitude = np.radians([centre.latitude, centre.longitude])
    half_chord = (
        np.sin((latitudes - latitude) / 2) ** 2
        + np.cos(latitudes) * np.cos(latitude) * np.sin((longitudes - longitude) / 2) ** 2
    )
    kilometres: Float64 = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, half_chord)))
    return kilometres
