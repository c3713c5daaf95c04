"""dlib's face recogniser, read from its own file and written as an ONNX graph.

The network is a ResNet of 29 convolutions (D. King, dlib-models, released into the public
domain).  Its ``.dat`` file is dlib's serialisation: small integers with a length byte, and
tensors as raw little-endian floats in the order of the layers.  The file is known by its
digest, so it is enough to find the tensors; their number and sizes are checked.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from reunite.faces.alignment import ARCFACE_TEMPLATE, similarity_transform
from reunite.faces.registry import CHIP_SIDE_PX, FaceModel, FaceModelError

Float32 = npt.NDArray[np.float32]

TENSOR_VERSION = 2  # of dlib's serialisation, before the four sizes
SMALLEST_LAYER = 64  # parameters; less is bookkeeping
BLOCKS: Final = ((32, 3), (64, 3), (128, 2), (256, 2), (256, 0))
"""Filters of each stage and how many plain residual blocks follow its first one."""
OUTPUT_DIM = 128

CHIP_SIDE: Final = 150
# Mean colour, red first, and scale of dlib's input layer for RGB images.
MEAN: Final = (122.782, 117.001, 104.298)
SCALE: Final = 1 / 256
# Eyes, nose tip and mouth corners in dlib's chip (mean face shape, padding of a quarter).
DLIB_TEMPLATE: Final[Float32] = np.array(
    [[47.73, 47.14], [100.3, 47.14], [73.8, 77.5], [50.4, 103.0], [97.6, 103.0]], dtype=np.float32
)


def read_tensors(data: bytes) -> list[Float32]:
    """The parameters of each layer, input first, each as a flat float32 array."""
    found, position = [], 0
    while position < len(data):
        tensor = _tensor_at(data, position)
        if tensor is None:
            position += 1
        else:
            values, position = tensor
            found.append(values)
    return found


def _tensor_at(data: bytes, position: int) -> tuple[Float32, int] | None:
    sizes = []
    for _ in range(5):
        number = _integer_at(data, position)
        if number is None:
            return None
        value, position = number
        sizes.append(value)
    version, length, width, *rest = sizes
    # Parameters of a layer are one long row, those of the last one a matrix.
    if version != TENSOR_VERSION or length < SMALLEST_LAYER or width < 1 or rest != [1, 1]:
        return None
    count = length * width
    end = position + 4 * count
    if end > len(data):
        return None
    return np.frombuffer(data, "<f4", count, position).astype(np.float32), end


def _integer_at(data: bytes, position: int) -> tuple[int, int] | None:
    """A length byte and so many bytes, lowest first; negative ones do not occur in sizes."""
    if position >= len(data):
        return None
    length = data[position]
    end = position + 1 + length
    if not 1 <= length <= 4 or end > len(data):  # noqa: PLR2004 - bytes of a size
        return None
    return int.from_bytes(data[position + 1 : end], "little"), end


@dataclass
class _Graph:
    """Nodes and weights while a network is written."""

    tensors: list[Float32]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def convolution(self, x: str, inputs: int, filters: int, side: int, stride: int) -> str:
        """A convolution and the scaling that follows it, folded into one."""
        values, scaling = self.tensors.pop(0), self.tensors.pop(0)
        count = filters * inputs * side * side
        if len(values) != count + filters or len(scaling) != 2 * filters:
            raise ValueError(f"{len(values)} parameters in a layer of {count + filters}")
        kernel = values[:count].reshape(filters, inputs, side, side)
        gain, shift = scaling[:filters], scaling[filters:]
        pad = side // 2 if stride == 1 else 0
        return self.node(
            "Conv",
            x,
            self.constant(kernel * gain[:, None, None, None]),
            self.constant(values[count:] * gain + shift),
            strides=[stride, stride],
            pads=[pad] * 4,
        )

    def residual(self, x: str, filters: int) -> str:
        inner = self.node("Relu", self.convolution(x, filters, filters, 3, 1))
        return self.node(
            "Relu", self.node("Add", self.convolution(inner, filters, filters, 3, 1), x)
        )

    def reducing(self, x: str, inputs: int, filters: int, side: int) -> tuple[str, int]:
        """A residual block of half the size; where the two ways differ in shape, zeros fill up."""
        inner = self.node("Relu", self.convolution(x, inputs, filters, 3, 2))
        inner = self.convolution(inner, filters, filters, 3, 1)
        pooled = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        of_inner, of_pooled = (side - 3) // 2 + 1, side // 2
        missing = of_pooled - of_inner
        if missing:
            inner = self._filled(inner, [0, 0, 0, 0, 0, 0, missing, missing])
        if filters != inputs:
            pooled = self._filled(pooled, [0, 0, 0, 0, 0, filters - inputs, 0, 0])
        return self.node("Relu", self.node("Add", pooled, inner)), of_pooled

    def _filled(self, x: str, pads: list[int]) -> str:
        return self.node("Pad", x, self.constant(pads, np.int64))


def build_network(data: bytes, model: FaceModel) -> onnx.ModelProto:
    """The graph: ArcFace chips in, 128 numbers out, any batch.

    Raises FaceModelError ``model_unreadable``.
    """
    graph = _Graph(read_tensors(data))
    try:
        output = _write(graph)
    except (ValueError, IndexError) as error:
        raise FaceModelError("model_unreadable", model=model.name) from error
    if graph.tensors:
        raise FaceModelError("model_unreadable", model=model.name)
    side = CHIP_SIDE_PX
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "dlib_face_recognition_resnet_model_v1",
            [helper.make_tensor_value_info("chips", TensorProto.FLOAT, ["n", 3, side, side])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", OUTPUT_DIM])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    onnx.checker.check_model(proto)
    return proto


def _write(graph: _Graph) -> str:
    x = _resampled(graph)
    x = graph.node("Sub", x, graph.constant(np.reshape(MEAN, (1, 3, 1, 1))))
    x = graph.node("Mul", x, graph.constant(SCALE))
    filters, plain = BLOCKS[0]
    x = graph.node("Relu", graph.convolution(x, 3, filters, 7, 2))
    x = graph.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side = ((CHIP_SIDE - 7) // 2 + 1 - 3) // 2 + 1
    for _ in range(plain):
        x = graph.residual(x, filters)
    for wider, plain in BLOCKS[1:]:
        x, side = graph.reducing(x, filters, wider, side)
        filters = wider
        for _ in range(plain):
            x = graph.residual(x, filters)
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    matrix = graph.tensors.pop(0).reshape(filters, OUTPUT_DIM)
    return graph.node("MatMul", x, graph.constant(matrix))


def _resampled(graph: _Graph) -> str:
    """ArcFace chips as dlib's: its eyes lie farther apart; the border is repeated below."""
    transform = similarity_transform(DLIB_TEMPLATE, ARCFACE_TEMPLATE)
    y, x = np.mgrid[:CHIP_SIDE, :CHIP_SIDE]
    positions = np.stack([x, y, np.ones_like(x)], axis=-1) @ transform.T
    grid = (positions * 2 / (CHIP_SIDE_PX - 1) - 1).astype(np.float32)[None]
    batch = graph.node("Shape", "chips", start=0, end=1)
    size = graph.node("Concat", batch, graph.constant([*grid.shape[1:]], np.int64), axis=0)
    spread = graph.node("Expand", graph.constant(grid), size)
    return graph.node(
        "GridSample", "chips", spread, align_corners=1, mode="bilinear", padding_mode="border"
    )
