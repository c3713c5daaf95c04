"""A whole Reunite in memory, with people who do things in it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

from reunite.accounts.account import Account, Actor, Role
from reunite.app.audience_sync import LiveAudience
from reunite.app.donor_sync import LiveDonors
from reunite.app.gallery_sync import LiveGallery
from reunite.app.open_case import CaseReport, Opened, open_case
from reunite.app.publish_case import publish_case, verify_case
from reunite.app.services import Services, Settings
from reunite.app.sign_in import actor_of
from reunite.cases.case import Case, Circumstances, Person
from reunite.cases.leads import Lead
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import TemplateSpace
from reunite.kernel.clock import FixedClock
from reunite.kernel.people import Module, Side
from reunite.kernel.places import Point
from reunite.testing.ageing import FakeAgeing
from reunite.testing.faces import FakeFaceReader, paint_person
from reunite.testing.memory import MemoryDatabase, MemoryPhotoStore
from reunite.worker.loop import Worker

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HANGZHOU = Point(30.2741, 120.1551)
MID_PACIFIC = Point(0.0, -160.0)


@dataclass
class World:
    """Services on fakes, with short words for what tests do all the time."""

    # Faces only, unless a test is about facts: the same person is reported again and again here,
    # and by one family.
    settings: Settings = field(
        default_factory=lambda: Settings(lead_bits=1000.0, reports_per_day=10_000)
    )

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOON)
        self.database = MemoryDatabase()
        self.photos = MemoryPhotoStore(self.clock.now)
        self.faces = FakeFaceReader()
        self.ageing = FakeAgeing()
        space = TemplateSpace(self.faces.model.sha256, self.faces.adapter_digest, self.faces.dim)
        self.services = Services(
            database=self.database,
            photos=self.photos,
            faces=self.faces,
            gallery=LiveGallery(self.database, ExactGallery, space),
            audience=LiveAudience(self.database),
            donors=LiveDonors(self.database, self.clock),
            live=self.database.live,
            clock=self.clock,
            settings=self.settings,
            ageing=self.ageing,
        )
        self.worker = Worker(self.services)
        self._people = 0
        self.family = self.actor(Role.FAMILY)
        self.volunteer = self.actor(Role.VOLUNTEER)
        self.reviewer = self.actor(Role.REVIEWER)
        self.second_reviewer = self.actor(Role.REVIEWER)
        self.officer = self.actor(Role.OFFICER, "湖滨救助站")
        self.admin = self.actor(Role.ADMIN)

    def forbid_ageing(self) -> None:
        """As with REUNITE_PERMISSIVE_ONLY."""
        self.services = replace(self.services, ageing=None)
        self.worker = Worker(self.services)

    def actor(self, role: Role, organisation: str = "") -> Actor:
        """A new person of this role."""
        self._people += 1
        account = Account(
            email=f"{role.value}{self._people}@example.org",
            display_name=f"{role.value} {self._people}",
            password_hash="!",
            role=role,
            created_at=self.clock.now(),
            organisation=organisation,
        )
        with self.database.transaction() as transaction:
            account.id = transaction.accounts.add(account)
        return actor_of(account)

    def pass_time(self, **spans: float) -> None:
        self.clock.advance(timedelta(**spans))

    def open(
        self,
        tag: int | None = None,
        variant: int = 0,
        *,
        by: Actor | None = None,
        **changes: Any,
    ) -> str:
        """The reference of a new case with a photo of the painted person ``tag``."""
        photo = None if tag is None else paint_person(tag, variant)
        return self.report(by or self.family, a_report(photo=photo, **changes)).reference

    def open_found(self, tag: int, variant: int = 0, **changes: Any) -> str:
        """The reference of a new record of the station."""
        return self.open(tag, variant, by=self.officer, side=Side.FOUND, person=Person(), **changes)

    def open_public(self, tag: int | None, variant: int = 0, **changes: Any) -> str:
        reference = self.open(tag, variant, **changes)
        self.publish(reference)
        return reference

    def report(self, by: Actor, report: CaseReport) -> Opened:
        return open_case(self.services, by, report)

    def verify(self, reference: str) -> None:
        verify_case(self.services, self.reviewer, reference, "police file 110-7")

    def publish(self, reference: str, radius_km: float | None = None) -> None:
        """Verify and show a case; with an alert where a radius is given."""
        self.verify(reference)
        publish_case(self.services, self.reviewer, reference, radius_km)

    def drain(self) -> None:
        self.worker.drain()

    def case(self, reference: str) -> Case:
        with self.database.transaction() as transaction:
            return transaction.cases.get_by_reference(reference)

    def leads(self, reference: str) -> list[Lead]:
        case_id = self.case(reference).id
        with self.database.transaction() as transaction:
            return transaction.leads.list_of_case(case_id)

    def files(self) -> set[str]:
        """Keys of every stored picture."""
        return set(self.photos.iter_keys_older_than(self.clock.now() + timedelta(days=1)))

    def keys(self) -> set[str]:
        """Keys of every picture that a row refers to."""
        with self.database.transaction() as transaction:
            return set(transaction.photos.iter_storage_keys())

    def count_cases(self) -> int:
        with self.database.transaction() as transaction:
            return sum(row.count for row in transaction.cases.count())

    def count_templates(self) -> int:
        with self.database.transaction() as transaction:
            return transaction.templates.count().get("photo", 0)

    def count_waiting(self) -> int:
        """Messages that wait, apart from those that ask for facts to be compared."""
        with self.database.transaction() as transaction:
            waiting = transaction.outbox.list_waiting()
        return len([message for message in waiting if message.topic != "match_facts"])

    def is_untouched(self) -> bool:
        """Whether nothing at all has been written."""
        return not (
            self.files()
            or self.keys()
            or self.count_cases()
            or self.count_templates()
            or self.count_waiting()
        )


def a_report(
    *,
    module: Module = Module.CHILD,
    side: Side = Side.MISSING,
    person: Person | None = None,
    place: Point | None = HANGZHOU,
    place_label: str = "",
    seen_at: datetime | None = NOON - timedelta(hours=3),
    consent_search: bool = True,
    consent_publish: bool = True,
    photo: bytes | None = None,
    captured_year: int | None = None,
) -> CaseReport:
    """What somebody says of a missing or found person."""
    return CaseReport(
        module=module,
        side=side,
        person=person if person is not None else Person(name="王乐乐"),
        circumstances=Circumstances(seen_at=seen_at, place=place, place_label=place_label),
        consent_search=consent_search,
        consent_publish=consent_publish,
        contact="138 0000 0000",
        photo=photo,
        captured_year=captured_year,
    )


def taken_in(photo: bytes, year: int) -> bytes:
    """The same picture with a camera's date in it."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{year}:05:06 07:08:09"
    out = BytesIO()
    Image.open(BytesIO(photo)).save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def cut_off(photo: bytes) -> bytes:
    """The first half of a file."""
    return photo[: len(photo) // 2]
