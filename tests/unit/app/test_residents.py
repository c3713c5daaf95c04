"""A station's sheet: read on trial, imported, brought again, cut off, and matched at once."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage

from reunite.accounts.account import Actor
from reunite.app import describe_case
from reunite.app import import_residents as importing
from reunite.app.import_residents import ResidentOptions, ResidentReport, import_residents
from reunite.app.open_case import CaseReport, open_case
from reunite.app.read_inbox import list_inbox
from reunite.app.review_lead import decide_lead, list_leads
from reunite.app.services import Settings
from reunite.app.stations import add_station, find_own_station, list_stations, set_station_clerk
from reunite.cases.case import Case, CaseStatus, Circumstances, Person
from reunite.cases.leads import NO_PHOTO, LeadStatus, Verdict
from reunite.kernel.errors import ConflictError, ForbiddenError, InvalidInputError
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.kernel.places import Point
from reunite.partners.stations.columns import Column
from reunite.partners.stations.station import Station
from reunite.testing.faces import paint_person
from tests.unit.app.world import World, a_report

HEADS = (
    "编号",
    "姓名",
    "性别",
    "年龄",
    "救助时间",
    "发现地点",
    "口音",
    "体貌特征",
    "本人自述",
    "籍贯",
    "照片",
)
WANG = (
    "J1",
    "王秀真",
    "女",
    "约78岁",
    "2026-03-10",
    "重庆市万州区车站",
    "四川口音",
    "缺门牙",
    "找儿子",
    "四川达州",
    "",
)
LI = ("J2", "李某", "男", "60-70", "2026年3月1日", "重庆", "", "右腿跛", "", "", "")
NOBODY = ("J3", "", "女", "", "", "", "", "", "", "", "")


@pytest.fixture
def world() -> World:
    return World(Settings())


@pytest.fixture
def station(world: World) -> Station:
    made = add_station(world.services, world.admin, "万州救助站", "重庆市万州区", 60, "023-1")
    set_station_clerk(world.services, world.admin, world.officer.account_id, made.id)
    return made


def a_sheet(path: Path, *rows: Sequence[str], pictures: dict[int, bytes] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (HEADS, *rows):
        sheet.append(cells)
    for row, data in (pictures or {}).items():
        sheet.add_image(SheetImage(BytesIO(data)), f"K{row}")
    book.save(path)
    return path


def run(world: World, station: Station, path: Path, **options: object) -> ResidentReport:
    made = ResidentOptions(**options)  # type: ignore[arg-type]
    return import_residents(world.services, world.officer, station.id, path, made)


def counts(report: ResidentReport) -> list[int]:
    return [report.progress.counts[name] for name in ("new", "updated", "unchanged", "refused")]


def case_of(world: World, station: Station, number: str) -> Case:
    with world.database.transaction() as transaction:
        return transaction.cases.get(
            transaction.stations.known(station.id, [number])[number].case_id
        )


def test_a_sheet_becomes_records(world: World, station: Station, tmp_path: Path) -> None:
    report = run(world, station, a_sheet(tmp_path / "a.xlsx", WANG, LI, NOBODY))
    assert counts(report) == [2, 0, 0, 1]
    assert [one.outcome for one in report.outcomes] == ["new", "new", "refused"]
    assert report.outcomes[2].detail == "row_says_nothing"
    case = case_of(world, station, "J1")
    assert (case.side, case.module, case.status) == (Side.FOUND, Module.ELDER, CaseStatus.REPORTED)
    assert case.person.name == "王秀真"
    assert case.person.birth_years == YearRange(1944, 1951)
    assert (case.organisation, case.contact) == ("万州救助站", "023-1")
    assert case.circumstances.region == 33
    assert not case.consent_publish
    with world.database.transaction() as transaction:
        background = transaction.backgrounds.get_many([case.id])[case.id]
    assert (background.home_places, background.statement) == ("四川达州", "找儿子")
    own = find_own_station(world.services, world.officer)
    assert own is not None
    assert own.residents == 2
    assert [view.residents for view in list_stations(world.services, world.reviewer)] == [2]


def test_a_trial_writes_nothing(world: World, station: Station, tmp_path: Path) -> None:
    path = a_sheet(tmp_path / "a.xlsx", WANG, LI, pictures={2: paint_person(1)})
    report = run(world, station, path, dry_run=True)
    assert counts(report) == [2, 0, 0, 0]
    assert report.progress.photos == 1
    assert report.mapping["编号"] == "number"
    assert world.is_untouched()


def test_the_same_sheet_again_changes_nothing(
    world: World, station: Station, tmp_path: Path
) -> None:
    path = a_sheet(tmp_path / "a.xlsx", WANG, LI, pictures={2: paint_person(1)})
    run(world, station, path)
    before = case_of(world, station, "J1")
    again = run(world, station, path)
    assert counts(again) == [0, 0, 2, 0]
    assert again.progress.photos == 0
    assert case_of(world, station, "J1") == before
    assert world.count_templates() == 1


def test_what_has_changed_is_brought_up_to_date(
    world: World, station: Station, tmp_path: Path
) -> None:
    run(world, station, a_sheet(tmp_path / "a.xlsx", WANG, LI))
    changed = (*WANG[:7], "缺门牙，左手有疤", *WANG[8:])
    pictures = {2: paint_person(1)}
    report = run(world, station, a_sheet(tmp_path / "b.xlsx", changed, LI, pictures=pictures))
    assert counts(report) == [0, 1, 1, 0]
    case = case_of(world, station, "J1")
    assert case.person.marks == "缺门牙，左手有疤"
    with world.database.transaction() as transaction:
        assert len(transaction.photos.list_of_case(case.id)) == 1
    assert world.count_templates() == 1


def test_an_import_that_was_killed_goes_on(
    world: World, station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    rows = [(f"K{n}", *LI[1:]) for n in range(5)]
    path = a_sheet(tmp_path / "a.xlsx", *rows)
    real, written = describe_case.enter_for_matching, []

    def killed(*arguments: object, **names: object) -> None:
        real(*arguments, **names)  # type: ignore[arg-type]
        written.append(1)
        if len(written) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importing, "enter_for_matching", killed)
        with pytest.raises(KeyboardInterrupt):
            run(world, station, path)
    assert counts(run(world, station, path)) == [3, 0, 2, 0]
    assert counts(run(world, station, path)) == [0, 0, 5, 0]


def test_photos_by_name(world: World, station: Station, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for name, person in (("a.jpg", 1), ("x/same.jpg", 2), ("J4/same.jpg", 3), ("J5.png", 4)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(paint_person(person))
    (folder / "bad.jpg").write_bytes(b"no photo")
    rows = [
        ("J1", *WANG[1:-1], "..\\..\\a.jpg"),
        ("J2", *WANG[1:-1], "same.jpg"),
        ("J3", *WANG[1:-1], "none.jpg"),
        ("J4", *WANG[1:-1], "same.jpg"),
        ("J5", *WANG[1:-1], ""),
        ("J6", *WANG[1:-1], "bad.jpg"),
    ]
    report = run(world, station, a_sheet(tmp_path / "a.xlsx", *rows), photos=folder)
    assert counts(report) == [6, 0, 0, 0]
    assert report.progress.photos == 3
    warnings = {one.number: one.warnings for one in report.outcomes if one.warnings}
    assert set(warnings) == {"J2", "J3", "J6"}
    assert warnings["J2"] == ("same.jpg: photo_ambiguous",)
    assert warnings["J3"] == ("none.jpg: photo_missing",)
    assert re.match(r"bad.jpg: photo_", warnings["J6"][0])


def test_a_closed_record_stays_closed(world: World, station: Station, tmp_path: Path) -> None:
    run(world, station, a_sheet(tmp_path / "a.xlsx", WANG))
    case = case_of(world, station, "J1")
    with world.database.transaction() as transaction:
        case.withdraw(world.officer.account_id, world.clock.now())
        transaction.cases.save(case)
    changed = ("J1", "王秀珍", *WANG[2:])
    report = run(world, station, a_sheet(tmp_path / "b.xlsx", changed))
    assert counts(report) == [0, 0, 0, 1]
    assert report.outcomes[0].detail == "case_closed"


def test_columns_are_remembered(world: World, station: Station, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙\n王秀真,缺门牙\n", encoding="gbk")
    with pytest.raises(InvalidInputError, match="sheet_header"):
        run(world, station, path)
    columns = {"甲": Column.NAME, "乙": Column.MARKS}
    assert counts(run(world, station, path, columns=columns)) == [1, 0, 0, 0]
    assert counts(run(world, station, path)) == [0, 0, 1, 0]


def test_rows_that_are_too_long_are_refused_alone(
    world: World, station: Station, tmp_path: Path
) -> None:
    long = ("J9", "王" * 200, *WANG[2:])
    report = run(world, station, a_sheet(tmp_path / "a.xlsx", long, LI))
    assert counts(report) == [1, 0, 0, 1]
    assert report.outcomes[0].detail == "text_too_long (name)"
    with pytest.raises(InvalidInputError, match="sheet_too_large"):
        run(world, station, a_sheet(tmp_path / "b.xlsx", WANG, LI), most_rows=1)


def test_only_its_own_clerks_bring_a_stations_sheet(
    world: World, station: Station, tmp_path: Path
) -> None:
    path = a_sheet(tmp_path / "a.xlsx", WANG)
    with pytest.raises(ForbiddenError, match="other_station"):
        import_residents(world.services, world.reviewer, station.id, path, ResidentOptions())
    import_residents(world.services, world.admin, station.id, path, ResidentOptions())
    with pytest.raises(ConflictError, match="station_exists"):
        add_station(world.services, world.admin, station.name)
    with pytest.raises(InvalidInputError, match="account_not_staff"):
        set_station_clerk(world.services, world.admin, world.family.account_id, station.id)


def report_of_wang() -> CaseReport:
    return replace(
        a_report(side=Side.MISSING, module=Module.ELDER, photo=None),
        person=Person(
            name="王秀珍", sex=Sex.FEMALE, birth_years=YearRange(1948, 1948), height_cm=156,
            marks="缺门牙", dialect="四川话",
        ),
        circumstances=Circumstances(
            seen_at=datetime(2026, 3, 1, tzinfo=UTC), place=Point(31.21, 107.46), region=32
        ),
    )  # fmt: skip


@pytest.mark.parametrize("station_first", [True, False])
def test_a_family_in_another_province_hears_of_a_resident(
    world: World, station: Station, tmp_path: Path, station_first: bool
) -> None:
    sheet = a_sheet(tmp_path / "a.xlsx", WANG, LI)
    for bring in (station_first, not station_first):
        if bring:
            run(world, station, sheet)
        else:
            open_case(world.services, world.family, report_of_wang())
        world.worker.drain()
    [view] = list_leads(world.services, world.reviewer)
    assert view.missing.case.person.name == "王秀珍"
    assert view.found.case.person.name == "王秀真"
    assert view.lead.missing_photo_id == NO_PHOTO
    assert view.lead.bits > 12
    levels = {one.fact: one.level for one in view.lead.evidence}
    assert (levels["name"], levels["marks"], levels["time"]) == ("same_sound", "agrees", "month")
    second = _another(world)
    decide_lead(world.services, world.reviewer, view.lead.id, Verdict.ACCEPT)
    status = decide_lead(world.services, second, view.lead.id, Verdict.ACCEPT)
    assert status is LeadStatus.CONFIRMED
    world.worker.drain()
    [told] = list_inbox(world.services, world.family)
    assert (told.kind, told.case.person.name) == ("lead", "王秀珍")
    assert [one.case.person.name for one in list_inbox(world.services, world.officer)] == ["王秀真"]


def _another(world: World) -> Actor:
    return world.actor(world.reviewer.role)


def test_a_record_that_says_something_new_is_matched_anew(
    world: World, station: Station, tmp_path: Path
) -> None:
    open_case(world.services, world.family, report_of_wang())
    unlike = ("J1", "", "女", "", "2026-03-10", "", "", "跛", "", "", "")
    run(world, station, a_sheet(tmp_path / "a.xlsx", unlike))
    world.worker.drain()
    assert list_leads(world.services, world.reviewer) == []
    run(world, station, a_sheet(tmp_path / "b.xlsx", WANG))
    world.worker.drain()
    [view] = list_leads(world.services, world.reviewer)
    decide_lead(world.services, world.reviewer, view.lead.id, Verdict.REJECT, "另一人")
    changed = (*WANG[:8], "找女儿", *WANG[9:])
    run(world, station, a_sheet(tmp_path / "c.xlsx", changed))
    world.worker.drain()
    assert list_leads(world.services, world.reviewer) == []


def test_faces_and_facts_make_one_score(world: World, station: Station, tmp_path: Path) -> None:
    report = replace(report_of_wang(), photo=paint_person(7))
    open_case(world.services, world.family, report)
    path = a_sheet(tmp_path / "a.xlsx", WANG, pictures={2: paint_person(7, 1)})
    run(world, station, path)
    world.worker.drain()
    [view] = list_leads(world.services, world.reviewer)
    assert view.lead.similarity > 0.4
    assert view.missing.photo is not None
    assert view.found.photo is not None
    face = next(one for one in view.lead.evidence if one.fact == "face")
    assert face.bits > 3
    assert view.lead.bits == pytest.approx(sum(one.bits for one in view.lead.evidence), abs=0.01)
