"""One alert to invented volunteers, on everything that a real one goes through.

From the reviewer's press to the last inbox: outbox, choice of the audience, chunks, delivery.
Only the volunteers are invented; they are in memory and not in the database.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter

from reunite.accounts.account import Account, Actor, Role
from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.invention import ZONE_ID
from reunite.alerts.volunteers import DEFAULT_TIME_ZONE
from reunite.app.audience_sync import LiveAudience
from reunite.app.deliver_chunks import deliver_to_inboxes
from reunite.app.handlers import HANDLERS
from reunite.app.open_case import CaseReport, open_case
from reunite.app.publish_case import AlertWish, preview_alert, publish_case, verify_case
from reunite.app.services import Services
from reunite.app.sign_in import actor_of
from reunite.cases.case import Circumstances, Person
from reunite.kernel.people import Module, Side
from reunite.kernel.places import Point


@dataclass(frozen=True, slots=True)
class SimulatedAlert:
    """How a trial went.

    ``told`` are seconds since the press on publish, and how many had it in their inbox then.
    """

    recipients: int
    may_push: int
    preview_seconds: float
    press_seconds: float
    queued_seconds: float
    told: list[tuple[float, int]]

    def seconds_until(self, share: float) -> float:
        """When this share of the recipients had been told."""
        wanted = share * self.recipients
        return next(seconds for seconds, people in self.told if people >= wanted)


class _InventedAudience(LiveAudience):
    """Volunteers of nobody, who come and go nowhere."""

    def __init__(self, services: Services, index: AudienceIndex) -> None:
        super().__init__(services.database)
        self._invented = index
        self._time_zones = {ZONE_ID: DEFAULT_TIME_ZONE}

    def index(self) -> AudienceIndex:
        """The invented ones."""
        return self._invented


def simulate_alert(
    services: Services,
    index: AudienceIndex,
    place: Point,
    radius_km: float,
    show: Callable[[int, int], None],
) -> SimulatedAlert:
    """Publish a case and tell everybody; ``show`` is given how many were told, and of how many.

    Writes accounts, a case and a notice: give it a database of its own.  Raises ValueError
    where nobody is within the radius.
    """
    services = replace(services, audience=_InventedAudience(services, index))
    reference = _verified_case(services, place)
    reviewer = _actor(services, Role.REVIEWER)
    wish = AlertWish(radius_km, reason="trial")
    started = perf_counter()
    preview = preview_alert(services, reviewer, reference, wish=wish)
    preview_seconds = perf_counter() - started
    if preview is None or not preview.recipients:
        raise ValueError("nobody is within the radius")
    started = perf_counter()
    publish_case(services, reviewer, reference, None, wish)
    press_seconds = perf_counter() - started
    while _handle_next(services):
        pass
    queued_seconds = perf_counter() - started
    told: list[tuple[float, int]] = []
    people = 0
    while some := deliver_to_inboxes(services):
        people += some
        told.append((perf_counter() - started, people))
        show(people, preview.recipients)
    return SimulatedAlert(
        recipients=people,
        may_push=preview.may_push,
        preview_seconds=preview_seconds,
        press_seconds=press_seconds,
        queued_seconds=queued_seconds,
        told=told,
    )


def _handle_next(services: Services) -> bool:
    with services.database.transaction() as transaction:
        message = transaction.outbox.claim(services.clock.now())
        if message is None:
            return False
        HANDLERS[message.topic](services, transaction, message.payload)
        transaction.outbox.finish(message)
    return True


def _verified_case(services: Services, place: Point) -> str:
    report = CaseReport(
        module=Module.ELDER,
        side=Side.MISSING,
        person=Person(name="Trial"),
        circumstances=Circumstances(seen_at=services.clock.now() - timedelta(hours=1), place=place),
        consent_search=True,
        consent_publish=True,
        contact="-",
    )
    reference = open_case(services, _actor(services, Role.FAMILY), report).reference
    verify_case(services, _actor(services, Role.REVIEWER), reference, "trial")
    return reference


def _actor(services: Services, role: Role) -> Actor:
    account = Account(
        email=f"{secrets.token_hex(8)}@trial.invalid",
        display_name=role.value,
        password_hash="!",  # noqa: S106  (nobody can sign in with it)
        role=role,
        created_at=services.clock.now(),
    )
    with services.database.transaction() as transaction:
        account.id = transaction.accounts.add(account)
    return actor_of(account)
