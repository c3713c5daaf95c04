"""What of a case each reader of the API is shown."""

from reunite.api.render import card, case_detail, case_summary, public_place
from reunite.app.view_case import CaseCard, get_case
from tests.unit.app.world import World

SECRETS = ("南山路", "湖滨救助站", "30.2741", "138 0000 0000")


def test_where_a_found_person_is_stays_inside() -> None:
    world = World()
    reference = world.open_found(1, place_label="南山路 27 号")
    world.publish(reference)
    case = world.case(reference)
    for shown in (
        case_detail(get_case(world.services, None, reference), "CN"),
        case_detail(get_case(world.services, world.volunteer, reference), "CN"),
        card(CaseCard(case, None), "CN", sees_all=False),
        case_summary(case, public_place(case, "CN")),
    ):
        assert shown.place_label == "杭州"
        assert not [secret for secret in SECRETS if secret in shown.model_dump_json()]
    assert card(CaseCard(case, None), "CN", sees_all=True).place_label == "南山路 27 号"
    inside = case_detail(get_case(world.services, world.officer, reference), "CN")
    assert [secret for secret in SECRETS if secret in inside.model_dump_json()] == list(SECRETS)


def test_notes_of_reviewers_are_for_staff() -> None:
    world = World()
    reference = world.open(1)
    world.verify(reference)
    own = case_detail(get_case(world.services, world.family, reference), "CN")
    assert own.file is not None
    assert [step.note for step in own.file.transitions] == ["", ""]
    staff = case_detail(get_case(world.services, world.reviewer, reference), "CN")
    assert staff.file is not None
    assert [step.note for step in staff.file.transitions] == ["", "police file 110-7"]
