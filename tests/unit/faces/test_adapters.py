"""Adapters are fitted, kept in a file, read again, and find people across the years."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.faces.adapters import (
    MAGIC,
    Adapter,
    AdapterError,
    read_adapter,
    shipped_adapter,
    unit,
)
from reunite.faces.fitting import (
    LEAST_AGED,
    LEAST_PEOPLE,
    AgedRows,
    FitOptions,
    LabelledRows,
    fit_adapter,
)
from reunite.faces.licences import is_permissive
from reunite.faces.registry import DLIB_RESNET, SFACE

DIM = 24
OPTIONS = FitOptions(dim=16)


def made_people(seed: int, people: int = 60) -> tuple[LabelledRows, AgedRows]:
    """Invented faces that two models see: ageing hides who they are."""
    rng = np.random.default_rng(seed)
    world = np.random.default_rng(99)  # what the models are, the same for everybody
    ageing = world.standard_normal((2, DIM)) * 0.5
    nuisance = 0.5 * world.standard_normal((2, 4, DIM))
    ids = np.repeat(np.arange(people), 4)
    young = np.tile([True, True, False, False], people)
    ages = np.where(young, rng.uniform(2, 12, len(ids)), rng.uniform(30, 60, len(ids)))
    own = rng.standard_normal((people, DIM))[ids]
    embeddings = []
    for model in range(2):
        rest = rng.standard_normal((len(ids), 4)) @ nuisance[model]
        rest += 0.5 * rng.standard_normal(rest.shape)
        rows = own + rest + np.log1p(ages)[:, None] * ageing[model]
        embeddings.append(unit(rows).astype(np.float32))
    pair = (embeddings[0], embeddings[1])
    return LabelledRows(pair, ids, young), AgedRows(pair, ages)


def fitted(seed: int = 0) -> Adapter:
    people, aged = made_people(seed)
    return fit_adapter(
        (SFACE, DLIB_RESNET), people, aged, name="made", training_data="nobody", options=OPTIONS
    )


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return fitted()


def first_rank(templates: npt.NDArray[np.float32], people: LabelledRows) -> float:
    probes, gallery = np.flatnonzero(people.young), np.flatnonzero(~people.young)
    nearest = gallery[(templates[probes] @ templates[gallery].T).argmax(axis=1)]
    return float((people.ids[nearest] == people.ids[probes]).mean())


def test_people_whom_nobody_was_fitted_on_are_found_more_often(adapter: Adapter) -> None:
    others, _ = made_people(1)
    raw = first_rank(others.embeddings[0], others)
    assert first_rank(adapter.templates(others.embeddings), others) > raw + 0.2


def test_templates_have_length_one_and_ages_are_told_apart(adapter: Adapter) -> None:
    others, aged = made_people(2)
    templates = adapter.templates(others.embeddings)
    assert templates.shape == (240, adapter.dim)
    assert templates.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(templates, axis=1), 1, atol=1e-5)
    estimated = adapter.estimate_age_years(others.embeddings)
    assert np.corrcoef(np.log1p(estimated), np.log1p(aged.ages))[0, 1] > 0.75


def test_a_face_has_the_same_template_alone_and_among_others(adapter: Adapter) -> None:
    others, _ = made_people(3)
    together = adapter.templates(others.embeddings)
    alone = adapter.templates(tuple(one[7:8] for one in others.embeddings))
    np.testing.assert_allclose(alone[0], together[7], atol=1e-5)


def test_a_file_gives_back_what_was_written(adapter: Adapter) -> None:
    again = read_adapter(adapter.content)
    assert again.digest == adapter.digest
    assert (again.name, again.training_data, again.licence) == ("made", "nobody", adapter.licence)
    others, _ = made_people(4)
    np.testing.assert_array_equal(
        again.templates(others.embeddings), adapter.templates(others.embeddings)
    )


def test_the_digest_tells_adapters_apart_and_fitting_again_gives_the_same(
    adapter: Adapter,
) -> None:
    assert fitted().digest == adapter.digest
    assert fitted(seed=5).digest != adapter.digest
    assert replace(adapter, licence="other").digest != adapter.digest


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_another_adapter(data: st.DataObject) -> None:
    content = fitted_once()
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(AdapterError):
        read_adapter(content[:cut])


def fitted_once(kept: list[bytes] = []) -> bytes:  # noqa: B006  (fitting takes a moment)
    if not kept:
        kept.append(fitted().content)
    return kept[0]


def test_what_is_no_adapter_or_of_a_later_version_is_said_so(adapter: Adapter) -> None:
    for content, code in (
        (b"", "adapter_unreadable"),
        (b"PK\x03\x04 a zip file", "adapter_unreadable"),
        (MAGIC + b"{}\n", "adapter_unreadable"),
        (adapter.content + b"\0\0\0\0", "adapter_unreadable"),
        (adapter.content.replace(b'"version": 1', b'"version": 9'), "adapter_version"),
    ):
        with pytest.raises(AdapterError) as caught:
            read_adapter(content)
        assert caught.value.code == code


@pytest.mark.parametrize(("people", "faces"), [(10, 240), (60, 100)])
def test_too_little_data_is_refused(people: int, faces: int) -> None:
    known, aged = made_people(0, people)
    some = AgedRows(tuple(one[:faces] for one in aged.embeddings), aged.ages[:faces])
    with pytest.raises(AdapterError) as caught:
        fit_adapter((SFACE, DLIB_RESNET), known, some, name="few", training_data="few")
    assert caught.value.code == "adapter_data_too_small"
    assert caught.value.details["least"] in (LEAST_PEOPLE, LEAST_AGED)


def test_the_shipped_adapter_says_what_it_was_made_of_and_is_for_research_only() -> None:
    shipped = shipped_adapter()
    assert [part.model_digest for part in shipped.parts] == [SFACE.sha256, DLIB_RESNET.sha256]
    assert shipped.dim == 128  # there is a kernel for it
    assert "LAG" in shipped.training_data
    assert not shipped.is_permissive


@pytest.mark.parametrize(
    ("licence", "permissive"),
    [
        ("Apache-2.0 (OpenCV Zoo), MIT (libfacedetection)", True),
        ("public domain (D. King, dlib-models)", True),
        ("operator's own", True),
        ("non-commercial research (LAG, UTKFace)", False),
        ("MIT, non-commercial", False),
        ("", False),
    ],
)
def test_in_doubt_a_licence_is_not_permissive(licence: str, permissive: bool) -> None:
    assert is_permissive(licence) is permissive
