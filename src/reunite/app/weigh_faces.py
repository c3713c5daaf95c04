"""What a likeness of two photos says, by what is known of the people's ages and sex."""

from typing import Final

from reunite.app.intake import age_at
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.faces.calibration import Likelihood, Support
from reunite.kernel.people import Sex, YearRange

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
    """How old the person was in a photo by the record, else as they look, else None."""
    recorded = age_at(case, photo)
    if recorded is not None or photo.estimated_age is None:
        return recorded
    return photo.estimated_age.years


def face_evidence(likelihood: Likelihood | None) -> tuple[str, float] | None:
    """A calibrated likeness as one fact among others: its level and its bits."""
    if likelihood is None:
        return None
    return LEVELS[likelihood.support], likelihood.bits


def weigh_probe(
    services: Services,
    similarity: float,
    born: YearRange | None,
    photo_year: int | None,
    probe_year: int | None,
    photos: int = 1,
) -> Likelihood | None:
    """Of a visitor's photos and a record's: the probe is weighed at the age the record implies.

    ``similarity`` is the mean over so many ``photos``.
    """
    if services.calibration is None:
        return None
    middle = None if born is None else (born.first + born.last) / 2
    ages = [
        None if middle is None or year is None else max(0.0, year - middle)
        for year in (photo_year, probe_year)
    ]
    return services.calibration.weigh(similarity, *ages, photos=(photos, 1))


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
