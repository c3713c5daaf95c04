"""The whole way from an upload to a template that finds the right person."""

from pathlib import Path

import numpy as np
import pytest

from reunite.faces.adapters import AdapterError, shipped_adapter
from reunite.faces.engine import FaceEngine
from reunite.faces.photo import decode_photo, encode_jpeg
from reunite.faces.port import Template, require_faces
from reunite.faces.registry import SFACE, FaceModelError, load_registry
from reunite.kernel.errors import InvalidInputError
from tests.photos import distractors, grace_hopper, pairs, special
from tests.unit.faces.networks import registry_file


def template_of(engine: FaceEngine, data: bytes) -> Template:
    return engine.template(require_faces(engine, decode_photo(data))[0])


def test_every_older_photo_finds_the_newer_one_first(engine: FaceEngine) -> None:
    """With the portraits: 36 of 36 among 36 newer photos and 39 of other people."""
    people = pairs()
    gallery = np.stack(
        [template_of(engine, d).vector for d in [p.newer for p in people] + list(distractors())]
    )
    probes = np.stack([template_of(engine, pair.older).vector for pair in people])
    similarity = probes @ gallery.T
    found = similarity.argmax(axis=1) == np.arange(len(people))
    assert found.sum() == len(people), [
        p.person for p, ok in zip(people, found, strict=True) if not ok
    ]
    assert np.diag(similarity[:, : len(people)]).min() > 0.5


def test_what_is_stored_gives_the_template_of_what_was_sent(engine: FaceEngine) -> None:
    for pair in pairs()[:4]:
        sent = decode_photo(pair.newer)
        stored = template_of(engine, encode_jpeg(sent)).vector
        assert stored @ template_of(engine, pair.newer).vector > 0.98


def test_templates_name_their_model(engine: FaceEngine) -> None:
    template = template_of(engine, grace_hopper())
    assert template.model_digest == SFACE.sha256 == engine.model.sha256
    assert template.adapter_digest == "identity"
    assert template.dim == 128


def test_templates_of_two_models_can_be_told_apart(engine: FaceEngine, tmp_path: Path) -> None:
    ours = FaceEngine.from_registry(load_registry(registry_file(tmp_path / "a", seed=1)))
    theirs = FaceEngine.from_registry(load_registry(registry_file(tmp_path / "b", seed=2)))
    digests = {template_of(e, grace_hopper()).model_digest for e in (engine, ours, theirs)}
    assert len(digests) == 3


def test_the_embedder_is_chosen_by_name(tmp_path: Path) -> None:
    registry = load_registry(registry_file(tmp_path))
    assert FaceEngine.from_registry(registry).model.name == "tiny"
    assert FaceEngine.from_registry(registry, "sface").model is SFACE
    with pytest.raises(FaceModelError) as caught:
        FaceEngine.from_registry(registry, "arcface")
    assert caught.value.code == "model_unknown"
    assert caught.value.details["known"] == ["dlib-resnet", "sface", "tiny"]


def test_with_the_shipped_adapter_people_stand_out_more(engine: FaceEngine) -> None:
    adapted = FaceEngine.from_registry(load_registry(), adapter=shipped_adapter())
    people = pairs()
    views = [
        require_faces(engine, decode_photo(data))[0]
        for data in [p.older for p in people] + [p.newer for p in people] + list(distractors())
    ]
    leads = []
    for reader in (engine, adapted):
        vectors = np.stack([template.vector for template in reader.templates_of(views)])
        similarity = vectors[: len(people)] @ vectors[len(people) :].T
        mates = np.diag(similarity).copy()
        assert (similarity.argmax(axis=1) == np.arange(len(people))).all()
        np.fill_diagonal(similarity, -1.0)
        leads.append(float(np.median(mates - similarity.max(axis=1))))
    assert leads[1] > leads[0]


def test_templates_name_their_adapter_and_have_its_length(engine: FaceEngine) -> None:
    adapter = shipped_adapter()
    adapted = FaceEngine.from_registry(load_registry(), adapter=adapter)
    template = template_of(adapted, grace_hopper())
    assert template.adapter_digest == adapter.digest == adapted.adapter_digest
    assert template.model_digest == SFACE.sha256
    assert template.dim == adapter.dim == adapted.dim
    assert np.linalg.norm(template.vector) == pytest.approx(1, abs=1e-4)


def test_an_adapter_is_for_the_embedder_that_it_was_fitted_for(tmp_path: Path) -> None:
    for registry, name in (
        (load_registry(registry_file(tmp_path)), "tiny"),
        (load_registry(), "dlib-resnet"),
    ):
        with pytest.raises(AdapterError) as caught:
            FaceEngine.from_registry(registry, name, adapter=shipped_adapter())
        assert caught.value.code == "adapter_models_differ"


def test_no_face_is_said_so(engine: FaceEngine) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_faces(engine, decode_photo(special("no-face-coffee")))
    assert caught.value.code == "photo_no_face"


def test_one_unusable_face_stops_the_batch(engine: FaceEngine) -> None:
    good = require_faces(engine, decode_photo(grace_hopper()))[0]
    tiny = require_faces(engine, decode_photo(special("tiny-face")))[0]
    with pytest.raises(InvalidInputError):
        engine.templates_of([good, tiny])
    assert engine.templates_of([]) == []
    assert len(engine.templates_of([good, good])) == 2


def test_models_are_loaded_when_needed_or_when_told() -> None:
    engine = FaceEngine.from_registry(load_registry())
    engine.load()
    assert len(engine.detect(decode_photo(grace_hopper()))) == 1
