"""Who may do what: nobody anything, unless it is written here."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import reunite.app
from reunite.accounts.account import EVERYONE, STAFF, Actor, Role
from reunite.alerts.fanout import ChunkTask
from reunite.alerts.volunteers import PlaceKind
from reunite.app import (
    api_keys,
    choose_channels,
    close_case,
    dead_letters,
    exchange_records,
    export_cases,
    fit_adapter,
    import_photos,
    import_residents,
    join_alerts,
    keep_places,
    link_duplicates,
    list_looks,
    list_notices,
    list_origins,
    list_queues,
    match_all,
    name_accounts,
    open_case,
    publish_case,
    read_inbox,
    reembed,
    register_person,
    report_sighting,
    review_lead,
    search_face,
    sign_in,
    stations,
    stop_alert,
    take_alert,
    triage_sighting,
    try_channels,
    update_alert,
    view_case,
    view_photo,
    view_preview,
    webhooks,
    widen_alert,
)
from reunite.app.access import ADMIN_ONLY, PUBLIC, SIGNED_IN, STAFF_ONLY, Access
from reunite.app.services import Services
from reunite.cases.background import Background
from reunite.cases.case import Outcome, Person, ResolutionCause
from reunite.cases.duplicates import DuplicateStatus
from reunite.cases.leads import Verdict
from reunite.cases.sightings import SightingStatus
from reunite.faces.installed_adapters import AdapterFolder
from reunite.kernel.errors import ForbiddenError, ReuniteError
from reunite.kernel.ids import (
    AccountId,
    ApiKeyId,
    DuplicateId,
    LeadId,
    NoticeId,
    PhotoId,
    PreviewId,
    SightingId,
    StationId,
    WebhookId,
)
from reunite.kernel.people import Module, Side
from reunite.partners.keys import Scope
from reunite.ports import ChannelAddressId, ChannelName
from reunite.testing.faces import FakeFaceReader
from tests.unit.app.blood_request_rules import BLOOD_REQUEST_RULES
from tests.unit.app.donor_rules import DONOR_RULES
from tests.unit.app.world import HANGZHOU, NOON, World, a_report

Call = Callable[[Services, Actor | None], object]
ADMINS = frozenset({Role.ADMIN})
REGISTRATION = register_person.RegistrationForm(
    Person(name="王秀珍"), Background(), "138", consent_search=True, consent_publish=False
)
REFERENCE = "0000000000"  # nobody's
FULL = view_photo.Variant.FULL
SIGHTING = report_sighting.SightingReport(NOON - timedelta(hours=1), None, "", "seen")
CHUNK = ChunkTask(NoticeId(0), 0, "email")
IMPORT = import_photos.ImportOptions(Module.CHILD, Side.MISSING)

NOWHERE = Path("/nowhere/at/all")

RULES: dict[str, tuple[frozenset[Role], Call]] = {
    **BLOOD_REQUEST_RULES,
    **DONOR_RULES,
    "register_person.register_person": (
        EVERYONE,
        lambda s, a: register_person.register_person(s, a, REGISTRATION),
    ),
    "register_person.list_registrations": (EVERYONE, register_person.list_registrations),
    "register_person.get_registration": (
        EVERYONE,
        lambda s, a: register_person.get_registration(s, a, "x"),
    ),
    "register_person.delete_registration": (
        EVERYONE,
        lambda s, a: register_person.delete_registration(s, a, "x"),
    ),
    "register_person.raise_alarm": (
        EVERYONE,
        lambda s, a: register_person.raise_alarm(s, a, "x"),
    ),
    "stations.add_station": (ADMINS, lambda s, a: stations.add_station(s, a, "")),
    "stations.set_station_clerk": (
        ADMINS,
        lambda s, a: stations.set_station_clerk(s, a, AccountId(0), None),
    ),
    "stations.list_stations": (STAFF, stations.list_stations),
    "stations.find_own_station": (STAFF, stations.find_own_station),
    "import_residents.import_residents": (
        STAFF,
        lambda s, a: import_residents.import_residents(
            s, a, StationId(0), Path("/nowhere"), import_residents.ResidentOptions()
        ),
    ),
    "open_case.open_case": (EVERYONE, lambda s, a: open_case.open_case(s, a, a_report())),
    "open_case.add_photo": (EVERYONE, lambda s, a: open_case.add_photo(s, a, REFERENCE, b"")),
    "open_case.choose_face": (EVERYONE, lambda s, a: open_case.choose_face(s, a, PhotoId(0), 0)),
    "open_case.get_choosable": (EVERYONE, lambda s, a: open_case.get_choosable(s, a, PhotoId(0))),
    "publish_case.verify_case": (
        STAFF,
        lambda s, a: publish_case.verify_case(s, a, REFERENCE, "note"),
    ),
    "publish_case.publish_case": (
        STAFF,
        lambda s, a: publish_case.publish_case(s, a, REFERENCE, None),
    ),
    "publish_case.preview_alert": (
        STAFF,
        lambda s, a: publish_case.preview_alert(s, a, REFERENCE),
    ),
    "widen_alert.stop_widening": (
        STAFF,
        lambda s, a: widen_alert.stop_widening(s, a, REFERENCE),
    ),
    "widen_alert.find_plan": (STAFF, lambda s, a: widen_alert.find_plan(s, a, REFERENCE)),
    "close_case.resolve_case": (
        STAFF,
        lambda s, a: close_case.resolve_case(
            s, a, REFERENCE, Outcome.REUNITED, ResolutionCause.POLICE
        ),
    ),
    "close_case.withdraw_case": (
        EVERYONE,
        lambda s, a: close_case.withdraw_case(s, a, REFERENCE),
    ),
    "fit_adapter.fit_on_folder": (
        ADMINS,
        lambda _, a: fit_adapter.fit_on_folder(
            a, FakeFaceReader(), AdapterFolder(NOWHERE), None, NOWHERE
        ),
    ),
    "fit_adapter.fit_on_own_cases": (
        ADMINS,
        lambda s, a: fit_adapter.fit_on_own_cases(
            s, a, FakeFaceReader(), AdapterFolder(NOWHERE), None
        ),
    ),
    "fit_adapter.roll_back_adapter": (
        ADMINS,
        lambda _, a: fit_adapter.roll_back_adapter(a, AdapterFolder(NOWHERE)),
    ),
    "reembed.reembed": (ADMINS, reembed.reembed),
    "review_lead.list_leads": (STAFF, review_lead.list_leads),
    "review_lead.get_lead": (STAFF, lambda s, a: review_lead.get_lead(s, a, LeadId(0))),
    "review_lead.decide_lead": (
        STAFF,
        lambda s, a: review_lead.decide_lead(s, a, LeadId(0), Verdict.ACCEPT),
    ),
    "match_all.match_all": (ADMINS, match_all.match_all),
    "link_duplicates.list_duplicates": (STAFF, link_duplicates.list_duplicates),
    "link_duplicates.list_duplicates_of": (
        STAFF,
        lambda s, a: link_duplicates.list_duplicates_of(s, a, REFERENCE),
    ),
    "link_duplicates.get_duplicate": (
        STAFF,
        lambda s, a: link_duplicates.get_duplicate(s, a, DuplicateId(0)),
    ),
    "link_duplicates.decide_duplicate": (
        STAFF,
        lambda s, a: link_duplicates.decide_duplicate(s, a, DuplicateId(0), DuplicateStatus.LINKED),
    ),
    "report_sighting.report_sighting": (
        EVERYONE,
        lambda s, a: report_sighting.report_sighting(s, a, REFERENCE, SIGHTING),
    ),
    "triage_sighting.list_sightings": (STAFF, triage_sighting.list_sightings),
    "triage_sighting.list_sightings_of_case": (
        STAFF,
        lambda s, a: triage_sighting.list_sightings_of_case(s, a, REFERENCE),
    ),
    "triage_sighting.list_own_sightings": (EVERYONE, triage_sighting.list_own_sightings),
    "triage_sighting.answer_sighting": (
        STAFF,
        lambda s, a: triage_sighting.answer_sighting(s, a, SightingId(0), "thanks"),
    ),
    "triage_sighting.decide_sighting": (
        STAFF,
        lambda s, a: triage_sighting.decide_sighting(s, a, SightingId(0), SightingStatus.PASSED_ON),
    ),
    "join_alerts.join_alerts": (
        EVERYONE,
        lambda s, a: join_alerts.join_alerts(s, a, join_alerts.JoinRequest(frozenset())),
    ),
    "join_alerts.find_volunteer": (EVERYONE, join_alerts.find_volunteer),
    "join_alerts.leave_alerts": (EVERYONE, join_alerts.leave_alerts),
    "choose_channels.offered_channels": (EVERYONE, choose_channels.offered_channels),
    "choose_channels.list_channels": (EVERYONE, choose_channels.list_channels),
    "choose_channels.export_channels": (EVERYONE, choose_channels.export_channels),
    "choose_channels.add_channel": (
        EVERYONE,
        lambda s, a: choose_channels.add_channel(
            s, a, choose_channels.ChannelRequest(ChannelName.EMAIL)
        ),
    ),
    "choose_channels.remove_channel": (
        EVERYONE,
        lambda s, a: choose_channels.remove_channel(s, a, ChannelAddressId(0)),
    ),
    "try_channels.try_channels": (
        EVERYONE,
        lambda s, a: try_channels.try_channels(s, a, "title", "body", "https://x.example"),
    ),
    "keep_places.save_place": (
        EVERYONE,
        lambda s, a: keep_places.save_place(s, a, keep_places.PlaceRequest(PlaceKind.WORK)),
    ),
    "keep_places.forget_place": (
        EVERYONE,
        lambda s, a: keep_places.forget_place(s, a, PlaceKind.WORK),
    ),
    "keep_places.confirm_places": (EVERYONE, keep_places.confirm_places),
    "keep_places.share_position": (
        EVERYONE,
        lambda s, a: keep_places.share_position(s, a, HANGZHOU),
    ),
    "keep_places.export_volunteer": (EVERYONE, keep_places.export_volunteer),
    "read_inbox.list_inbox": (EVERYONE, read_inbox.list_inbox),
    "read_inbox.look_into_inbox": (EVERYONE, read_inbox.look_into_inbox),
    "read_inbox.count_unread": (EVERYONE, read_inbox.count_unread),
    "read_inbox.mark_read": (EVERYONE, read_inbox.mark_read),
    "search_face.start_search": (EVERYONE, lambda s, a: search_face.start_search(s, a, b"")),
    "search_face.add_search_photo": (
        EVERYONE,
        lambda s, a: search_face.add_search_photo(s, a, "token", b""),
    ),
    "search_face.drop_search_photo": (
        EVERYONE,
        lambda s, a: search_face.drop_search_photo(s, a, "token", 1),
    ),
    "search_face.set_aside": (
        EVERYONE,
        lambda s, a: search_face.set_aside(s, a, "token", "7K3M9QX2TB"),
    ),
    "search_face.choose_probe_face": (
        EVERYONE,
        lambda s, a: search_face.choose_probe_face(s, a, "token", 0),
    ),
    "search_face.list_probe_faces": (
        EVERYONE,
        lambda s, a: search_face.list_probe_faces(s, a, "token"),
    ),
    "search_face.view_search": (EVERYONE, lambda s, a: search_face.view_search(s, a, "token")),
    "sign_in.change_account": (
        ADMINS,
        lambda s, a: sign_in.change_account(s, a, AccountId(0), disabled=True),
    ),
    "sign_in.list_accounts": (ADMINS, sign_in.list_accounts),
    "view_case.list_own_cases": (EVERYONE, view_case.list_own_cases),
    "view_case.list_cases_to_review": (
        STAFF,
        view_case.list_cases_to_review,
    ),
    "view_photo.get_probe_picture": (
        EVERYONE,
        lambda s, a: view_photo.get_probe_picture(s, a, "token", FULL),
    ),
    "view_photo.get_sighting_picture": (
        STAFF,
        lambda s, a: view_photo.get_sighting_picture(s, a, SightingId(0), FULL),
    ),
    "list_queues.list_waiting_cases": (STAFF, list_queues.list_waiting_cases),
    "list_queues.list_waiting_leads": (STAFF, list_queues.list_waiting_leads),
    "list_queues.list_waiting_sightings": (STAFF, list_queues.list_waiting_sightings),
    "list_notices.list_notices": (
        STAFF,
        lambda s, a: list_notices.list_notices(s, a, REFERENCE),
    ),
    "list_notices.get_alert": (STAFF, lambda s, a: list_notices.get_alert(s, a, NoticeId(0))),
    "stop_alert.stop_alert": (STAFF, lambda s, a: stop_alert.stop_alert(s, a, NoticeId(0))),
    "update_alert.update_alert": (
        STAFF,
        lambda s, a: update_alert.update_alert(s, a, REFERENCE),
    ),
    "dead_letters.list_dead_letters": (ADMINS, dead_letters.list_dead_letters),
    "dead_letters.retry_dead_letter": (
        ADMINS,
        lambda s, a: dead_letters.retry_dead_letter(s, a, CHUNK, None),
    ),
    "dead_letters.drop_dead_letter": (
        ADMINS,
        lambda s, a: dead_letters.drop_dead_letter(s, a, CHUNK, None),
    ),
    "list_looks.list_looks": (STAFF, lambda s, a: list_looks.list_looks(s, a, REFERENCE)),
    "api_keys.add_key": (
        ADMINS,
        lambda s, a: api_keys.add_key(
            s, a, api_keys.KeyRequest("x", frozenset({Scope.SEARCH}), AccountId(0))
        ),
    ),
    "api_keys.rotate_key": (ADMINS, lambda s, a: api_keys.rotate_key(s, a, ApiKeyId(0))),
    "api_keys.revoke_key": (ADMINS, lambda s, a: api_keys.revoke_key(s, a, ApiKeyId(0))),
    "api_keys.list_keys": (ADMINS, api_keys.list_keys),
    "api_keys.list_key_uses": (ADMINS, lambda s, a: api_keys.list_key_uses(s, a, ApiKeyId(0))),
    "exchange_records.add_repository": (
        ADMINS,
        lambda s, a: exchange_records.add_repository(
            s, a, exchange_records.RepositoryRequest("a.example", "https://a.example", AccountId(0))
        ),
    ),
    "exchange_records.list_repositories": (ADMINS, exchange_records.list_repositories),
    "exchange_records.pause_repository": (
        ADMINS,
        lambda s, a: exchange_records.pause_repository(s, a, "a.example", paused=True),
    ),
    "exchange_records.remove_repository": (
        ADMINS,
        lambda s, a: exchange_records.remove_repository(s, a, "a.example"),
    ),
    "list_origins.list_origins": (STAFF, lambda s, a: list_origins.list_origins(s, a, REFERENCE)),
    "webhooks.add_webhook": (
        ADMINS,
        lambda s, a: webhooks.add_webhook(s, a, "", frozenset()),
    ),
    "webhooks.disable_webhook": (
        ADMINS,
        lambda s, a: webhooks.disable_webhook(s, a, WebhookId(0)),
    ),
    "webhooks.list_webhooks": (ADMINS, webhooks.list_webhooks),
    "export_cases.iter_export": (
        ADMINS,
        lambda s, a: list(export_cases.iter_export(s, a, export_cases.ExportPurpose.PUBLICATION)),
    ),
    "take_alert.list_received_alerts": (STAFF, take_alert.list_received_alerts),
    "name_accounts.name_accounts": (STAFF, lambda s, a: name_accounts.name_accounts(s, a, [])),
    "view_preview.approve_preview": (
        STAFF,
        lambda s, a: view_preview.approve_preview(s, a, PreviewId(0), show=True),
    ),
    "import_photos.import_photos": (
        STAFF,
        lambda s, a: import_photos.import_photos(s, a, Path("/nowhere/at/all"), IMPORT),
    ),
}
# Open to everyone, and decide by themselves what to show to whom; see their own tests.
FOR_ALL = {
    "view_case.get_case",
    "view_photo.get_case_picture",
    "view_preview.get_preview_picture",
}


def use_cases() -> Iterator[tuple[str, inspect.Signature]]:
    """Public functions of ``reunite.app`` that are asked for something by somebody."""
    for info in pkgutil.iter_modules(reunite.app.__path__):
        if info.name == "bootstrap":  # needs every adapter, and holds no use case
            continue
        module = importlib.import_module(f"reunite.app.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{info.name}.{name}", inspect.signature(function)


def test_every_use_case_that_somebody_asks_for_has_its_rule() -> None:
    asked = {
        name
        for name, signature in use_cases()
        if "actor" in signature.parameters
        and "None" in str(signature.parameters["actor"].annotation)
    }
    assert asked == RULES.keys() | FOR_ALL


@pytest.mark.parametrize("name", RULES)
def test_nobody_may_without_signing_in(world: World, name: str) -> None:
    _, call = RULES[name]
    with pytest.raises(ForbiddenError) as caught:
        call(world.services, None)
    assert caught.value.code == "sign_in_required"
    assert world.is_untouched()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", RULES)
def test_only_these_roles_may(world: World, name: str, role: Role) -> None:
    roles, call = RULES[name]
    try:
        call(world.services, world.actor(role))
        code = ""
    except ReuniteError as error:
        code = error.code
    assert (code == "role_required") is (role not in roles)
    if role not in roles:
        assert world.is_untouched()


@pytest.mark.parametrize(
    ("access", "roles"),
    [(SIGNED_IN, EVERYONE), (STAFF_ONLY, STAFF), (ADMIN_ONLY, ADMINS), (PUBLIC, EVERYONE)],
)
@pytest.mark.parametrize("role", Role)
def test_rules_of_routes(world: World, access: Access, roles: frozenset[Role], role: Role) -> None:
    if role in roles:
        access.check(world.actor(role))
        return
    with pytest.raises(ForbiddenError, match="role_required"):
        access.check(world.actor(role))


def test_only_public_routes_let_strangers_in() -> None:
    PUBLIC.check(None)
    for access in (SIGNED_IN, STAFF_ONLY, ADMIN_ONLY):
        with pytest.raises(ForbiddenError, match="sign_in_required"):
            access.check(None)
