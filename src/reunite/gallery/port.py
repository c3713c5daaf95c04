"""What a gallery promises, whatever engine is behind it.

A gallery holds templates of one ``TemplateSpace`` and answers with the most
similar ones among all that a filter admits: exhaustively, nobody skipped.  It is a
cache of PostgreSQL and can be rebuilt from it at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Module, Sex, Side, YearRange

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

UNKNOWN_BIRTH_YEAR = 0
UNKNOWN_REGION = 0
UNKNOWN_DAY = 0  # days since 1970-01-01; nobody is looked for since that very day
NO_TEMPLATE = -1  # fills the places of a row of hits when fewer than k were admitted

# A template's length may differ from one by rounding, not by a forgotten normalisation.
UNIT_LENGTH_TOLERANCE = 1e-2
MAX_HITS = 10_000

FACT_DTYPE = np.dtype(
    [
        ("subject_id", np.int64),  # the case: all photos of one record share it
        ("side", np.uint8),
        ("module", np.uint8),
        ("sex", np.uint8),
        ("birth_year", np.int16),
        ("region", np.int16),  # a division of the country, numbered by the application
        ("seen_day", np.int32),  # last seen or found, days since 1970-01-01
    ]
)
"""Facts about the person behind a template, one record a template."""

Facts = npt.NDArray[np.void]  # structured array of FACT_DTYPE, shape (n,)


@dataclass(frozen=True, slots=True)
class TemplateSpace:
    """Which model, and which adapter on top of it, made a template.

    Templates of two spaces are never compared: their similarity means nothing.
    """

    model_digest: str  # SHA-256 of the model file, hexadecimal
    adapter_digest: str  # "identity", or the SHA-256 of the adapter file
    dim: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which templates may answer.  An empty collection or None admits all.

    A template whose birth year, sex, region or day is unknown is admitted by every
    condition on that fact: unknown must not hide the person who is looked for.
    """

    sides: frozenset[Side] = frozenset()
    modules: frozenset[Module] = frozenset()
    sexes: frozenset[Sex] = frozenset()
    birth_years: YearRange | None = None
    regions: frozenset[int] = frozenset()
    seen_from: date | None = None
    seen_to: date | None = None
    excluded_subject_ids: frozenset[int] = frozenset()
    excluded_template_ids: frozenset[int] = frozenset()


ADMIT_ALL = Filter()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Templates to add, with their facts.

    template_ids : int64 array of shape (n,), positive and unique
    vectors : float32 array of shape (n, dim), rows L2-normalised
    facts : structured array of ``FACT_DTYPE``, shape (n,)
    """

    space: TemplateSpace
    template_ids: Int64
    vectors: Float32
    facts: Facts


@dataclass(frozen=True, slots=True)
class Probes:
    """Faces to search with.

    vectors : float32 array of shape (n_probes, dim), rows L2-normalised
    """

    space: TemplateSpace
    vectors: Float32


@dataclass(frozen=True, slots=True)
class Hits:
    """The most similar admitted templates per probe, best first.

    template_ids : int64 array of shape (n_probes, k), ``NO_TEMPLATE`` where there are none
    similarity : float32 array of shape (n_probes, k), cosine; -inf where there are none
    subject_ids : int64 array of shape (n_probes, k), ``NO_TEMPLATE`` where there are none
    searched : how many templates each probe was compared with
    elapsed_seconds : time of the search itself
    incomplete : a part of the gallery did not answer, so somebody may be missing
    """

    template_ids: Int64
    similarity: Float32
    subject_ids: Int64
    searched: int
    elapsed_seconds: float
    incomplete: bool = field(default=False)


class Gallery(Protocol):
    """An exhaustive 1:N search over templates of one space."""

    @property
    def space(self) -> TemplateSpace:
        """The space of every template held."""
        ...

    def __len__(self) -> int:
        """Live templates."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether this process may add and remove; a reader sees what the writer does."""
        ...

    def template_ids(self) -> Int64:
        """The ids of all live templates, ascending: an int64 array of shape (len(self),)."""
        ...

    def add(self, enrolment: Enrolment) -> None:
        """Hold these templates from now on; durable where the engine is.

        Adding an id that is held already replaces it, so that redelivery is harmless.
        Raises InvalidInputError (``vector_*``, ``space_mismatch``) and adds nothing.
        """
        ...

    def remove(self, template_ids: Sequence[int] | Int64) -> int:
        """Forget these templates; how many were held.  Unknown ids are ignored."""
        ...

    def search(self, probes: Probes, k: int = 50, filter: Filter = ADMIT_ALL) -> Hits:  # noqa: A002
        """Compare every admitted live template with every probe.

        Equal similarities are ordered by template id.  Raises InvalidInputError for a
        probe of another space, a malformed vector, or ``k`` outside 1 to ``MAX_HITS``.
        """
        ...


def make_facts(n: int) -> Facts:
    """``n`` records of facts, everything unknown."""
    return np.zeros(n, dtype=FACT_DTYPE)


def check_vectors(vectors: Float32, dim: int) -> None:
    """Raise InvalidInputError unless ``vectors`` can be searched with or enrolled.

    Codes: ``vector_dimension``, ``vector_not_finite``, ``vector_zero``,
    ``vector_not_normalised``.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dim:  # noqa: PLR2004
        raise InvalidInputError("vector_dimension", expected=dim, got=list(vectors.shape))
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(lengths).all():
        raise InvalidInputError("vector_not_finite")
    if (lengths == 0).any():
        raise InvalidInputError("vector_zero")
    if (np.abs(lengths - 1) > UNIT_LENGTH_TOLERANCE).any():
        raise InvalidInputError("vector_not_normalised")


def check_search(space: TemplateSpace, probes: Probes, k: int) -> None:
    """Raise InvalidInputError unless ``probes`` can be searched for in ``space``."""
    if probes.space != space:
        raise InvalidInputError("space_mismatch")
    if not 1 <= k <= MAX_HITS:
        raise InvalidInputError("hits_out_of_range", minimum=1, maximum=MAX_HITS, got=k)
    check_vectors(probes.vectors, space.dim)


def check_enrolment(space: TemplateSpace, enrolment: Enrolment) -> None:
    """Raise InvalidInputError unless ``enrolment`` can join a gallery of ``space``."""
    if enrolment.space != space:
        raise InvalidInputError("space_mismatch")
    n = len(enrolment.template_ids)
    if len(enrolment.vectors) != n or len(enrolment.facts) != n:
        raise InvalidInputError("enrolment_lengths")
    if n and (enrolment.template_ids.min() < 1 or len(np.unique(enrolment.template_ids)) != n):
        raise InvalidInputError("template_ids")
    if n:
        check_vectors(enrolment.vectors, space.dim)
