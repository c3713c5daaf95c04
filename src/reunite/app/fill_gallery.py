"""Synthetic templates: faces of nobody, so that a search can be tried at full size.

They have the geometry of real templates (a few strong directions, many weak ones), are
labelled as synthetic in the database, are counted apart, and never become a lead.
"""

from collections.abc import Callable

import numpy as np

from reunite.app.services import Services
from reunite.gallery.port import Facts, Float32, make_facts
from reunite.kernel.people import Module, Sex, Side

BATCH = 50_000
# Eigenvalues of real template sets fall about like k to this power.
SPECTRUM_EXPONENT = -0.7
REGIONS = 33


def add_synthetic_templates(
    services: Services, count: int, seed: int = 1, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Write ``count`` synthetic templates; how many there are now of that kind."""
    space = services.gallery.space
    generator = np.random.default_rng(seed)
    scales: Float32 = np.power(np.arange(1, space.dim + 1), SPECTRUM_EXPONENT / 2, dtype=np.float32)
    rotation = np.linalg.qr(generator.standard_normal((space.dim, space.dim)))[0]
    written = 0
    while written < count:
        size = min(BATCH, count - written)
        vectors = _vectors(generator, size, scales, rotation.astype(np.float32))
        with services.database.transaction() as transaction:
            transaction.templates.add_synthetic(vectors, space, _facts(generator, size))
        written += size
        progress(written)
    with services.database.transaction() as transaction:
        return transaction.templates.count().get("synthetic", 0)


def remove_synthetic_templates(services: Services) -> int:
    """Erase all synthetic templates; how many went."""
    with services.database.transaction() as transaction:
        return transaction.templates.delete_synthetic()


def count_templates(services: Services) -> tuple[int, int]:
    """How many templates there are of photos, and how many synthetic ones."""
    with services.database.transaction() as transaction:
        counts = transaction.templates.count()
    return counts.get("photo", 0), counts.get("synthetic", 0)


def _vectors(
    generator: np.random.Generator, size: int, scales: Float32, rotation: Float32
) -> Float32:
    raw: Float32 = generator.standard_normal((size, len(scales)), dtype=np.float32) * scales
    vectors: Float32 = raw @ rotation
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _facts(generator: np.random.Generator, size: int) -> Facts:
    facts = make_facts(size)
    facts["side"] = generator.choice([Side.MISSING, Side.FOUND], size)
    facts["module"] = generator.choice([Module.CHILD, Module.ELDER], size)
    facts["sex"] = generator.choice([Sex.FEMALE, Sex.MALE], size)
    facts["birth_year"] = generator.integers(1930, 2024, size)
    facts["region"] = generator.integers(1, REGIONS + 1, size)
    facts["seen_day"] = generator.integers(7_300, 20_700, size)  # 1989 to 2026
    return facts
