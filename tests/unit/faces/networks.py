"""Tiny networks in ONNX files, to stand for an operator's."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CELLS = 8  # the tiny embedder averages the chip in 8 x 8 cells of 14 pixels


def write_embedder(path: Path, *, seed: int = 0, dim: int = 32, fixed_batch: bool = False) -> None:
    """Average pooling and one random projection: enough to tell pictures apart."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((3 * CELLS * CELLS, dim)).astype(np.float32)
    batch = 1 if fixed_batch else "n"
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool", ["image"], ["cells"], kernel_shape=[14, 14], strides=[14, 14]
            ),
            helper.make_node("Flatten", ["cells"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["template"]),
        ],
        "embedder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, 112, 112])],
        [helper.make_tensor_value_info("template", TensorProto.FLOAT, [batch, dim])],
        [numpy_helper.from_array(weights, "weights")],
    )
    # As old exporters do: the weights among the inputs.
    graph.input.append(
        helper.make_tensor_value_info("weights", TensorProto.FLOAT, list(weights.shape))
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def registry_file(folder: Path, **options: object) -> Path:
    """A configuration with the tiny embedder ``tiny`` as the default."""
    folder.mkdir(parents=True, exist_ok=True)
    dim = int(str(options.get("dim", 32)))
    write_embedder(folder / "tiny.onnx", **options)  # type: ignore[arg-type]
    path = folder / "models.toml"
    path.write_text(
        f"""default_embedder = "tiny"
[[embedder]]
name = "tiny"
path = "tiny.onnx"
dim = {dim}
mean = 127.5
scale = 0.0078125
licence = "public domain"
""",
        encoding="utf-8",
    )
    return path
