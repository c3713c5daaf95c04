"""How old somebody looks in a photo whose date or year of birth nobody wrote down."""

from reunite.app.intake import view_stored
from reunite.app.services import Services
from reunite.cases.age_at_photo import recorded_age
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto, EstimatedAge
from reunite.ports import Transaction


def estimate_age(
    services: Services, transaction: Transaction, case: Case, photo: CasePhoto
) -> None:
    """Write down how old the person looks, where the record does not say and it was not done.

    Nothing happens where only permissively licensed parts may be used.
    """
    recorded = recorded_age(case.person.birth_years, photo.captured_year)
    if services.ageing is None or recorded is not None or photo.estimated_age is not None:
        return
    _, views = view_stored(services, photo.storage_key)
    if photo.chosen is not None and photo.chosen < len(views):
        looks = services.ageing.estimate_age(views[photo.chosen].chip)
        photo.estimated_age = EstimatedAge(looks.years, looks.low, looks.high)
        transaction.photos.save(photo)
