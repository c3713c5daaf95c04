"""A centre brings its file of donors: tried first, then whole or not at all.

A row that was brought before is brought up to date by the centre's own number.  What looks like
another centre's donor becomes a claim, never one record.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from reunite.accounts.account import Actor
from reunite.app.blood_centres import require_centre
from reunite.app.notice_alike import claim_alike
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre
from reunite.blood.claims import ClaimReason
from reunite.blood.donors import (
    Confirmation,
    ConsentPurpose,
    RegisteredDonor,
)
from reunite.blood.register import RegisterEntry, RegisterFile, read_register
from reunite.blood.spreadsheet import RowFault
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.places import Point, cell_of, nearest_town, resolution_of
from reunite.partners.stations.gazetteer import locate
from reunite.ports import Transaction

NEW, UPDATED, UNCHANGED, REFUSED = OUTCOMES = ("new", "updated", "unchanged", "refused")
_RESOLUTION = 7  # cells of about 5 km², as for donors who register themselves


@dataclass(frozen=True, slots=True)
class DonorFileOptions:
    """How a file is taken.

    ``agreed``: the centre says that these donors agreed to be asked, unless the file says
    otherwise of one.  ``skip_faulty``: go on without the rows at fault.
    """

    dry_run: bool = False
    skip_faulty: bool = False
    agreed: bool = False
    most_rows: int | None = None


@dataclass(frozen=True, slots=True)
class DonorRow:
    """What became of one row; ``claim`` where it looks like another centre's donor."""

    row: int
    reference: str
    outcome: str
    faults: tuple[RowFault, ...] = ()
    claim: ClaimReason | None = None


@dataclass(frozen=True, slots=True)
class DonorFileReport:
    """What became of a file, or would; ``written`` tells which."""

    rows: tuple[DonorRow, ...]
    written: bool

    @property
    def counts(self) -> dict[str, int]:
        """Rows by outcome."""
        return {outcome: sum(row.outcome == outcome for row in self.rows) for outcome in OUTCOMES}

    @property
    def claims(self) -> int:
        """Rows that look like other centres' donors."""
        return sum(row.claim is not None for row in self.rows)


class _TriedError(Exception):
    """Undoes the transaction of a trial."""


def import_donors(
    services: Services, actor: Actor | None, data: bytes, options: DonorFileOptions
) -> DonorFileReport:
    """Bring the register up to date with a file, in one transaction.

    With a row at fault nothing is written unless ``skip_faulty``; the report names every fault.

    Raises ForbiddenError as ``require_centre``, and InvalidInputError as ``read_register`` where
    the file as a whole cannot be used, or ``register_too_large``.
    """
    with services.database.transaction() as transaction:
        require_centre(transaction, actor)
    file = read_register(data)
    if options.most_rows is not None and file.rows > options.most_rows:
        raise InvalidInputError("register_rows_many", rows=file.rows, most=options.most_rows)
    entries, faults = _checked(services, file)
    writes = not options.dry_run and (options.skip_faulty or not faults)
    done: dict[int, DonorRow] = {}
    with _maybe_undone(services, undone=not writes) as transaction:
        _, centre = require_centre(transaction, actor)
        done = _take(services, transaction, centre, entries, options)
    by_row: dict[int, list[RowFault]] = {}
    for fault in faults:
        by_row.setdefault(fault.row, []).append(fault)
    for number, found in by_row.items():
        done[number] = DonorRow(number, "", REFUSED, tuple(found))
    return DonorFileReport(tuple(done[number] for number in sorted(done)), writes)


@contextmanager
def _maybe_undone(services: Services, *, undone: bool) -> Iterator[Transaction]:
    # A trial does all that an import does, so that it finds what an import would find.
    with suppress(_TriedError), services.database.transaction() as transaction:
        yield transaction
        if undone:
            raise _TriedError


def _checked(services: Services, file: RegisterFile) -> tuple[list[RegisterEntry], list[RowFault]]:
    """Entries whose facts may be, and all faults."""
    today = services.clock.now().date()
    entries, faults = [], list(file.faults)
    for entry in file.entries:
        try:
            if entry.town and entry.point is None and locate(entry.town).point is None:
                raise InvalidInputError("town_unknown", field="town")
            RegisteredDonor(
                services.clock.now(), declared=entry.phenotype, facts=entry.facts
            ).check(today)
        except ReuniteError as error:
            column = str(error.details.get("field", ""))
            got = entry.town if column == "town" else ""
            faults.append(RowFault(entry.row, column, got[:60], error))
        else:
            entries.append(entry)
    return entries, faults


def _take(
    services: Services,
    transaction: Transaction,
    centre: BloodCentre,
    entries: list[RegisterEntry],
    options: DonorFileOptions,
) -> dict[int, DonorRow]:
    known = transaction.donors.known(centre.id, [entry.reference for entry in entries])
    outcomes: dict[int, DonorRow] = {}
    fresh: list[tuple[RegisterEntry, RegisteredDonor]] = []
    for entry in entries:
        before = known.get(entry.reference)
        donor = _brought(services, centre, entry, before, options)
        if before is None:
            fresh.append((entry, donor))
            outcome = NEW
        elif donor != before:
            transaction.donors.save(donor)
            outcome = UPDATED
        else:
            outcome = UNCHANGED
        outcomes[entry.row] = DonorRow(entry.row, entry.reference, outcome)
    transaction.donors.add_all([donor for _, donor in fresh])
    claimed = claim_alike(transaction, [donor for _, donor in fresh], services.clock.now())
    for entry, _ in fresh:
        if entry.reference in claimed:
            why = claimed[entry.reference]
            outcomes[entry.row] = replace(outcomes[entry.row], claim=why)
    return outcomes


def _brought(
    services: Services,
    centre: BloodCentre,
    entry: RegisterEntry,
    before: RegisteredDonor | None,
    options: DonorFileOptions,
) -> RegisteredDonor:
    """The donor as the file has them; what the file does not say stays."""
    now = services.clock.now()
    donor = (
        RegisteredDonor(now, centre_id=centre.id, reference=entry.reference, rules=centre.rules)
        if before is None
        else replace(before)
    )
    if entry.confirmed:
        known = donor.confirmation
        if known is None or known.phenotype != entry.phenotype:
            donor.confirmation = Confirmation(entry.phenotype, centre.id, now)
    elif donor.account_id is None:
        donor.declared = entry.phenotype
    facts, said = donor.facts, entry.facts
    donor.facts = replace(
        facts,
        born_on=said.born_on or facts.born_on,
        sex=said.sex or facts.sex,
        weight_kg=said.weight_kg or facts.weight_kg,
    )
    for donation in said.donations:
        donor.has_given(donation)
    point = entry.point or locate(entry.town).point
    if point is not None and not _is_there(donor, point):
        donor.cell = cell_of(point, _RESOLUTION)
        town = nearest_town(point, services.settings.country)
        donor.place_label = str(town.geonames_id)
    donor.contact = entry.contact or donor.contact
    # Whoever has an account says themselves what they agree to.
    if donor.account_id is None:
        agreed = options.agreed if entry.agreed is None else entry.agreed
        if before is None or entry.agreed is not None or options.agreed:
            asked = frozenset({ConsentPurpose.ASK}) if agreed else frozenset()
            others = donor.consents - {ConsentPurpose.ASK}
            donor.consents = others | {ConsentPurpose.CENTRE} | asked
    return donor


def _is_there(donor: RegisteredDonor, point: Point) -> bool:
    """Whether the donor's place is known at least as finely already."""
    return donor.cell is not None and cell_of(point, resolution_of(donor.cell)) == donor.cell
