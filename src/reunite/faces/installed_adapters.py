"""Which adapter an installation uses: its own newest one, else the one that comes along.

A folder holds every adapter that was ever installed, by digest, and a list of them in the
order of their installation.  Rolling back takes the last one off the list; its file stays,
for templates that were made with it name it.
"""

import json
import os
from pathlib import Path
from typing import Final

from reunite.faces.adapters import Adapter, AdapterError, read_adapter, shipped_adapter
from reunite.faces.calibration import (
    Calibration,
    find_calibration,
    read_calibration,
    write_calibration,
)
from reunite.faces.registry import FaceModel, FaceModelError, ModelRegistry

HISTORY: Final = "history.json"
NO_ADAPTER: Final = "none"


class AdapterFolder:
    """The adapters of one installation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list_installed(self) -> list[Adapter]:
        """In the order of their installation, the one in use last.

        Raises AdapterError ``adapter_missing`` or ``adapter_unreadable``.
        """
        return [self._read(digest) for digest in self._history()]

    def find_current(self, embedder: FaceModel) -> Adapter | None:
        """The newest one that was fitted for this embedder."""
        of_embedder = [
            adapter
            for adapter in self.list_installed()
            if adapter.parts[0].model_digest == embedder.sha256
        ]
        return of_embedder[-1] if of_embedder else None

    def install(self, adapter: Adapter, calibration: Calibration | None = None) -> None:
        """Use this one from now on; templates made before are of another space.

        ``calibration`` says what similarities of its templates mean.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if calibration is not None:
            text = write_calibration(calibration)
            _write(self._calibration_path(adapter.digest), text.encode())
        _write(self._folder / f"{adapter.digest}.adapter", adapter.content)
        history = [digest for digest in self._history() if digest != adapter.digest]
        self._save([*history, adapter.digest])

    def roll_back(self) -> Adapter:
        """Take the newest one out of use; which it was.

        Raises AdapterError ``adapter_none_installed``.
        """
        history = self._history()
        if not history:
            raise AdapterError("adapter_none_installed")
        removed = self._read(history[-1])
        self._save(history[:-1])
        return removed

    def find_calibration(self, model_digest: str, adapter_digest: str) -> Calibration | None:
        """What similarities of these templates mean; None where nobody has measured it.

        Raises CalibrationError.
        """
        path = self._calibration_path(adapter_digest)
        if path.is_file():
            own = read_calibration(path.read_text(encoding="utf-8"))
            if own.model_digest == model_digest:
                return own
        return find_calibration(model_digest, adapter_digest)

    def _calibration_path(self, adapter_digest: str) -> Path:
        return self._folder / f"{adapter_digest}.calibration.json"

    def _history(self) -> list[str]:
        path = self._folder / HISTORY
        if not path.is_file():
            return []
        try:
            return [str(digest) for digest in json.loads(path.read_text(encoding="utf-8"))]
        except ValueError as error:
            raise AdapterError("adapter_unreadable", path=str(path)) from error

    def _save(self, history: list[str]) -> None:
        _write(self._folder / HISTORY, json.dumps(history).encode())

    def _read(self, digest: str) -> Adapter:
        path = self._folder / f"{digest}.adapter"
        if not path.is_file():
            raise AdapterError("adapter_missing", path=str(path))
        adapter = read_adapter(path.read_bytes())
        if adapter.digest != digest:
            raise AdapterError("adapter_unreadable", path=str(path))
        return adapter


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, whenever the power goes."""
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def choose_adapter(
    registry: ModelRegistry,
    embedder: FaceModel,
    installed: AdapterFolder,
    *,
    wanted: str = "",
    permissive_only: bool = False,
) -> Adapter | None:
    """The adapter to use with this embedder; None where templates are its own output.

    ``wanted`` is "none", the path of a file, or empty for the newest installed one, else the
    shipped one if it is for this embedder.  ``permissive_only`` leaves out whatever is not
    permissively licensed.
    Raises AdapterError ``adapter_not_permissive`` for a file named in ``wanted``, and
    FaceModelError ``model_not_permissive``.
    """
    if permissive_only and not embedder.is_permissive:
        raise FaceModelError("model_not_permissive", model=embedder.name)
    if wanted == NO_ADAPTER:
        return None
    if wanted:
        path = Path(wanted)
        if not path.is_file():
            raise AdapterError("adapter_missing", path=wanted)
        adapter = read_adapter(path.read_bytes())
        if permissive_only and not _is_permissive(registry, adapter):
            raise AdapterError("adapter_not_permissive", adapter=adapter.name)
        return adapter
    for candidate in (installed.find_current(embedder), shipped_adapter()):
        if (
            candidate is not None
            and candidate.parts[0].model_digest == embedder.sha256
            and (not permissive_only or _is_permissive(registry, candidate))
        ):
            return candidate
    return None


def _is_permissive(registry: ModelRegistry, adapter: Adapter) -> bool:
    models = [registry.find_by_digest(part.model_digest) for part in adapter.parts]
    return adapter.is_permissive and all(m is not None and m.is_permissive for m in models)
