"""What a likeness of two photos says, by what is known of the people's ages and sex."""

from reunite.app.intake import age_at
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.faces.calibration import Likelihood
from reunite.kernel.people import Sex, YearRange


def weigh_photos(
    services: Services,
    similarity: float,
    missing: tuple[Case, CasePhoto | None],
    found: tuple[Case, CasePhoto | None],
) -> Likelihood | None:
    """Of two records' photos; None where templates of this kind were never calibrated."""
    if services.calibration is None:
        return None
    ages = [None if photo is None else age_at(case, photo) for case, photo in (missing, found)]
    sexes = {missing[0].person.sex, found[0].person.sex}
    return services.calibration.weigh(
        similarity, *ages, same_sex=len(sexes) == 1 and Sex.UNKNOWN not in sexes
    )


def weigh_probe(
    services: Services,
    similarity: float,
    born: YearRange | None,
    photo_year: int | None,
    probe_year: int | None,
) -> Likelihood | None:
    """Of a visitor's photo and a record's: the probe is weighed at the age the record implies."""
    if services.calibration is None:
        return None
    middle = None if born is None else (born.first + born.last) / 2
    ages = [
        None if middle is None or year is None else max(0.0, year - middle)
        for year in (photo_year, probe_year)
    ]
    return services.calibration.weigh(similarity, *ages)
