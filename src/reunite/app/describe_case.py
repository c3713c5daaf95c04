"""A record as linkage reads it, and the keys under which it is found."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reunite.cases.background import Background
from reunite.cases.case import Case
from reunite.kernel.ids import CaseId
from reunite.partners.linkage.blocking import keys_of
from reunite.partners.linkage.description import Description, Reading, read_description
from reunite.partners.stations.gazetteer import locate
from reunite.ports import CaseKeys, Transaction

NO_BACKGROUND = Background()
NO_BACKGROUNDS: Mapping[CaseId, Background] = MappingProxyType({})
_BETWEEN = re.compile(r"[,，、;；\n]+")


def describe(case: Case, background: Background = NO_BACKGROUND) -> Reading:
    """What is known of a case, read."""
    person, circumstances = case.person, case.circumstances
    names = (person.name, *_BETWEEN.split(background.other_names))
    homes = {locate(place).region for place in _BETWEEN.split(background.home_places)}
    return read_description(
        Description(
            names=tuple(name.strip() for name in names if name.strip()),
            sex=person.sex,
            birth_years=person.birth_years,
            height_cm=person.height_cm,
            marks=person.marks,
            dialect=person.dialect,
            blood_group=person.blood_group,
            place=circumstances.place,
            region=circumstances.region,
            home_regions=frozenset(homes - {0}),
            seen_on=None if circumstances.seen_at is None else circumstances.seen_at.date(),
        )
    )


def enter_for_matching(
    transaction: Transaction,
    cases: Iterable[Case],
    backgrounds: Mapping[CaseId, Background] = NO_BACKGROUNDS,
    *,
    topic: str = "match_facts",
) -> None:
    """Have new or changed records compared with the other side, as soon as this commits.

    The keys are written in the same transaction as the records: of two that are written at the
    same time, whoever is compared last finds the other.
    """
    records = list(cases)
    transaction.linkage.put(
        [
            CaseKeys(
                case.id,
                case.side,
                keys_of(describe(case, backgrounds.get(case.id, NO_BACKGROUND)), case.side).plain,
            )
            for case in records
        ]
    )
    if records:
        transaction.outbox.add(topic, {"case_ids": [int(case.id) for case in records]})
