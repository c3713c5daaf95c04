"""Another packaged model by configuration: one command, and everybody is found again."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from reunite.faces.fitting import LEAST_AGED
from tests.photos import astronaut, pairs
from tests.servers import Server, run_cli
from tests.unit.faces.networks import registry_file, write_embedder

PEOPLE, PHOTOS = 30, 4
SIDE_PX, CELLS = 160, 8


def test_a_second_model_takes_over_by_configuration_and_one_command(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pairs()[:2]
    for pair in (first, second):
        (tmp_path / "newer" / pair.person).mkdir(parents=True)
        (tmp_path / "newer" / pair.person / "photo.jpg").write_bytes(pair.newer)
    older = tmp_path / "older.jpg"
    older.write_bytes(first.older)
    station = server.add_account("station", "officer")
    reviewer = server.add_account("reviewer", "reviewer")

    def reunite(*arguments: str) -> str:
        done = run_cli(server.data, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    reunite(
        "import-photos", str(tmp_path / "newer"), "--side", "found", "--module", "elder",
        "--as", station, "--verified-by", reviewer, "--publish",
        "--report", str(tmp_path / "report.csv"),
    )  # fmt: skip
    name = first.person.replace("-", " ")
    assert name in reunite("search", str(older), "--limit", "1")

    monkeypatch.setitem(os.environ, "REUNITE_EMBEDDER", "dlib-resnet")
    assert "dlib-resnet" in reunite("faces", "show")
    assert name not in reunite("search", str(older), "--limit", "1")
    assert "2 made" in reunite("faces", "re-embed")
    assert "2 already there" in reunite("faces", "re-embed")
    assert name in reunite("search", str(older), "--limit", "1")

    # Models of the operator's own: named in a file, an adapter fitted for both, read anew.
    models = registry_file(tmp_path / "models")
    write_embedder(tmp_path / "models" / "second.onnx", seed=1, dim=48)
    with models.open("a", encoding="utf-8") as stream:
        stream.write(
            '[[embedder]]\nname = "second"\npath = "second.onnx"\ndim = 48\nmean = 127.5\n'
            'scale = 0.0078125\nlicence = "not stated"\n'
        )
    monkeypatch.setitem(os.environ, "REUNITE_MODELS", str(models))
    monkeypatch.setitem(os.environ, "REUNITE_EMBEDDER", "tiny")
    draw_faces(tmp_path / "people", tmp_path / "aged")
    told = reunite(
        "faces", "fit-adapter", "--data", str(tmp_path / "people"),
        "--aged", str(tmp_path / "aged"), "--also", "second",
    )  # fmt: skip
    assert "Installed as" in told, told
    assert f"{PEOPLE} people" in told
    shown = reunite("faces", "show")
    assert all(name in shown for name in ("tiny", "second", "not stated", "people"))
    assert "2 made" in reunite("faces", "re-embed")


def draw_faces(people: Path, aged: Path) -> None:
    """One face in the colours of invented people, who all change alike as they grow."""
    rng = np.random.default_rng(5)
    face = Image.open(BytesIO(astronaut())).crop((150, 15, 310, 175)).resize((SIDE_PX, SIDE_PX))
    light = np.asarray(face.convert("RGB"), dtype=np.float64)
    ageing = rng.standard_normal((4, CELLS, CELLS, 3)) * 45

    def write(path: Path, own: npt.NDArray[np.float64], grown: float) -> None:
        pace = rng.standard_normal(4) * 0.6
        cells = own + np.tensordot(grown + pace, ageing, 1) + rng.standard_normal(ageing[0].shape)
        pattern = np.kron(cells, np.ones((SIDE_PX // CELLS, SIDE_PX // CELLS, 1)))
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.clip(0.8 * light + 0.2 * pattern, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path, quality=92)

    for person in range(PEOPLE):
        own = rng.uniform(0, 255, (CELLS, CELLS, 3))
        for photo in range(PHOTOS):
            young = photo < PHOTOS // 2
            folder = people / f"person-{person}" / ("y" if young else "")
            write(folder / f"{photo}.jpg", own, -1.0 if young else 1.0)
    for number in range(LEAST_AGED):
        age = 4 + number % 10 if number % 2 else 25 + number % 40
        own = rng.uniform(0, 255, (CELLS, CELLS, 3))
        write(aged / f"{age}_0_0_{number:08d}.jpg", own, -1.0 if age < 18 else 1.0)
