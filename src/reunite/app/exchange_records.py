"""Records between repositories: partners push theirs, we pull from them, expiry is kept."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from reunite.accounts.account import STAFF, Account, Actor, Role, require_role
from reunite.app.services import Services
from reunite.app.sign_in import actor_of
from reunite.app.take_records import TakeReport, Terms, take_back, take_records
from reunite.app.use_key import actor_behind
from reunite.kernel.errors import ConflictError, InvalidInputError, NotFoundError, ReuniteError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import DEFAULT_LANGUAGE
from reunite.kernel.people import Module
from reunite.partners.exchange import Arrival, RecordFate, Repository
from reunite.partners.keys import ApiKey, Scope, require_domain
from reunite.partners.pfif.reading import PfifDocument, read_checked
from reunite.partners.pfif.records import format_time

log = structlog.get_logger(__name__)

ADMINS = frozenset({Role.ADMIN})
PUSH = "push"
PAGE_RECORDS = 200
MAX_FEED_BYTES = 20_000_000
EXPIRE_BATCH = 100
LEAST_EVERY, MOST_EVERY = timedelta(minutes=1), timedelta(days=1)
FATES_A_PAGE = 200
# Nothing new on them: a full page of only these, again and again, is a feed that loops.
OLD_NEWS = frozenset({Arrival.UNCHANGED, Arrival.OUTDATED, Arrival.OWN, Arrival.STRANGE})


def push_records(services: Services, key: ApiKey, document: bytes) -> TakeReport:
    """Take in what a partner hands over: records of its own domain and no others.

    Raises ForbiddenError ``key_scope_missing`` or ``key_unknown``; InvalidInputError where the
    document as a whole cannot be read.
    """
    key.require(Scope.WRITE_OWN)
    terms = Terms(
        actor=actor_behind(services, key),
        via=PUSH,
        may_speak_for=frozenset({key.domain}),
        publication_agreed=key.publication_agreed,
        photos_agreed=key.photos_agreed,
    )
    return take_records(services, terms, read_checked([document], services.clock.now()))


def list_fates(services: Services, key: ApiKey, after: str = "") -> list[RecordFate]:
    """What became of the partner's own records, by record id.

    Raises ForbiddenError ``key_scope_missing``.
    """
    key.require(Scope.WRITE_OWN)
    with services.database.transaction() as transaction:
        records = transaction.partners.list_of_domain(key.domain, after=after, limit=FATES_A_PAGE)
        cases = transaction.cases.get_many([r.case_id for r in records if r.case_id is not None])
    fates = []
    for record in records:
        case = None if record.case_id is None else cases.get(record.case_id)
        fates.append(
            RecordFate(
                record_id=record.record.record_id,
                state=record.state,
                received_at=record.received_at,
                case_reference="" if case is None else case.reference,
                case_status="" if case is None else case.status.value,
                outcome="" if case is None or case.outcome is None else case.outcome.value,
            )
        )
    return fates


@dataclass(frozen=True, slots=True)
class RepositoryRequest:
    """A repository that an administrator wishes to pull from."""

    domain: str
    address: str
    account_id: AccountId
    secret: str = ""
    publication_agreed: bool = False
    photos_agreed: bool = False
    module: Module = Module.CHILD
    every: timedelta = timedelta(minutes=15)


def add_repository(services: Services, actor: Actor | None, wanted: RepositoryRequest) -> None:
    """Pull from a repository from now on, or on other terms.

    Raises InvalidInputError naming the ``field``; ConflictError ``own_domain``.
    """
    require_role(actor, ADMINS)
    domain = require_domain(wanted.domain.strip().lower())
    if domain == services.settings.domain:
        raise ConflictError("own_domain", field="domain")
    if not wanted.address.startswith(("https://", "http://")):
        raise InvalidInputError("peer_address_unusable", field="address")
    if not LEAST_EVERY <= wanted.every <= MOST_EVERY:
        raise InvalidInputError("number_out_of_range", field="every_minutes", least=1, most=1440)
    with services.database.transaction() as transaction:
        account = transaction.accounts.get(wanted.account_id)
        if account.role not in STAFF:
            raise InvalidInputError("account_not_staff", field="account", email=account.email)
        known = transaction.partners.find_repository(domain)
        repository = Repository(
            domain=domain,
            address=wanted.address,
            account_id=account.id,
            created_at=services.clock.now() if known is None else known.created_at,
            secret=wanted.secret,
            publication_agreed=wanted.publication_agreed,
            photos_agreed=wanted.photos_agreed,
            module=wanted.module,
            every=wanted.every,
        )
        if known is not None and known.address == wanted.address:
            repository = replace(repository, since=known.since, skip=known.skip)
        transaction.partners.save_repository(repository)


def list_repositories(services: Services, actor: Actor | None) -> list[Repository]:
    """Whom we pull from, and how it went."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        return transaction.partners.list_repositories()


