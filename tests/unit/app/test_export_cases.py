"""Exports: no more than the purpose and the families' consent allow; webhooks' list."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from reunite.app.export_cases import COLUMNS, ExportPurpose, Row, iter_export
from reunite.app.webhooks import add_webhook, disable_webhook, list_webhooks
from reunite.cases.case import Person
from reunite.cli.exporting import write_csv, write_json, write_xlsx
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import WebhookId
from reunite.kernel.people import Sex, YearRange
from reunite.partners.webhooks import EventName
from tests.unit.app.world import World

WANG = Person(name="=王乐乐()", sex=Sex.FEMALE, birth_years=YearRange(2018, 2019), marks="+痣\x07")


@pytest.fixture
def world() -> World:
    return World()


def export(world: World, purpose: ExportPurpose) -> list[Row]:
    return list(iter_export(world.services, world.admin, purpose))


def test_only_what_is_public_is_exported_by_name(world: World) -> None:
    reference = world.open_public(1, person=WANG)
    world.open(2)
    world.verify(world.open(3))
    (row,) = export(world, ExportPurpose.PUBLICATION)
    assert (row["reference"], row["name"]) == (reference, "=王乐乐()")
    assert "contact" not in row
    (row,) = export(world, ExportPurpose.SEARCH)
    assert row["contact"] == "138 0000 0000"


def test_whoever_takes_contacts_away_is_logged(world: World) -> None:
    reference = world.open_public(1)
    world.drain()
    case_id = world.case(reference).id
    for purpose, more in ((ExportPurpose.PUBLICATION, 0), (ExportPurpose.SEARCH, 1)):
        with world.database.transaction() as transaction:
            before = len(transaction.looks.list_of_case(case_id))
        export(world, purpose)
        with world.database.transaction() as transaction:
            looks = transaction.looks.list_of_case(case_id)
        assert len(looks) == before + more


def test_the_command_line_is_logged_without_an_account(world: World) -> None:
    reference = world.open_public(1)
    machine = replace(world.admin, account_id=type(world.admin.account_id)(0))
    assert list(iter_export(world.services, machine, ExportPurpose.SEARCH))
    with world.database.transaction() as transaction:
        looks = transaction.looks.list_of_case(world.case(reference).id)
    assert any(look.account_id is None for look in looks)


def test_where_a_found_person_is_kept_leaves_only_for_searching(world: World) -> None:
    world.publish(world.open_found(2, place_label="湖滨救助站三楼"))
    (public,) = export(world, ExportPurpose.PUBLICATION)
    (full,) = export(world, ExportPurpose.SEARCH)
    assert "湖滨" not in str(public["place"])
    assert (full["place"], full["organisation"]) == ("湖滨救助站三楼", "湖滨救助站")


def test_statistics_count_everybody_and_name_nobody(world: World) -> None:
    world.open_public(1, person=WANG)
    world.open(2, person=Person(name="李"))
    rows = export(world, ExportPurpose.STATISTICS)
    assert len(rows) == 2
    assert sorted(str(row["birth_decade"]) for row in rows) == ["2010", "None"]
    assert all(set(row) == set(COLUMNS[ExportPurpose.STATISTICS]) for row in rows)
    assert "王" not in str(rows)


def test_more_than_a_page_is_exported(world: World) -> None:
    for _ in range(205):
        world.open(by=world.officer)
    assert len(export(world, ExportPurpose.STATISTICS)) == 205


def test_tables_are_what_spreadsheets_expect_and_hold_no_formula(
    world: World, tmp_path: Path
) -> None:
    world.open_public(1, person=WANG)
    rows, columns = export(world, ExportPurpose.PUBLICATION), COLUMNS[ExportPurpose.PUBLICATION]
    assert write_csv(tmp_path / "a.csv", columns, rows) == 1
    text = (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    (read,) = csv.DictReader(text.splitlines())
    assert (read["name"], read["sex"]) == ("'=王乐乐()", "female")
    assert write_xlsx(tmp_path / "a.xlsx", columns, rows) == 1
    sheet = load_workbook(tmp_path / "a.xlsx").worksheets[0]
    header, line = sheet.iter_rows()
    cells = {str(name.value): cell for name, cell in zip(header, line, strict=True)}
    assert (cells["name"].value, cells["name"].data_type) == ("=王乐乐()", "s")
    assert cells["marks"].value == "+痣"
    assert cells["birth_year_first"].value == 2018
    assert write_json(tmp_path / "a.json", columns, rows) == 1
    assert json.loads((tmp_path / "a.json").read_text())[0]["name"] == "=王乐乐()"


def test_webhooks_are_added_listed_and_switched_off(world: World) -> None:
    made = add_webhook(
        world.services, world.admin, "https://p.example/h", frozenset({EventName.CASE_CLOSED})
    )
    disable_webhook(world.services, world.admin, made.id)
    (stored,) = list_webhooks(world.services, world.admin)
    assert (stored.id, stored.disabled_at) == (made.id, world.clock.now())
    with pytest.raises(NotFoundError):
        disable_webhook(world.services, world.admin, WebhookId(99))
    with pytest.raises(InvalidInputError, match="peer_address_unusable"):
        add_webhook(world.services, world.admin, "p.example", frozenset(EventName))
    with pytest.raises(InvalidInputError, match="required"):
        add_webhook(world.services, world.admin, "https://p.example", frozenset())
