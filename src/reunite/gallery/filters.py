"""Turn a filter into rows: which facts it admits.

Shared by every engine, so that a filter means the same whatever scans the faces.
"""

from collections.abc import Collection
from datetime import date

import numpy as np
import numpy.typing as npt

from reunite.gallery.port import (
    UNKNOWN_BIRTH_YEAR,
    UNKNOWN_DAY,
    UNKNOWN_REGION,
    Facts,
    Filter,
    Int64,
)
from reunite.kernel.people import Sex

Mask = npt.NDArray[np.bool_]

_EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970-01-01, as ``seen_day`` counts them."""
    return day.toordinal() - _EPOCH


def admits_all(wanted: Filter) -> bool:
    """Whether ``wanted`` sets no condition, so that no mask is needed."""
    return wanted == Filter()


def _among(column: npt.NDArray[np.generic], wanted: Collection[int]) -> Mask:
    # By way of int64: a wanted value outside the column's own range must match nothing.
    values = np.fromiter((int(one) for one in wanted), dtype=np.int64, count=len(wanted))
    return np.isin(column, values)


def _seen(days: npt.NDArray[np.int32], wanted: Filter) -> Mask:
    mask: Mask = np.ones(len(days), dtype=np.bool_)
    if wanted.seen_from is not None:
        mask &= days >= day_number(wanted.seen_from)
    if wanted.seen_to is not None:
        mask &= days <= day_number(wanted.seen_to)
    mask |= days == UNKNOWN_DAY
    return mask


def admit(facts: Facts, template_ids: Int64, wanted: Filter) -> Mask:
    """Which rows ``wanted`` admits.

    facts : structured array of ``FACT_DTYPE``, shape (n,)
    template_ids : int64 array of shape (n,)
    Returns a bool array of shape (n,).
    """
    mask: Mask = np.ones(len(template_ids), dtype=np.bool_)
    if wanted.sides:
        mask &= _among(facts["side"], wanted.sides)
    if wanted.modules:
        mask &= _among(facts["module"], wanted.modules)
    if wanted.sexes:
        mask &= _among(facts["sex"], {*wanted.sexes, Sex.UNKNOWN})
    if wanted.birth_years is not None:
        years = facts["birth_year"]
        within = (years >= wanted.birth_years.first) & (years <= wanted.birth_years.last)
        mask &= within | (years == UNKNOWN_BIRTH_YEAR)
    if wanted.regions:
        mask &= _among(facts["region"], {*wanted.regions, UNKNOWN_REGION})
    if wanted.seen_from is not None or wanted.seen_to is not None:
        mask &= _seen(facts["seen_day"], wanted)
    if wanted.excluded_subject_ids:
        mask &= ~_among(facts["subject_id"], wanted.excluded_subject_ids)
    if wanted.excluded_template_ids:
        mask &= ~_among(template_ids, wanted.excluded_template_ids)
    return mask
