"""An installation uses its newest adapter, can go back, and keeps to its licence setting."""

from dataclasses import replace
from pathlib import Path

import pytest

from reunite.faces.adapters import Adapter, AdapterError, shipped_adapter
from reunite.faces.installed_adapters import AdapterFolder, choose_adapter
from reunite.faces.registry import DLIB_RESNET, SFACE, FaceModelError, ModelKind, load_registry
from tests.unit.faces.networks import registry_file

OWN = "operator's own"


def own(name: str = "ours") -> Adapter:
    return replace(shipped_adapter(), name=name, licence=OWN)


@pytest.fixture
def folder(tmp_path: Path) -> AdapterFolder:
    return AdapterFolder(tmp_path / "adapters")


def chosen(folder: AdapterFolder, wanted: str = "", *, permissive_only: bool = False) -> str | None:
    adapter = choose_adapter(
        load_registry(), SFACE, folder, wanted=wanted, permissive_only=permissive_only
    )
    return None if adapter is None else adapter.name


def test_without_an_own_one_the_shipped_one_is_used(folder: AdapterFolder) -> None:
    assert chosen(folder) == shipped_adapter().name
    assert chosen(folder, "none") is None


def test_the_newest_is_used_and_rolling_back_returns_to_the_one_before(
    folder: AdapterFolder,
) -> None:
    folder.install(own("first"))
    folder.install(own("second"))
    assert [adapter.name for adapter in folder.list_installed()] == ["first", "second"]
    assert chosen(folder) == "second"
    assert folder.roll_back().name == "second"
    assert chosen(folder) == "first"
    folder.roll_back()
    assert chosen(folder) == shipped_adapter().name
    with pytest.raises(AdapterError) as caught:
        folder.roll_back()
    assert caught.value.code == "adapter_none_installed"


def test_installing_again_makes_it_the_newest(folder: AdapterFolder) -> None:
    for name in ("first", "second", "first"):
        folder.install(own(name))
    assert chosen(folder) == "first"
    assert len(folder.list_installed()) == 2


def test_only_permissive_parts_leave_the_shipped_adapter_out(folder: AdapterFolder) -> None:
    assert chosen(folder, permissive_only=True) is None
    folder.install(own())
    assert chosen(folder, permissive_only=True) == "ours"


def test_a_research_adapter_named_by_the_operator_is_refused_there(
    folder: AdapterFolder, tmp_path: Path
) -> None:
    path = tmp_path / "research.adapter"
    path.write_bytes(shipped_adapter().content)
    assert chosen(folder, str(path)) == shipped_adapter().name
    for wanted, code in ((path, "adapter_not_permissive"), (tmp_path / "no", "adapter_missing")):
        with pytest.raises(AdapterError) as caught:
            chosen(folder, str(wanted), permissive_only=True)
        assert caught.value.code == code


def test_an_embedder_for_research_is_refused_there(folder: AdapterFolder, tmp_path: Path) -> None:
    path = registry_file(tmp_path)
    path.write_text(path.read_text().replace("public domain", "research only"))
    registry = load_registry(path)
    tiny = registry.get_model("tiny", ModelKind.EMBEDDER)
    assert choose_adapter(registry, tiny, folder) is None
    with pytest.raises(FaceModelError) as caught:
        choose_adapter(registry, tiny, folder, permissive_only=True)
    assert caught.value.code == "model_not_permissive"


def test_an_adapter_of_another_embedder_is_passed_over(folder: AdapterFolder) -> None:
    folder.install(own())
    assert choose_adapter(load_registry(), DLIB_RESNET, folder) is None


def test_a_file_that_was_changed_is_not_used(folder: AdapterFolder, tmp_path: Path) -> None:
    folder.install(own())
    path = tmp_path / "adapters" / f"{own().digest}.adapter"
    path.write_bytes(own("other").content)
    with pytest.raises(AdapterError) as caught:
        chosen(folder)
    assert caught.value.code == "adapter_unreadable"
    path.unlink()
    with pytest.raises(AdapterError) as caught:
        chosen(folder)
    assert caught.value.code == "adapter_missing"
