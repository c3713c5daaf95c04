"""Turn aligned chips into templates with an ArcFace-style network."""

from typing import Final

import numpy as np
import numpy.typing as npt

from reunite.faces.onnx_graphs import BATCH_AXIS, free_axes, open_session, parse_model
from reunite.faces.registry import CHIP_SIDE_PX, SFACE, ChannelOrder, FaceModel, FaceModelError

Float32 = npt.NDArray[np.float32]
Chips = npt.NDArray[np.uint8]
"""RGB, uint8 array of shape (n, 112, 112, 3)."""

# More at a time is slower: the activations no longer fit the second-level cache.
MAX_BATCH = 2


class Embedder:
    """One recogniser on onnxruntime; safe to call from several threads.

    With ``mirror`` the template is the mean of the face and its mirror image: twice the
    time, and on the portraits the right person leads the next by .405 instead of .396
    (median).  Make all templates of an installation in the same way.
    """

    def __init__(self, model: FaceModel, intra_op_threads: int = 1, *, mirror: bool = True) -> None:
        self.model = model
        self.mirror = mirror
        proto = parse_model(model)
        if model.sha256 == SFACE.sha256:
            # Its batch of one is a habit of the exporter; nothing inside depends on it.
            free_axes([*proto.graph.input, *proto.graph.output], {0: BATCH_AXIS})
        self._session = open_session(proto, model, intra_op_threads)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise FaceModelError("model_unreadable", model=model.name, inputs=len(inputs))
        self._input = inputs[0].name
        self._one_by_one = inputs[0].shape[0] == 1
        preprocessing = model.preprocessing
        self._mean: Final = np.array(preprocessing.mean, dtype=np.float32).reshape(1, 3, 1, 1)
        self._scale: Final = np.float32(preprocessing.scale)

    def embed(self, chips: Chips) -> Float32:
        """Templates of aligned chips.

        chips : uint8 array of shape (n, 112, 112, 3), RGB
        Returns a float32 array of shape (n, dim), rows L2-normalised.
        Raises FaceModelError ``model_output`` when the network yields something else than
        it declares.
        """
        if chips.shape[1:] != (CHIP_SIDE_PX, CHIP_SIDE_PX, 3):
            raise ValueError(f"chips of shape {chips.shape}")
        if len(chips) == 0:
            return np.zeros((0, self.model.dim), dtype=np.float32)
        raw = self._run(chips)
        if self.mirror:
            # Of equal weight: the length of a raw output says how sure the network is.
            raw = _unit(raw) + _unit(self._run(chips[:, :, ::-1]))
        return _unit(raw)

    def _run(self, chips: Chips) -> Float32:
        blob = chips.transpose(0, 3, 1, 2).astype(np.float32)
        if self.model.preprocessing.channel_order is ChannelOrder.BGR:
            blob = blob[:, ::-1]
        blob = np.ascontiguousarray((blob - self._mean) * self._scale, dtype=np.float32)
        step = 1 if self._one_by_one else MAX_BATCH
        parts = [
            np.asarray(self._session.run(None, {self._input: blob[i : i + step]})[0], np.float32)
            for i in range(0, len(blob), step)
        ]
        output: Float32 = np.concatenate([part.reshape(len(part), -1) for part in parts])
        if output.shape != (len(chips), self.model.dim) or not np.isfinite(output).all():
            raise FaceModelError(
                "model_output", model=self.model.name, dim=self.model.dim, got=list(output.shape)
            )
        return output


def _unit(vectors: Float32) -> Float32:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Float32 = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
