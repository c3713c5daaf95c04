"""Search the other side for a new photo; what is alike becomes a lead for reviewers."""

from collections.abc import Mapping

from reunite.app.estimate_ages import estimate_age
from reunite.app.match_facts import (
    Faces,
    compare_faces,
    lead_of,
    weigh_compared,
    weigh_pair,
)
from reunite.app.services import Services
from reunite.app.weigh_faces import is_alike, least_similarity
from reunite.gallery.port import NO_TEMPLATE, Filter, Probes
from reunite.kernel.ids import CaseId, PhotoId
from reunite.kernel.people import Side
from reunite.ports import Look, LookPurpose, Transaction

# Room for hits that turn out to be closed, or other photos of the same people.
SEARCH_DEPTH = 500
# Left out by the search: among a million of nobody's faces a mate would fall out of its depth.
SYNTHETIC_SUBJECT = 0  # what ``make_facts`` says of a template without a case


def match_record(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Leads for one photo of one record.

    Nothing but the review queue hears of them: a face score never changes a case.
    """
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))))
    photo_id = PhotoId(int(str(payload["photo_id"])))
    space = services.gallery.space
    template = transaction.templates.find_of_photo(photo_id, space)
    if template is None or not case.is_open:
        return
    estimate_age(services, transaction, case, transaction.photos.get(photo_id))
    ruled_out = frozenset(
        int(partner) for partner in transaction.leads.list_rejected_partners(case.id)
    )
    other = Side.FOUND if case.side is Side.MISSING else Side.MISSING
    hits = services.gallery.search(
        Probes(space, template[1][None, :]),
        SEARCH_DEPTH,
        Filter(
            sides=frozenset({other}),
            excluded_subject_ids=ruled_out | {int(case.id), SYNTHETIC_SUBJECT},
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
    now = services.clock.now()
    partners: set[CaseId] = set()
    for template_id, similarity in alike:
        if template_id not in owners or len(partners) >= services.settings.leads_per_record:
            continue
        partner_id, partner_photo_id = owners[template_id]
        partner = cases.get(partner_id)
        if partner is None or not partner.is_open or partner_id in partners:
            continue
        photos = (photo_id, partner_photo_id)
        if case.side is not Side.MISSING:
            photos = (partner_photo_id, photo_id)
        # Another two photos of theirs may be more alike than this one.
        best = compare_faces(services, transaction, case, partner)
        faces = best if best.similarity > similarity else Faces(similarity, *photos, similarity)
        likelihood = weigh_compared(services, transaction, case, partner, faces)
        if not is_alike(services, faces.similarity, likelihood):
            continue
        partners.add(partner_id)
        weight = weigh_pair(transaction, case, partner, faces, likelihood)
        transaction.leads.add_new(lead_of(services, case, partner, weight, faces))
    transaction.looks.add([Look(None, case.id, LookPurpose.SEARCH, now)])
