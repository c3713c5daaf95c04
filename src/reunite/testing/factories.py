"""Things of the domain with sensible values, for tests to change one at a time.

None of them is stored, and none is valid in a database until what it refers to is:
``store_account`` and ``store_case`` do that.
"""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import numpy.typing as npt

from reunite.accounts.account import Account, Actor, Role
from reunite.alerts.notices import Notice, NoticeKind
from reunite.alerts.volunteers import PlaceKind, Volunteer, VolunteerPlace
from reunite.cases.case import (
    Case,
    CaseStatus,
    Circumstances,
    Outcome,
    Person,
    ResolutionCause,
    Transition,
)
from reunite.cases.leads import Lead
from reunite.cases.photos import CasePhoto, PhotoFace
from reunite.cases.sightings import Sighting
from reunite.gallery.port import Facts, TemplateSpace, make_facts
from reunite.kernel.ids import AccountId, CaseId, new_reference
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.kernel.places import Point, cell_of
from reunite.ports import Database, Probe

Float32 = npt.NDArray[np.float32]

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
BORN_IN_2015 = YearRange(2015, 2015)
HANGZHOU = Point(30.2741, 120.1551)
SPACE = TemplateSpace(model_digest="c0ffee" * 10 + "beef", adapter_digest="identity", dim=8)

_numbers = count(1)


def make_account(
    role: Role = Role.VOLUNTEER,
    *,
    email: str | None = None,
    display_name: str = "Lin Mei",
    language: Language = DEFAULT_LANGUAGE,
    organisation: str = "",
    disabled: bool = False,
    created_at: datetime = NOW,
) -> Account:
    """An account; every one has another address."""
    return Account(
        email=email or f"person{next(_numbers)}@example.org",
        display_name=display_name,
        password_hash="$argon2id$not-a-hash",  # noqa: S106  (nobody can sign in with it)
        role=role,
        created_at=created_at,
        language=language,
        organisation=organisation,
        disabled=disabled,
    )


def make_actor(account: Account) -> Actor:
    """Who asks, when this account asks."""
    return Actor(
        account_id=account.id,
        role=account.role,
        display_name=account.display_name,
        language=account.language,
        organisation=account.organisation,
    )


def make_person(
    *,
    name: str = "Wang Xiaohu",
    sex: Sex = Sex.MALE,
    birth_years: YearRange | None = BORN_IN_2015,
) -> Person:
    """A boy of about ten."""
    return Person(name=name, sex=sex, birth_years=birth_years, height_cm=120, marks="a scar")


def make_case(
    opened_by: AccountId,
    *,
    side: Side = Side.MISSING,
    module: Module = Module.CHILD,
    status: CaseStatus = CaseStatus.REPORTED,
    person: Person | None = None,
    place: Point | None = HANGZHOU,
    opened_at: datetime = NOW,
    reference: str | None = None,
    reviewer: AccountId | None = None,
) -> Case:
    """A case that has come as far as ``status``, one hour a step.

    ``reviewer`` took every step after the report; the reporter did where none is given.
    """
    case = Case(
        reference=reference or new_reference(),
        module=module,
        side=side,
        person=person or make_person(),
        circumstances=Circumstances(
            seen_at=opened_at - timedelta(hours=3),
            place=place,
            place_label="West Lake, Hangzhou",
            region=2,
            story="Last seen at the lake.",
        ),
        opened_by=opened_by,
        opened_at=opened_at,
        consent_search=True,
        consent_publish=True,
        contact="+86 571 0000 0000",
    )
    steps = [CaseStatus.REPORTED, CaseStatus.VERIFIED, CaseStatus.PUBLISHED]
    way = steps[: steps.index(status) + 1] if status in steps else [*steps, status]
    for hours, step in enumerate(way):
        by = opened_by if hours == 0 else (reviewer or opened_by)
        case.transitions.append(Transition(step, by, opened_at + timedelta(hours=hours)))
    case.status = status
    if status not in steps:
        case.closed_at = case.transitions[-1].at
    if status is CaseStatus.RESOLVED:
        case.outcome, case.cause = Outcome.REUNITED, ResolutionCause.FACE_LEAD
    return case


def make_face(*, quality_score: float = 82.5, verdict: str = "good") -> PhotoFace:
    """A face in the middle of a photo of 640 by 480."""
    return PhotoFace(
        box=(250.5, 120.25, 140.0, 180.0),
        landmarks=((290, 190), (350, 190), (320, 225), (295, 260), (345, 260)),
        quality_score=quality_score,
        verdict=verdict,
        reasons=() if verdict == "good" else ("face_too_small",),
    )


