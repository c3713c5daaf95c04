"""Search both sides for a new photo; what is alike becomes a lead, or a pair, for reviewers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reunite.app.compare_faces import Faces, are_alike, compare_faces, weigh_compared
from reunite.app.estimate_ages import estimate_age
from reunite.app.find_duplicates import is_likely, suggest_pair, weigh_duplicate
from reunite.app.match_facts import lead_of, other_side, weigh_pair
from reunite.app.services import Services
from reunite.app.weigh_faces import least_similarity
from reunite.cases.case import Case
from reunite.faces.calibration import Likelihood
from reunite.gallery.port import NO_TEMPLATE, Filter, Probes
from reunite.kernel.ids import CaseId, PhotoId
from reunite.kernel.people import Side
from reunite.ports import Look, LookPurpose, Transaction

# Room for hits that turn out to be closed, or other photos of the same people.
SEARCH_DEPTH = 500
# Left out by the search: among a million of nobody's faces a mate would fall out of its depth.
SYNTHETIC_SUBJECT = 0  # what ``make_facts`` says of a template without a case


@dataclass(frozen=True, slots=True)
class _Alike:
    """A record with photos that look like those searched with, and what they say."""

    case: Case
    faces: Faces
    likelihood: Likelihood | None


def match_record(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Leads for one photo of one record, and pairs with records of its own side.

    Nothing but the review queue hears of them: a face score never changes a case.
    """
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))))
    photo_id = PhotoId(int(str(payload["photo_id"])))
    template = transaction.templates.find_of_photo(photo_id, services.gallery.space)
    if template is None or not case.is_open:
        return
    estimate_age(services, transaction, case, transaction.photos.get(photo_id))
    ruled_out = frozenset(
        int(partner) for partner in transaction.leads.list_rejected_partners(case.id)
    )
    searched = (photo_id, template[1])
    for one in _alike(services, transaction, case, searched, other_side(case.side), ruled_out):
        weight = weigh_pair(transaction, case, one.case, one.faces, one.likelihood)
        transaction.leads.add_new(lead_of(services, case, one.case, weight, one.faces))
    for one in _alike(services, transaction, case, searched, case.side, frozenset()):
        weight = weigh_duplicate(services, transaction, case, one.case)
        if is_likely(services, transaction, case.side, weight):
            suggest_pair(services, transaction, case, one.case, weight)
    now = services.clock.now()
    transaction.looks.add([Look(None, case.id, LookPurpose.SEARCH, now)])


def _alike(
    services: Services,
    transaction: Transaction,
    case: Case,
    searched: tuple[PhotoId, npt.NDArray[np.float32]],
    side: Side,
    excluded: frozenset[int],
) -> Iterator[_Alike]:
    """Open records of a side with a photo like this one, the most similar first."""
    hits = services.gallery.search(
        Probes(services.gallery.space, searched[1][None, :]),
        SEARCH_DEPTH,
        Filter(
            sides=frozenset({side}),
            excluded_subject_ids=excluded | {int(case.id), SYNTHETIC_SUBJECT},
        ),
    )
    least = least_similarity(services)
    alike = [
        (int(found_id), float(similarity))
        for found_id, similarity in zip(hits.template_ids[0], hits.similarity[0], strict=True)
        if found_id != NO_TEMPLATE and similarity >= least
    ]
    owners = transaction.templates.photos_of([template_id for template_id, _ in alike])
    cases = transaction.cases.get_many([case_id for case_id, _ in owners.values()])
    partners: set[CaseId] = set()
    for template_id, similarity in alike:
        if template_id not in owners or len(partners) >= services.settings.leads_per_record:
            continue
        partner_id, partner_photo_id = owners[template_id]
        partner = cases.get(partner_id)
        if partner is None or not partner.is_open or partner_id in partners:
            continue
        photos = (searched[0], partner_photo_id)
        if case.side is not Side.MISSING:
            photos = photos[::-1]
        # Another two photos of theirs may be more alike than this one.
        best = compare_faces(services, transaction, case, partner)
        faces = best if best.similarity > similarity else Faces(similarity, *photos, similarity)
        likelihood = weigh_compared(services, transaction, case, partner, faces)
        if are_alike(services, transaction, case, partner, faces, likelihood):
            partners.add(partner_id)
            yield _Alike(partner, faces, likelihood)
