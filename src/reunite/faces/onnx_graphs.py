"""ONNX files made ready for onnxruntime, and sessions on them."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from reunite.faces.dlib_network import build_network
from reunite.faces.registry import DLIB_RESNET, FaceModel, FaceModelError

BATCH_AXIS = "batch"


def drop_stray_inputs(graph: onnx.GraphProto) -> None:
    """Leave only the inputs that must be fed.

    Exporters and quantisers list weights among a graph's inputs; onnxruntime would ask
    for each of them at every run, and would not fold them into constants.
    """
    weights = {initializer.name for initializer in graph.initializer}
    consumed = {name for node in graph.node for name in node.input}
    kept = [i for i in graph.input if i.name in consumed and i.name not in weights]
    del graph.input[:]
    graph.input.extend(kept)


def unpack_quantised_weights(graph: onnx.GraphProto) -> None:
    """Replace ``DequantizeLinear`` on stored weights by the weights themselves.

    Block-quantised files are small to ship; onnxruntime refuses some of their nodes (a
    block size on a tensor with a single scale) and multiplies in float32 in any case.
    """
    stored = {initializer.name: initializer for initializer in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "DequantizeLinear" or not set(node.input) <= stored.keys():
            nodes.append(node)
            continue
        quantised, scale, zero = (numpy_helper.to_array(stored[name]) for name in node.input)
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        axis, block = int(attributes.get("axis", 1)), int(attributes.get("block_size", 0))
        difference = quantised.astype(np.float32) - _spread(zero, quantised.shape, axis, block)
        weights = difference * _spread(scale, quantised.shape, axis, block)
        graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
    del graph.node[:]
    graph.node.extend(nodes)


def unfold_prelu(graph: onnx.GraphProto) -> None:
    """Write ``PRelu`` as ``slope * x + (1 - slope) * relu(x)``.

    onnxruntime keeps convolutions in a blocked layout but has no PRelu for it, and goes back
    and forth at each of them; without, SFace takes half the time for the same output.
    """
    stored = {initializer.name: initializer for initializer in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "PRelu" or node.input[1] not in stored:
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        slope = numpy_helper.to_array(stored[node.input[1]])
        rest = (1 - slope).astype(slope.dtype)
        graph.initializer.append(numpy_helper.from_array(rest, f"{y}/rest"))
        nodes += [
            helper.make_node("Relu", [x], [f"{y}/relu"]),
            helper.make_node("Mul", [x, node.input[1]], [f"{y}/linear"]),
            helper.make_node("Mul", [f"{y}/relu", f"{y}/rest"], [f"{y}/bent"]),
            helper.make_node("Add", [f"{y}/linear", f"{y}/bent"], [y]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _spread(
    per_block: npt.NDArray[np.generic], shape: tuple[int, ...], axis: int, block: int
) -> npt.NDArray[np.float32]:
    """One value a block repeated along ``axis``, so that it meets every weight of ``shape``."""
    values = per_block.astype(np.float32)
    if values.size == 1:
        return values.reshape(())
    if block:
        return np.repeat(values, block, axis=axis).take(range(shape[axis]), axis=axis)
    sides = [1] * len(shape)
    sides[axis] = -1
    return values.reshape(sides)


def free_axes(values: Iterable[onnx.ValueInfoProto], axes: dict[int, str]) -> None:
    """Give the numbered axes of these inputs or outputs a name instead of a size."""
    for value in values:
        shape = value.type.tensor_type.shape
        for axis, name in axes.items():
            if axis < len(shape.dim):
                shape.dim[axis].dim_param = name


def parse_model(model: FaceModel) -> onnx.ModelProto:
    """The graph of ``model`` in plain float32, with stray inputs dropped.

    Raises FaceModelError ``model_missing``, ``model_digest_mismatch``, ``model_unreadable``.
    """
    data = model.read()
    if model.sha256 == DLIB_RESNET.sha256:
        return build_network(data, model)
    try:
        proto = onnx.load_model_from_string(data)
    except Exception as error:  # of protobuf, whose error classes differ by version
        raise FaceModelError("model_unreadable", model=model.name) from error
    unpack_quantised_weights(proto.graph)
    drop_stray_inputs(proto.graph)
    unfold_prelu(proto.graph)
    # Shapes noted inside the graph hold for the batch of one that it was exported with.
    del proto.graph.value_info[:]
    return proto


def open_session(
    proto: onnx.ModelProto, model: FaceModel, intra_op_threads: int
) -> ort.InferenceSession:
    """A session on the processor; its ``run`` may be called from several threads.

    Raises FaceModelError ``model_unreadable``.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    # Workers that spin between two faces take the second core from the web server.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: it warns about its own optimisations
    try:
        return ort.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's classes share no public base
        raise FaceModelError("model_unreadable", model=model.name) from error
