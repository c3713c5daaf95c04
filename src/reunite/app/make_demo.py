"""A small town to try Reunite with, made by the same use cases as anybody's records.

All names are invented.  ``make_demo`` does nothing where the town is there already.
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reunite.accounts.account import Actor, Role
from reunite.app.close_case import resolve_case
from reunite.app.demo_pictures import (
    as_if_by_telephone,
    as_if_older_print,
    astronaut,
    rear_admiral,
)
from reunite.app.import_photos import ImportOptions, import_photos
from reunite.app.import_sources import iter_source
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.open_case import CaseReport, open_case
from reunite.app.publish_case import publish_case, suggest_radius_km, verify_case
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.services import Services
from reunite.app.sign_in import actor_of, create_account, set_password
from reunite.cases.case import Circumstances, Outcome, Person, ResolutionCause
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.kernel.places import Point

DOMAIN = "demo.example"
TOWN = Point(30.2741, 120.1551)  # Hangzhou, whose lake everybody knows
# A leap year, so that every day of this year is one of that year.
LOST_IN = 1996
ACCOUNTS_FILE = "demo-accounts.json"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account to try, with its password."""

    email: str
    password: str
    role: str
    display_name: str


CAST = (
    ("family", Role.FAMILY, "周明 Zhou Ming", ""),
    ("family2", Role.FAMILY, "王芳 Wang Fang", ""),
    ("volunteer", Role.VOLUNTEER, "李志 Li Zhi", ""),
    ("reviewer", Role.REVIEWER, "陈静 Chen Jing", ""),
    ("reviewer2", Role.REVIEWER, "吴昊 Wu Hao", ""),
    ("station", Role.OFFICER, "湖滨救助站 Lakeside Relief Station", "湖滨救助站 Lakeside"),
    ("admin", Role.ADMIN, "管理员 Admin", ""),
)
NEIGHBOURS = ("何美", "高翔", "郑洁", "罗军", "梁雨", "宋佳", "唐勇", "许诺")


def make_demo(
    services: Services, data_directory: Path, settle: Callable[[], None] = lambda: None
) -> list[DemoAccount]:
    """The town and the accounts to try it with; the same passwords every time.

    ``settle`` lets a worker do what is due, so that people are told before a case ends.
    """
    path = data_directory / ACCOUNTS_FILE
    if path.is_file():
        return [DemoAccount(**account) for account in json.loads(path.read_text("utf-8"))]
    password = f"demo-{secrets.token_hex(4)}"
    actors = {
        name: _actor(services, f"{name}@{DOMAIN}", password, role, display, organisation)
        for name, role, display, organisation in CAST
    }
    with services.database.transaction() as transaction:
        empty = not transaction.cases.count()
    # Cut off last time between the cases and this file: the cases are there already.
    if empty:
        _neighbours(services)
        _town(services, actors, settle)
    accounts = [
        DemoAccount(f"{name}@{DOMAIN}", password, role.value, display)
        for name, role, display, _ in CAST
    ]
    text = json.dumps([_as_dict(account) for account in accounts], ensure_ascii=False, indent=1)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return accounts


def add_people(services: Services, folder: Path, data_directory: Path) -> tuple[int, int]:
    """Add a folder of one's own, ``person/photo``; how many records on each side.

    The first photo of each person becomes a published missing case, the last of several a
    record of the station, so that the review queue fills with what the faces say.
    """
    make_demo(services, data_directory)
    station, reviewer = (_find(services, name) for name in ("station", "reviewer"))
    counts = []
    for side, pick in ((Side.MISSING, 0), (Side.FOUND, -1)):
        people: dict[str, list[str]] = {}
        for item in iter_source(folder):
            people.setdefault(item.person_key, []).append(item.name)
        wanted = {
            names[pick] for names in people.values() if side is Side.MISSING or len(names) > 1
        }
        options = ImportOptions(
            module=Module.ELDER,
            side=side,
            verified_by=reviewer,
            publish=True,
            only=frozenset(wanted),
        )
        counts.append(import_photos(services, station, folder, options).progress.imported)
    return counts[0], counts[1]


def _as_dict(account: DemoAccount) -> dict[str, str]:
    return {
        "email": account.email,
        "password": account.password,
        "role": account.role,
        "display_name": account.display_name,
    }


def _actor(
    services: Services, email: str, password: str, role: Role, display: str, organisation: str
) -> Actor:
    with services.database.transaction() as transaction:
        known = transaction.accounts.find_by_email(email)
    if known is None:
        create_account(services, email, password, display, role, Language.ZH, organisation)
    else:
        set_password(services, email, password)
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(email)
    assert account is not None  # noqa: S101  (written above)
    return actor_of(account)


def _find(services: Services, name: str) -> Actor:
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(f"{name}@{DOMAIN}")
    assert account is not None  # noqa: S101  (make_demo has been here)
    return actor_of(account)


def _neighbours(services: Services) -> None:
    """Volunteers all over the town, some of them beyond the reach of a small alert."""
    for index, name in enumerate(NEIGHBOURS):
        actor = _actor(
            services,
            f"neighbour{index + 1}@{DOMAIN}",
            secrets.token_urlsafe(16),
            Role.VOLUNTEER,
            name,
            "",
        )
        place = Point(TOWN.latitude + 0.012 * (index - 3), TOWN.longitude + 0.009 * index)
        join_alerts(services, actor, JoinRequest(frozenset(Module), point=place))


