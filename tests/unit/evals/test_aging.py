"""Previews are judged as they should be, on two free portraits and invented estimators."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest

from evals.age.faces import AgedPhoto, digest_digit
from evals.aging import retrieval
from evals.aging.__main__ import bars
from evals.aging.estimators import onnx_of_tensorflow_js
from evals.aging.fit import AGES, Regression, design, far_apart
from evals.aging.pictures import Looks, children, measure_pictures
from reunite.faces.detection import DetectedFace, YunetDetector
from reunite.faces.embedding import Embedder
from reunite.faces.registry import SFACE, YUNET
from reunite.kernel.people import Sex
from tests.photos import astronaut, derived, grace_hopper


class Says:
    """An estimator that always says the same."""

    def __init__(self, years: float) -> None:
        self._years = years

    def years(self, pixels: np.ndarray, face: DetectedFace) -> float:  # type: ignore[type-arg]
        assert pixels.ndim == 3
        assert face.area_px > 0
        return self._years


def test_pictures_are_measured_against_both_estimators(tmp_path: Path) -> None:
    photos = []
    for number, picture in enumerate((astronaut(), grace_hopper())):
        for name, data in ((f"{number}", picture), (f"{number}-again", derived(picture))):
            (tmp_path / f"{name}.jpg").write_bytes(data)
            photos.append(AgedPhoto(tmp_path / f"{name}.jpg", 12, Sex.FEMALE, 0))
    blank = tmp_path / "nobody.jpg"
    cv2.imwrite(str(blank), np.full((200, 200, 3), 127, dtype=np.uint8))
    photos.append(AgedPhoto(blank, 12, Sex.FEMALE, 0))
    looks = Looks(YunetDetector(YUNET), Embedder(SFACE), Says(20.0), Says(27.0))  # type: ignore[arg-type]
    (tmp_path / "sheets").mkdir()
    report = measure_pictures(photos, looks, tmp_path / "sheets")
    assert (report["children"], report["refused_or_turned"]) == (4, 1)
    # Targets are 18, 25, 35 and 45 in turn.
    errors = {name: one["mae"] for name, one in report["estimators"].items()}
    assert errors == {"faceres": (2 + 5 + 15 + 25) / 4, "second": (9 + 2 + 8 + 18) / 4}
    assert float(report["self_rank1"]) >= 0.5
    assert 0.45 < float(report["similarity_mean"]) < 1.0
    assert len(list((tmp_path / "sheets").glob("*.jpg"))) == 4
    met = bars(
        {"pictures": report, "data_bytes": 550_000, "deterministic": True},
    )
    assert not met["mae_at_most_7.5"]
    assert met["mae_18_25_at_most_5.5"]
    assert not met["children_at_least_130"]
    assert "shift_rank1_gain_at_least_4" not in met


def test_children_are_of_the_half_and_the_ages_asked_for(tmp_path: Path) -> None:
    for age in (1, 2, 15, 16):
        for number in range(8):
            (tmp_path / f"{age}_0_0_{number}.jpg").write_bytes(b"")
    chosen = children(tmp_path, fits=False, count=5)
    assert len(chosen) == 5
    assert {photo.age for photo in chosen} <= {2, 15}
    assert not any(photo.fits for photo in chosen)


def test_retrieval_compares_every_probe_with_the_photo_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "OLDEST_PROBE_YEARS", 100.0)
    names = (f"person_{number}" for number in range(100))
    own = [name for name in names if digest_digit(name) in "01234567"][:2]
    for name, picture in zip(own, (astronaut(), grace_hopper()), strict=True):
        (tmp_path / name / "y").mkdir(parents=True)
        (tmp_path / name / "y" / "0.jpg").write_bytes(picture)
        (tmp_path / name / "1.jpg").write_bytes(derived(picture))
    report = retrieval.measure_retrieval(tmp_path, sealed=False, probes=2)
    assert (report["split"], report["identities"], report["probes"]) == ("dev", 2, 2)
    methods = report["methods"]
    assert methods["raw"]["rank1"] == 1.0
    assert methods["raw"]["rank1_gain_points"] == [0.0, 0.0, 0.0]
    assert set(methods) == set(retrieval.METHODS)
    assert retrieval.list_people(tmp_path, sealed=True) == []


def test_means_at_the_knots_are_those_of_faces_of_that_age() -> None:
    photos = [
        AgedPhoto(Path("a"), age, Sex.MALE, race) for age in range(1, 60) for race in (0, 1) * 4
    ]
    nuisance = np.random.default_rng(0).standard_normal((len(photos), 4))
    rows = design(photos, nuisance)
    assert rows[:, : len(AGES)].sum(axis=1) == pytest.approx(1.0)
    rows[:, len(AGES) :] -= rows[:, len(AGES) :].mean(axis=0)
    race = np.array([photo.race for photo in photos])
    outputs = np.array([photo.age for photo in photos]) + 3.0 * race + 2.0 * nuisance[:, 0]
    means = Regression(rows).means(outputs[:, None].astype(np.float32))[:, 0]
    # Race and pose are held at their means: half of all are of the second race.
    expected = np.array(AGES) + 1.5 + 2.0 * nuisance[:, 0].mean()
    assert means[2:8] == pytest.approx(expected[2:8], abs=1.2)


def test_points_far_apart_cover_the_face() -> None:
    points = np.random.default_rng(1).uniform(0, 100, (300, 2))
    chosen = far_apart(points, 30)
    assert len(set(chosen.tolist())) == 30
    gaps = np.linalg.norm(points[:, None] - points[chosen][None], axis=2).min(axis=1)
    assert gaps.max() < 25


def test_a_graph_of_tensorflow_js_is_computed_as_it_is_written(tmp_path: Path) -> None:
    kernel = np.random.default_rng(2).standard_normal((3, 3, 3, 4)).astype(np.float32)
    dense = np.random.default_rng(3).standard_normal((4, 100)).astype(np.float16)
    bias = np.zeros(100, dtype=np.float32)
    weights = [
        {"name": "kernel", "shape": [3, 3, 3, 4], "dtype": "float32"},
        {"name": "dense", "shape": [4, 100], "dtype": "float32",
         "quantization": {"dtype": "float16"}},
        {"name": "bias", "shape": [100], "dtype": "float32"},
    ]  # fmt: skip
    steps = {"strides": {"list": {"i": ["1", "2", "2", "1"]}}}
    fused = {"fused_ops": {"list": {"s": ["Qmlhc0FkZA=="]}}}
    nodes = [
        {"name": "input_1", "op": "Placeholder"},
        {"name": "conv", "op": "Conv2D", "input": ["input_1", "kernel"], "attr": steps},
        {"name": "relu", "op": "Relu", "input": ["conv"]},
        {"name": "mean", "op": "Mean", "input": ["relu", "axes"]},
        {"name": "out", "op": "_FusedMatMul", "input": ["mean", "dense", "bias"], "attr": fused},
        {"name": "age_pred/Softmax", "op": "Softmax", "input": ["out"]},
    ]
    described = {
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"weights": weights}],
    }
    (tmp_path / "net.json").write_text(json.dumps(described))
    raw = kernel.tobytes() + dense.tobytes() + bias.tobytes()
    (tmp_path / "net.bin").write_bytes(raw)
    session = ort.InferenceSession(
        onnx_of_tensorflow_js(tmp_path / "net.json").SerializeToString(),
        providers=["CPUExecutionProvider"],
    )
    blob = np.random.default_rng(4).standard_normal((1, 3, 224, 224)).astype(np.float32)
    [shares] = session.run(["age_pred/Softmax"], {"input_1": blob})
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)
    # By hand at one place: with "SAME" and an even side, the first window starts at 0.
    window = blob[0, :, 0:3, 0:3].transpose(1, 2, 0)
    expected = np.maximum((window[..., None] * kernel).sum(axis=(0, 1, 2)), 0)
    convolution = ort.InferenceSession(
        _up_to(onnx_of_tensorflow_js(tmp_path / "net.json"), "relu"),
        providers=["CPUExecutionProvider"],
    )
    [features] = convolution.run(["relu"], {"input_1": blob})
    assert features[0, :, 0, 0] == pytest.approx(expected, abs=1e-4)


def _up_to(model: onnx.ModelProto, name: str) -> bytes:
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    return bytes(model.SerializeToString())
