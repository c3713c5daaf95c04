"""How much of a place the public is told.

Where somebody was lost helps to find them.  Where somebody was found, and who looks after
them, would lead whoever they may have been taken from straight to them: of a found person the
public learns the nearest town and nothing more.
"""

from reunite.cases.case import Case
from reunite.kernel.languages import Language
from reunite.kernel.people import Side
from reunite.kernel.places import nearest_town


def place_words(case: Case, language: Language, country: str, *, sees_all: bool) -> str:
    """The place of a case for its reporter and staff (``sees_all``), or for everybody else.

    Empty where nothing may be said: a label without coordinates may be a shelter's name.
    """
    if sees_all or case.side is Side.MISSING:
        return case.circumstances.place_label
    place = case.circumstances.place
    return "" if place is None else nearest_town(place, country).name(language)


def holder_words(case: Case, *, sees_all: bool) -> str:
    """The organisation that holds the record; of a found person it is where they are."""
    return case.organisation if sees_all or case.side is Side.MISSING else ""
