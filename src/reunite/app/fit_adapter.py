"""Fit an adapter on labelled faces, try it on people left out, install it if it is better."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reunite.accounts.account import Actor, Role, require_role
from reunite.app.intake import age_at
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.leads import LeadStatus
from reunite.cases.photos import CasePhoto
from reunite.faces.adapter_trial import (
    TrialReport,
    cross_fitted,
    cross_validate,
    fold_of_people,
)
from reunite.faces.adapters import Adapter
from reunite.faces.calibration import Calibration
from reunite.faces.calibration_fitting import (
    Mates,
    Strangers,
    fit_calibration,
    fit_pooling,
)
from reunite.faces.fitting import OWN_LICENCE, AgedRows, LabelledRows, fit_adapter
from reunite.faces.installed_adapters import AdapterFolder
from reunite.faces.labelled import GROWN_AT_YEARS, read_folder
from reunite.faces.photo import decode_photo
from reunite.faces.port import FaceView, FittingReader
from reunite.faces.quality import Verdict
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import CaseId
from reunite.ports import Look, LookPurpose, Transaction

ADMINS = frozenset({Role.ADMIN})
LEADS_AT_ONCE = 200
TRIAL_SEED = 0


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """A face to fit on.  ``person`` is empty where only the age is known."""

    view: FaceView
    person: str
    young: bool | None
    age_years: float | None


@dataclass(frozen=True, slots=True)
class FitReport:
    """What came of it.  ``adapter`` was installed exactly when ``installed``."""

    adapter: Adapter
    trial: TrialReport
    installed: bool
    unread: int  # photos in which nobody usable was found


Progress = Callable[[int], None]


def fit_on_folder(
    actor: Actor | None,
    engine: FittingReader,
    installed: AdapterFolder,
    current: Adapter | None,
    folder: Path,
    *,
    aged_folder: Path | None = None,
    licence: str = OWN_LICENCE,
    progress: Progress = lambda _: None,
    refit_current: bool = False,
) -> FitReport:
    """Fit on a folder of labelled faces, and of others whose ages are known.

    ``engine`` reads with the models that the adapter is to join; ``refit_current`` as in
    ``cross_validate``.
    Raises InvalidInputError ``folder_layout_unknown`` and AdapterError
    ``adapter_data_too_small``.
    """
    require_role(actor, ADMINS)
    sources = [folder] if aged_folder is None else [folder, aged_folder]
    unread = 0

    def faces() -> Iterator[LabelledFace]:
        nonlocal unread
        done = 0
        for source in sources:
            for photo in read_folder(source):
                view = _only_face(engine, photo.path.read_bytes())
                done += 1
                progress(done)
                if view is None:
                    unread += 1
                    continue
                age = None if photo.age_years is None else float(photo.age_years)
                yield LabelledFace(view, photo.person, photo.young, age)

    return _fit(
        engine,
        installed,
        current,
        faces(),
        name=folder.name,
        training_data=", ".join(str(source.resolve()) for source in sources),
        licence=licence,
        count_unread=lambda: unread,
        refit_current=refit_current,
    )


def fit_on_own_cases(
    services: Services,
    actor: Actor | None,
    engine: FittingReader,
    installed: AdapterFolder,
    current: Adapter | None,
    progress: Progress = lambda _: None,
) -> FitReport:
    """Fit on pairs that two reviewers confirmed, and on every photo whose age is known.

    Every look at a face is logged.
    Raises AdapterError ``adapter_data_too_small``.
    """
    require_role(actor, ADMINS)

    def faces() -> Iterator[LabelledFace]:
        for done, (person, case, photo) in enumerate(_own_photos(services), start=1):
            view = _chosen_face(services, engine, photo)
            progress(done)
            if view is not None:
                age = age_at(case, photo)
                young = None if age is None else age < GROWN_AT_YEARS
                yield LabelledFace(view, person, young, age)

    return _fit(
        engine,
        installed,
        current,
        faces(),
        name="own cases",
        training_data="confirmed pairs of this installation",
        licence=OWN_LICENCE,
        count_unread=lambda: 0,
    )


def roll_back_adapter(actor: Actor | None, installed: AdapterFolder) -> Adapter:
    """Take the newest adapter out of use; which it was.

    Raises AdapterError ``adapter_none_installed``.
    """
    require_role(actor, ADMINS)
    return installed.roll_back()


def _fit(
    engine: FittingReader,
    installed: AdapterFolder,
    current: Adapter | None,
    faces: Iterable[LabelledFace],
    *,
    name: str,
    training_data: str,
    licence: str,
    count_unread: Callable[[], int],
    refit_current: bool = False,
) -> FitReport:
    known = list(faces)
    people, aged = _rows(engine, known)
    trial = cross_validate(engine.models, people, aged, current, refit_current=refit_current)
    adapter = fit_adapter(
        engine.models,
        people,
        aged,
        name=name,
        training_data=f"{training_data}: {trial.people} people, {trial.photos} photos",
        licence=licence,
    )
    if trial.is_better:
        installed.install(adapter, _calibrated(engine, adapter, people, aged))
    return FitReport(adapter, trial, installed=trial.is_better, unread=count_unread())


def _calibrated(
    engine: FittingReader, adapter: Adapter, people: LabelledRows, aged: AgedRows
) -> Calibration:
    """What similarities of the new templates will mean.

    Mates are seen through adapters that were fitted without them.  Strangers are the faces of
    known age, of which the adapter knows nothing but the means of age bands.
    """
    templates = cross_fitted(engine.models, people, aged, seed=TRIAL_SEED)
    young, grown = np.flatnonzero(people.young), np.flatnonzero(~people.young)
    same = people.ids[young][:, None] == people.ids[grown][None, :]
    similarity = (templates[young] @ templates[grown].T)[same]
    ages = adapter.estimate_age_years(people.embeddings)
    younger = np.minimum(ages[young], GROWN_AT_YEARS)[:, None]
    return fit_calibration(
        Strangers(
            adapter.templates(aged.embeddings),
            aged.ages,
            np.full(len(aged.ages), -1, dtype=np.int64),
        ),
        Mates(similarity, np.broadcast_to(younger, same.shape)[same], np.zeros(0, np.float32)),
        model_digest=engine.model.sha256,
        adapter_digest=adapter.digest,
        fitted_on=adapter.training_data,
        pooling=fit_pooling(
            templates, people.ids, people.young, fold_of_people(people.ids, TRIAL_SEED)
        ),
    )


def _rows(engine: FittingReader, faces: list[LabelledFace]) -> tuple[LabelledRows, AgedRows]:
    """Embeddings of everybody, once; who is named and whose age is known may overlap."""
    dims = [model.dim for model in engine.models]
    if faces:
        chips = np.stack([face.view.chip for face in faces])
        embeddings = engine.embed(chips)
    else:
        embeddings = tuple(np.zeros((0, dim), dtype=np.float32) for dim in dims)
    named = np.array([bool(f.person) and f.young is not None for f in faces], dtype=np.bool_)
    numbers = {person: i for i, person in enumerate(sorted({f.person for f in faces}))}
    ids = np.array([numbers[face.person] for face in faces], dtype=np.int64)
    young = np.array([bool(face.young) for face in faces], dtype=np.bool_)
    has_age = np.array([face.age_years is not None for face in faces], dtype=np.bool_)
    ages = np.array([face.age_years or 0.0 for face in faces], dtype=np.float64)
    return (
        LabelledRows(embeddings, ids, young).at(named),
        AgedRows(tuple(one[has_age] for one in embeddings), ages[has_age]),
    )


def _only_face(engine: FittingReader, data: bytes) -> FaceView | None:
    """The largest usable face, or nobody."""
    try:
        views = engine.detect(decode_photo(data))
    except ReuniteError:
        return None
    return next((v for v in views if v.quality.verdict is not Verdict.UNUSABLE), None)


def _chosen_face(services: Services, engine: FittingReader, photo: CasePhoto) -> FaceView | None:
    if photo.chosen is None:
        return None
    try:
        views = engine.detect(decode_photo(services.photos.get(photo.storage_key)))
    except ReuniteError:
        return None  # erased a moment ago
    return views[photo.chosen] if photo.chosen < len(views) else None


def _own_photos(services: Services) -> Iterator[tuple[str, Case, CasePhoto]]:
    """Photos of both records of every confirmed pair, under one name."""
    offset = 0
    while True:
        with services.database.transaction() as transaction:
            leads = transaction.leads.list_with_status(
                frozenset({LeadStatus.CONFIRMED}), limit=LEADS_AT_ONCE, offset=offset
            )
            found = [
                (str(lead.missing_case_id), case_id)
                for lead in leads
                for case_id in (lead.missing_case_id, lead.found_case_id)
            ]
            rows = _with_photos(transaction, found)
            now = services.clock.now()
            transaction.looks.add(
                [
                    # By the program itself, as when it looks for matches.
                    Look(None, case.id, LookPurpose.SEARCH, now)
                    for _, case, _ in rows
                ]
            )
        yield from rows
        if len(leads) < LEADS_AT_ONCE:
            return
        offset += LEADS_AT_ONCE


def _with_photos(
    transaction: Transaction, wanted: list[tuple[str, CaseId]]
) -> list[tuple[str, Case, CasePhoto]]:
    cases = transaction.cases.get_many([case_id for _, case_id in wanted])
    photos = transaction.photos.list_of_cases(list(cases))
    return [
        (person, cases[case_id], photo)
        for person, case_id in wanted
        if case_id in cases
        for photo in photos.get(case_id, [])
    ]