def _town(services: Services, actors: dict[str, Actor], settle: Callable[[], None]) -> None:
    now = services.clock.now()
    join_alerts(services, actors["volunteer"], JoinRequest(frozenset(Module), point=TOWN))
    lost_elder = _publish(services, actors, _lost_elder(now), "family")
    _publish(services, actors, _lost_boy(now), "family2")
    _publish(services, actors, _grown_child(), "station", alert=False)
    open_case(services, actors["station"], _station_resident(now))
    open_case(services, actors["family2"], _waiting(now))
    home = _publish(services, actors, _came_home(now), "family2")
    settle()
    report_sighting(
        services,
        actors["volunteer"],
        home,
        SightingReport(now - timedelta(hours=30), TOWN, "", "在断桥附近见过他，穿灰色外套。"),
    )
    resolve_case(
        services,
        actors["reviewer"],
        home,
        Outcome.REUNITED,
        ResolutionCause.VOLUNTEER_TIP,
        "志愿者的线索经派出所核实",
    )
    report_sighting(
        services,
        actors["volunteer"],
        lost_elder,
        SightingReport(
            now - timedelta(hours=2),
            Point(TOWN.latitude + 0.01, TOWN.longitude - 0.012),
            "武林广场公交站",
            "一位老人坐在站台，说要回绍兴，我拍了照片。",
            as_if_by_telephone(rear_admiral()),
        ),
    )


def _publish(
    services: Services,
    actors: dict[str, Actor],
    report: CaseReport,
    reporter: str,
    *,
    alert: bool = True,
) -> str:
    reference = open_case(services, actors[reporter], report).reference
    verify_case(services, actors["reviewer"], reference, "已与当地派出所电话核实（演示）")
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
    publish_case(
        services,
        actors["reviewer"],
        reference,
        suggest_radius_km(services, case) if alert else None,
    )
    return reference


def _lost_elder(now: datetime) -> CaseReport:
    return CaseReport(
        module=Module.ELDER,
        side=Side.MISSING,
        person=Person(
            name="周爱珍",
            sex=Sex.FEMALE,
            birth_years=YearRange(1946, 1946),
            height_cm=162,
            marks="左手腕有一道旧疤",
            clothing="深蓝色外套，戴帽子",
            dialect="绍兴话",
            blood_group="O",
        ),
        circumstances=Circumstances(
            seen_at=now - timedelta(hours=9),
            place=TOWN,
            place_label="杭州市西湖区",
            story="患有阿尔茨海默病，清晨出门买菜后没有回家，可能往汽车站方向走。",
        ),
        consent_search=True,
        consent_publish=True,
        contact="138 0000 0000",
        photo=rear_admiral(),
        captured_year=now.year - 4,
    )


def _station_resident(now: datetime) -> CaseReport:
    return CaseReport(
        module=Module.ELDER,
        side=Side.FOUND,
        person=Person(
            sex=Sex.FEMALE,
            birth_years=YearRange(1942, 1950),
            dialect="绍兴话",
            clothing="深色外套",
        ),
        circumstances=Circumstances(
            seen_at=now - timedelta(hours=1),
            place=Point(TOWN.latitude + 0.02, TOWN.longitude - 0.02),
            place_label="湖滨救助站",
            story="由民警送来，说不清姓名和住址。",
        ),
        consent_search=True,
        consent_publish=False,
        photo=as_if_older_print(rear_admiral()),
        captured_year=now.year,
    )


def _lost_boy(now: datetime) -> CaseReport:
    return CaseReport(
        module=Module.CHILD,
        side=Side.MISSING,
        person=Person(
            name="王乐乐",
            sex=Sex.MALE,
            birth_years=YearRange(now.year - 7, now.year - 7),
            height_cm=122,
            clothing="红色校服，黄色书包",
        ),
        circumstances=Circumstances(
            seen_at=now - timedelta(hours=3),
            place=Point(TOWN.latitude - 0.008, TOWN.longitude + 0.006),
            place_label="杭州市上城区",
            story="放学后在学校门口走失，随身带着一只蓝色水壶。",
        ),
        consent_search=True,
        consent_publish=True,
        contact="139 0000 0000",
    )


def _grown_child() -> CaseReport:
    return CaseReport(
        module=Module.CHILD,
        side=Side.FOUND,
        person=Person(
            name="陈安",
            sex=Sex.FEMALE,
            birth_years=YearRange(1978, 1984),
            marks="右耳后有一颗痣",
        ),
        circumstances=Circumstances(
            place=TOWN,
            place_label="杭州市",
            story="幼时与家人失散，由养父母抚养长大，现在希望找到亲生父母。",
        ),
        consent_search=True,
        consent_publish=True,
        photo=astronaut(),
        captured_year=2019,
    )


def _waiting(now: datetime) -> CaseReport:
    """Somebody lost young and long ago: by now there are previews of how she may look."""
    return CaseReport(
        module=Module.CHILD,
        side=Side.MISSING,
        person=Person(
            name="王小妹", sex=Sex.FEMALE, birth_years=YearRange(LOST_IN - 16, LOST_IN - 16)
        ),
        circumstances=Circumstances(
            seen_at=now.replace(year=LOST_IN),
            place=TOWN,
            place_label="杭州市",
            story="一九九六年在火车站走散，当时十六岁。照片摄于走散之前不久。",
        ),
        consent_search=True,
        consent_publish=True,
        contact="139 0000 0000",
        photo=as_if_older_print(astronaut()),
        captured_year=LOST_IN,
    )


def _came_home(now: datetime) -> CaseReport:
    return CaseReport(
        module=Module.ELDER,
        side=Side.MISSING,
        person=Person(name="孙国强", sex=Sex.MALE, birth_years=YearRange(1950, 1950)),
        circumstances=Circumstances(
            seen_at=now - timedelta(days=2),
            place=TOWN,
            place_label="杭州市西湖区",
            story="散步后没有回家。",
        ),
        consent_search=True,
        consent_publish=True,
        contact="139 0000 0000",
    )