def pause_repository(services: Services, actor: Actor | None, domain: str, *, paused: bool) -> None:
    """Stop pulling for a while, or go on.  Raises NotFoundError."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        repository = transaction.partners.find_repository(domain)
        if repository is None:
            raise NotFoundError
        transaction.partners.save_repository(replace(repository, paused=paused, due_at=None))


def remove_repository(services: Services, actor: Actor | None, domain: str) -> None:
    """Pull no more; records that have come stay until they expire."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        transaction.partners.delete_repository(domain)


def pull_due(services: Services) -> TakeReport | None:
    """Read one page of one repository that is due; None where none is.

    The claim is written before the network is asked, so that no other worker asks too, and no
    row is held while a server takes its time.
    """
    now = services.clock.now()
    with services.database.transaction() as transaction:
        repository = transaction.partners.claim_due(now)
        if repository is None:
            return None
        repository.due_at = now + repository.every
        transaction.partners.save_repository(repository)
        account = transaction.accounts.get(repository.account_id)
    report: TakeReport | None = None
    try:
        actor = _answering(account)
        document = _read(services, repository, now)
        terms = Terms(
            actor=actor,
            via=repository.domain,
            may_speak_for=frozenset({repository.domain}),
            publication_agreed=repository.publication_agreed,
            photos_agreed=repository.photos_agreed,
            module=repository.module,
        )
        report = take_records(services, terms, document)
        _advance(repository, document, report, now)
    except ReuniteError as error:
        repository.error = error.code
        log.warning("pull_failed", domain=repository.domain, error=error.code)
    _save_progress(services, repository)
    return report if report is not None else TakeReport()


def _answering(account: Account) -> Actor:
    if account.disabled:
        raise ReuniteError("repository_without_account")
    return actor_of(account)


def _read(services: Services, repository: Repository, now: datetime) -> PfifDocument:
    separator = "&" if "?" in repository.address else "?"
    since = format_time(repository.since or datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
    address = (
        f"{repository.address}{separator}min_entry_date={since}"
        f"&max_results={PAGE_RECORDS}&skip={repository.skip}"
    )
    headers = {"Authorization": f"Bearer {repository.secret}"} if repository.secret else {}
    body = services.outside.get(address, headers, max_bytes=MAX_FEED_BYTES)
    return read_checked([body], now)


def _advance(
    repository: Repository, document: PfifDocument, report: TakeReport, now: datetime
) -> None:
    """Go on behind the last entry date, passing over what had that very date.

    Raises ReuniteError ``feed_loops`` for a full page that leads nowhere and holds nothing new.
    """
    repository.error, repository.pulled_at = "", now
    dates = [at for one in document.persons if (at := one.time("entry_date")) is not None]
    count = len(document.persons) + sum(
        1 for refusal in document.refused if refusal.kind.value == "person"
    )
    if not count:
        return
    latest = max(dates, default=repository.since)
    moved = latest is not None and (repository.since is None or latest > repository.since)
    news = sum(n for arrival, n in report.counts.items() if arrival not in OLD_NEWS)
    if count >= PAGE_RECORDS and not moved and not news:
        repository.skip = 0
        raise ReuniteError("feed_loops")
    if moved:
        repository.since = latest
        repository.skip = sum(1 for at in dates if at == latest)
    else:
        repository.skip += count
    if count >= PAGE_RECORDS:
        repository.due_at = now  # there is more


def _save_progress(services: Services, repository: Repository) -> None:
    with services.database.transaction() as transaction:
        stored = transaction.partners.find_repository(repository.domain)
        if stored is None or stored.address != repository.address:
            return  # removed, or another feed by now
        transaction.partners.save_repository(
            replace(
                stored,
                due_at=repository.due_at,
                since=repository.since,
                skip=repository.skip,
                pulled_at=repository.pulled_at,
                error=repository.error,
            )
        )


def expire_records(services: Services) -> int:
    """Wipe records whose expiry date has come, and what was made of them; how many."""
    now = services.clock.now()
    with services.database.transaction() as transaction:
        due = transaction.partners.list_due_to_expire(now, limit=EXPIRE_BATCH)
        for record in due:
            case = None if record.case_id is None else transaction.cases.get(record.case_id)
            # Whoever opened the case answers for its end as well.
            account_id = AccountId(0) if case is None else case.opened_by
            actor = Actor(account_id, Role.OFFICER, "", DEFAULT_LANGUAGE)
            take_back(services, transaction, actor, record, record.via)
    return len(due)
