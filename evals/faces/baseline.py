"""The yardstick: linear discriminant analysis on the embedding, with PLDA weights.

As in the notes that set the floors (shrinkage .3): whatever is shipped must beat it on
people whom neither has seen, in the same run.
"""

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SHRINKAGE = 0.3


def unit(rows: npt.NDArray[np.floating]) -> Float64:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Float64 = rows / np.maximum(lengths, 1e-12)
    return scaled


class LinearDiscriminant:
    """Centred by group, projected, weighted; compared by cosine."""

    def __init__(self, embeddings: Float32, ids: Int64, young: Bool) -> None:
        rows = unit(embeddings)
        self.mean_young, self.mean_adult = rows[young].mean(axis=0), rows[~young].mean(axis=0)
        rows = rows - self._centre(young)
        _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
        means = np.zeros((len(counts), rows.shape[1]))
        np.add.at(means, inverse, rows)
        means /= counts[:, None]
        rest = rows - means[inverse]
        within = rest.T @ rest / max(len(rows) - len(counts), 1)
        between = np.cov(means.T) - within * np.mean(1 / counts)
        dim = len(within)
        shrunk = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / dim * np.eye(dim)
        # Generalised eigenvectors by whitening: numpy has no two-matrix eigh.
        scales, axes = np.linalg.eigh(shrunk)
        whitening = axes / np.sqrt(scales)
        values, vectors = np.linalg.eigh(whitening.T @ between @ whitening)
        kept = np.maximum(values, 0)
        # The product term of the PLDA log-likelihood ratio (Ioffe, ECCV 2006).
        self.projection = (whitening @ vectors) * np.sqrt(kept / (1 + 2 * kept))

    def _centre(self, young: Bool) -> Float64:
        centre: Float64 = np.where(young[:, None], self.mean_young, self.mean_adult)
        return centre

    def __call__(self, embeddings: Float32, young: Bool) -> Float32:
        """Templates, rows L2-normalised."""
        rows = (unit(embeddings) - self._centre(young)) @ self.projection
        return unit(rows).astype(np.float32)