def make_photo(
    case_id: CaseId,
    *,
    digest: str | None = None,
    storage_key: str | None = None,
    faces: int = 1,
    captured_year: int | None = 2024,
    added_at: datetime = NOW,
) -> CasePhoto:
    """A photo with so many faces; a single one is chosen."""
    return CasePhoto(
        case_id=case_id,
        storage_key=storage_key or secrets.token_hex(20),
        digest=digest or secrets.token_hex(32),
        width=640,
        height=480,
        added_at=added_at,
        captured_year=captured_year,
        faces=[make_face() for _ in range(faces)],
        chosen=0 if faces == 1 else None,
    )


def make_lead(
    missing: CasePhoto, found: CasePhoto, *, similarity: float = 0.62, found_at: datetime = NOW
) -> Lead:
    """A lead between the cases of two stored photos."""
    return Lead(
        missing_case_id=missing.case_id,
        found_case_id=found.case_id,
        missing_photo_id=missing.id,
        found_photo_id=found.id,
        similarity=similarity,
        found_at=found_at,
    )


def make_sighting(
    case_id: CaseId,
    reported_by: AccountId,
    *,
    reported_at: datetime = NOW,
    photo_key: str | None = None,
    text: str = "At the bus station, with a red bag.",
) -> Sighting:
    """Somebody saw the person half an hour before telling."""
    return Sighting(
        case_id=case_id,
        reported_by=reported_by,
        reported_at=reported_at,
        seen_at=reported_at - timedelta(minutes=30),
        place=HANGZHOU,
        place_label="bus station",
        text=text,
        photo_key=photo_key,
        similarity=None if photo_key is None else 0.41,
    )


def make_volunteer(
    account_id: AccountId,
    *,
    place: Point = HANGZHOU,
    modules: frozenset[Module] = frozenset({Module.CHILD}),
    joined_at: datetime = NOW,
) -> Volunteer:
    """A volunteer in Hangzhou."""
    return Volunteer(
        account_id=account_id,
        places=(VolunteerPlace(PlaceKind.HOME, cell_of(place), "Hangzhou", joined_at),),
        modules=modules,
        joined_at=joined_at,
    )


def make_notice(
    case_id: CaseId, *, recipients: int = 3, kind: NoticeKind = NoticeKind.PUBLISHED
) -> Notice:
    """A notice about a case."""
    return Notice(case_id=case_id, kind=kind, created_at=NOW, radius_km=3.0, recipients=recipients)


def make_probe(
    account_id: AccountId,
    *,
    created_at: datetime = NOW,
    storage_key: str | None = None,
    beside: Probe | None = None,
) -> Probe:
    """A photo that somebody searches with; it expires after a day, or with the first of them."""
    return Probe(
        token_digest=secrets.token_bytes(32),
        account_id=account_id,
        storage_key=storage_key or secrets.token_hex(20),
        faces=[make_face()],
        chosen=0,
        captured_year=2025,
        created_at=created_at,
        expires_at=created_at + timedelta(days=1) if beside is None else beside.expires_at,
        beside=None if beside is None else beside.token_digest,
    )


def make_vectors(n: int, *, dim: int = SPACE.dim, seed: int = 1) -> Float32:
    """Random templates, float32 of shape (n, dim), rows L2-normalised."""
    vectors: Float32 = np.random.default_rng(seed).standard_normal((n, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def make_template_facts(n: int = 1, *, subject_id: int = 0, side: Side = Side.MISSING) -> Facts:
    """Facts of ``n`` templates of one boy."""
    facts = make_facts(n)
    facts["subject_id"] = subject_id
    facts["side"] = side
    facts["module"] = Module.CHILD
    facts["sex"] = Sex.MALE
    facts["birth_year"] = 2015
    facts["region"] = 2
    facts["seen_day"] = 20_500
    return facts


def store_account(database: Database, role: Role = Role.VOLUNTEER) -> Account:
    """A stored account."""
    account = make_account(role)
    with database.transaction() as transaction:
        transaction.accounts.add(account)
    return account


def store_case(
    database: Database,
    *,
    side: Side = Side.MISSING,
    status: CaseStatus = CaseStatus.PUBLISHED,
    photos: int = 0,
) -> tuple[Case, list[CasePhoto]]:
    """A stored case with its reporter, a reviewer and so many photos."""
    reporter, reviewer = make_account(Role.FAMILY), make_account(Role.REVIEWER)
    with database.transaction() as transaction:
        transaction.accounts.add(reporter)
        transaction.accounts.add(reviewer)
        case = make_case(reporter.id, side=side, status=status, reviewer=reviewer.id)
        transaction.cases.add(case)
        listed = [make_photo(case.id) for _ in range(photos)]
        for photo in listed:
            transaction.photos.add(photo)
    return case, listed


def store_template(
    database: Database, photo: CasePhoto, *, seed: int = 1, space: TemplateSpace = SPACE
) -> int:
    """The template of a stored photo; its id."""
    facts = make_template_facts(subject_id=photo.case_id)
    with database.transaction() as transaction:
        vector = make_vectors(1, dim=space.dim, seed=seed)[0]
        return transaction.templates.add(photo, vector, space, facts)
