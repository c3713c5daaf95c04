"""ROC, CMC and DET of one run in one picture."""

from pathlib import Path
from statistics import NormalDist

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from evals.faces.metrics import mate_ranks
from evals.faces.protocol import Tried

POINTS = np.logspace(-4, 0, 81)
DET_TICKS = (1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.6, 0.9)


def plot(methods: dict[str, list[Tried]], title: str, path: Path) -> None:
    """True positives over false ones, mates over ranks, misses over false matches."""
    figure, (roc, cmc, det) = plt.subplots(1, 3, figsize=(15, 4.6))
    for name, tried in methods.items():
        rates = np.mean([_rates(one) for one in tried], axis=0)
        roc.plot(POINTS, rates, label=name)
        ranks = np.concatenate([mate_ranks(one.trial)[0] for one in tried])
        ranks = ranks[ranks > 0]
        at = np.arange(1, 101)
        cmc.plot(at, [(ranks <= k).mean() for k in at], label=name)
        det.plot(_deviates(POINTS[:-1]), _deviates(1 - rates[:-1]))
    roc.set(xscale="log", xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    cmc.set(xlabel="rank", ylabel="share of mates found", title="CMC", ylim=(0, 1))
    det.set(xlabel="false match rate", ylabel="false non-match rate", title="DET")
    ticks = _deviates(np.array(DET_TICKS))
    det.set_xticks(ticks, [f"{t:g}" for t in DET_TICKS])
    det.set_yticks(ticks, [f"{t:g}" for t in DET_TICKS])
    for axes in (roc, cmc, det):
        axes.grid(alpha=0.3)
    roc.legend()
    figure.suptitle(title)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _rates(one: Tried) -> list[float]:
    same = one.trial.same
    genuine = one.trial.scores[same]
    impostor = np.sort(one.trial.scores[~same])
    allowed = np.floor(POINTS * len(impostor)).astype(int)
    thresholds = impostor[np.maximum(len(impostor) - 1 - allowed, 0)]
    return [float((genuine > threshold).mean()) for threshold in thresholds]


def _deviates(rates: npt.NDArray[np.floating]) -> list[float]:
    """On the axes of a DET plot normally distributed scores give a straight line."""
    return [NormalDist().inv_cdf(float(rate)) for rate in np.clip(rates, 1e-4, 1 - 1e-4)]
