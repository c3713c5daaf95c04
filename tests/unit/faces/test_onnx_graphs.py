"""Graphs are rewritten for speed and for onnxruntime's sake, never in what they compute."""

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from reunite.faces.onnx_graphs import drop_stray_inputs, unfold_prelu, unpack_quantised_weights

Float32 = npt.NDArray[np.float32]


def run(graph: onnx.GraphProto, feed: dict[str, Float32], opset: int = 21) -> Float32:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feed)[0])


def info(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def test_prelu_is_written_in_other_words() -> None:
    rng = np.random.default_rng(0)
    slope = rng.uniform(-0.5, 1.5, (4, 1, 1)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("PRelu", ["x", "slope"], ["y"])],
        "g",
        [info("x", 2, 4, 3, 3)],
        [info("y", 2, 4, 3, 3)],
        [numpy_helper.from_array(slope, "slope")],
    )
    x = rng.standard_normal((2, 4, 3, 3)).astype(np.float32)
    before = run(graph, {"x": x})
    unfold_prelu(graph)
    assert "PRelu" not in {node.op_type for node in graph.node}
    np.testing.assert_allclose(run(graph, {"x": x}), before, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "axis", "block", "scales"),
    [
        ((6, 10), 1, 4, (6, 3)),
        ((6, 10), 0, 3, (2, 10)),
        ((6, 10), 1, 0, (10,)),
        ((8,), 0, 64, (1,)),
    ],
)
def test_quantised_weights_are_unpacked(
    shape: tuple[int, ...], axis: int, block: int, scales: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(1)
    quantised = rng.integers(-128, 128, shape, dtype=np.int8)
    scale = rng.uniform(0.01, 0.1, scales).astype(np.float32)
    zero = rng.integers(-5, 5, scales, dtype=np.int8)
    graph = helper.make_graph(
        [
            helper.make_node(
                "DequantizeLinear", ["q", "s", "z"], ["w"], axis=axis, block_size=block
            ),
            helper.make_node("Add", ["x", "w"], ["y"]),
        ],
        "g",
        [info("x", *shape), info("unused", 3)],
        [info("y", *shape)],
        [
            numpy_helper.from_array(array, name)
            for name, array in (("q", quantised), ("s", scale), ("z", zero))
        ],
    )
    expected = np.empty(shape, np.float32)
    for at in np.ndindex(*shape):
        of = at if len(scales) == len(shape) else at[axis : axis + 1]
        if block:
            of = tuple(i // block if n == axis else i for n, i in enumerate(at))
        expected[at] = (float(quantised[at]) - float(zero[of])) * float(scale[of])
    unpack_quantised_weights(graph)
    drop_stray_inputs(graph)
    assert [node.op_type for node in graph.node] == ["Add"]
    assert [i.name for i in graph.input] == ["x"]
    np.testing.assert_allclose(run(graph, {"x": np.zeros(shape, np.float32)}), expected, atol=1e-5)
