from reunite.cases.case import Case, Circumstances
from reunite.cases.whereabouts import holder_words, place_words
from reunite.kernel.languages import Language
from reunite.kernel.people import Side
from reunite.kernel.places import Point
from tests.unit.cases.builders import a_case

HANGZHOU = Point(30.2741, 120.1551)


def at_shelter(side: Side, place: Point | None = HANGZHOU) -> Case:
    # At a station, whose name is the organisation too.
    return a_case(
        side=side, circumstances=Circumstances(place=place, place_label="湖滨救助站 3 号楼")
    )


def test_of_a_found_person_the_public_learns_the_town_alone() -> None:
    case = at_shelter(Side.FOUND)
    assert place_words(case, Language.EN, "CN", sees_all=False) == "Hangzhou"
    assert place_words(case, Language.ZH, "CN", sees_all=False) == "杭州"
    assert holder_words(case, sees_all=False) == ""
    # A label alone cannot be made coarser.
    assert place_words(at_shelter(Side.FOUND, None), Language.ZH, "CN", sees_all=False) == ""


def test_its_reporter_and_staff_see_where_a_found_person_is() -> None:
    case = at_shelter(Side.FOUND)
    assert place_words(case, Language.EN, "CN", sees_all=True) == "湖滨救助站 3 号楼"
    assert holder_words(case, sees_all=True) == "湖滨救助站"


def test_where_somebody_was_lost_is_told_to_everybody() -> None:
    case = at_shelter(Side.MISSING)
    assert place_words(case, Language.EN, "CN", sees_all=False) == "湖滨救助站 3 号楼"
    assert holder_words(case, sees_all=False) == "湖滨救助站"
