"""A centre's donors as a file that ``register.read_register`` reads back."""

import csv
import io
from collections.abc import Iterable
from typing import Final

import openpyxl

from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.blood.spelling import format_phenotype
from reunite.kernel.cells import safe_cell
from reunite.kernel.languages import Language
from reunite.kernel.people import Sex

# By the names under which ``register.COLUMNS`` knows them.
HEADER: Final = (
    "id", "type", "confirmed", "born on", "sex", "weight kg", "last donation", "last kind",
    "latitude", "longitude", "contact", "agreed",
    # For people; an import leaves these out.
    "declared type", "confirmed on", "method", "asleep", "last asked",
)  # fmt: skip
_SEXES: Final = {Sex.UNKNOWN: "", Sex.FEMALE: "female", Sex.MALE: "male"}


def register_row(donor: RegisteredDonor, language: Language) -> list[str]:
    """The cells of one donor, in the order of ``HEADER``."""
    facts, found, point = donor.facts, donor.confirmation, donor.point
    last = max(facts.donations, key=lambda donation: donation.on, default=None)
    return [
        donor.reference,
        format_phenotype(donor.phenotype, language),
        "yes" if donor.is_confirmed else "no",
        "" if facts.born_on is None else facts.born_on.isoformat(),
        _SEXES[facts.sex],
        "" if facts.weight_kg is None else f"{facts.weight_kg:g}",
        "" if last is None else last.on.isoformat(),
        "" if last is None else last.kind.value,
        "" if point is None else f"{point.latitude:.4f}",
        "" if point is None else f"{point.longitude:.4f}",
        donor.contact,
        "yes" if ConsentPurpose.ASK in donor.consents else "no",
        "" if donor.declared is None else format_phenotype(donor.declared, language),
        "" if found is None else found.at.date().isoformat(),
        "" if found is None else found.method.value,
        "yes" if donor.asleep else "no",
        "" if donor.last_asked_at is None else donor.last_asked_at.date().isoformat(),
    ]


def write_csv(rows: Iterable[list[str]], header: Iterable[str] = HEADER) -> bytes:
    """UTF-8 with a mark, as Excel expects it; no cell is run as a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(rows: Iterable[list[str]], header: Iterable[str] = HEADER) -> bytes:
    """A workbook of one sheet, every cell a text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("donors")
    sheet.append(list(header))
    for row in rows:
        sheet.append([safe_cell(cell) for cell in row])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
