"""What a likeness of two photos says, by what is known of the people's ages and sex."""

from dataclasses import dataclass
from typing import Final

from reunite.app.intake import age_at
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.faces.calibration import Likelihood, Support
from reunite.kernel.people import Sex

# The last age band before grown-ups' begins; below it estimates are right within three years.
LOOKS_LIKE_CHILD_BELOW_YEARS: Final = 13.0
LEVELS: Final = {
    Support.NONE: "none",
    Support.SLIGHT: "slight",
    Support.SOME: "some",
    Support.STRONG: "alike",
    Support.VERY_STRONG: "very_alike",
}


def weigh_photos(
    services: Services,
    similarity: float,
    missing: tuple[Case, CasePhoto | None],
    found: tuple[Case, CasePhoto | None],
    photos: tuple[int, int] = (1, 1),
) -> Likelihood | None:
    """Of two records' photos; None where templates of this kind were never calibrated.

    ``photos`` of either side, whose similarities ``similarity`` is the mean of.
    """
    if services.calibration is None:
        return None
    ages = [None if photo is None else likely_age(case, photo) for case, photo in (missing, found)]
    sexes = {missing[0].person.sex, found[0].person.sex}
    return services.calibration.weigh(
        similarity,
        *ages,
        same_sex=len(sexes) == 1 and Sex.UNKNOWN not in sexes,
        photos=photos,
    )


def likely_age(case: Case, photo: CasePhoto) -> float | None:
    """How old the person was in a photo by the record, else as a child looks, else None."""
    recorded = age_at(case, photo)
    if recorded is not None or photo.estimated_age is None:
        return recorded
    return looking_like_child(photo.estimated_age.years)


def looking_like_child(years: float | None) -> float | None:
    """An estimate where it is of a child; None where it says too little.

    Strangers of small children are the ones who must not be mistaken for them.  Of grown faces
    an estimate said less than no age at all, see docs/faces.md.
    """
    return years if years is not None and years < LOOKS_LIKE_CHILD_BELOW_YEARS else None


def face_evidence(likelihood: Likelihood | None) -> tuple[str, float] | None:
    """A calibrated likeness as one fact among others: its level and its bits."""
    if likelihood is None:
        return None
    return LEVELS[likelihood.support], likelihood.bits


@dataclass(frozen=True, slots=True)
class ProbeAge:
    """What is known of the photos of a search: the year of the first, and how old it looks.

    ``photos`` : how many they are
    """

    year: int | None
    looks_years: float | None = None
    photos: int = 1


def weigh_probe(
    services: Services,
    similarity: float,
    probe: ProbeAge,
    case: Case,
    photo: CasePhoto | None,
) -> Likelihood | None:
    """Of a visitor's photos and a record's: the probe is weighed at the age the record implies.

    ``similarity`` is the mean over the photos of the search.
    """
    if services.calibration is None:
        return None
    born = case.person.birth_years
    implied = (
        None
        if born is None or probe.year is None
        else max(0.0, probe.year - (born.first + born.last) / 2)
    )
    return services.calibration.weigh(
        similarity,
        None if photo is None else likely_age(case, photo),
        looking_like_child(probe.looks_years) if implied is None else implied,
        photos=(probe.photos, 1),
    )


def is_alike(services: Services, similarity: float, likelihood: Likelihood | None) -> bool:
    """Whether so few strangers are as much alike that somebody should look.

    By the similarity alone where templates of this kind were never calibrated.
    """
    if likelihood is None:
        return similarity >= services.settings.lead_similarity
    return likelihood.false_match_rate <= services.settings.lead_false_match_rate


def least_similarity(services: Services) -> float:
    """Below this nobody is alike, whatever their ages."""
    if services.calibration is None:
        return services.settings.lead_similarity
    return services.calibration.least_similarity(services.settings.lead_false_match_rate)
