"""CAP as files: what we say of our notices, and what we make of others' messages.

Append ``cap/NAME.in.xml`` to add a message of somebody else.  ``REUNITE_WRITE_GOLDEN=1`` writes
what is expected; read it before it is committed.
"""

import os
from pathlib import Path
from pprint import pformat

import capvalidator
import pytest

from reunite.kernel.people import Module
from reunite.partners.cap.alert import MessageType
from reunite.partners.cap.notices import alert_of
from reunite.partners.cap.reading import read_alert
from reunite.partners.cap.writing import to_bytes, to_element
from tests.unit.partners.cap.messages import a_notice, the_person

FOLDER = Path(__file__).parent / "cap"
OTHERS = sorted(path.name.removesuffix(".in.xml") for path in FOLDER.glob("*.in.xml"))
FIRST = alert_of(a_notice(), Module.CHILD)
OURS = {
    "missing-child-alert": FIRST,
    "missing-elder-update": alert_of(
        a_notice(
            kind=MessageType.UPDATE,
            identifier="reunite.example-2",
            references=[FIRST.reference],
            person=the_person(module=Module.ELDER, age_years=(78, 78)),
            radius_km=60.0,
        ),
        Module.ELDER,
    ),
    "missing-child-cancel": alert_of(
        a_notice(
            kind=MessageType.CANCEL,
            identifier="reunite.example-3",
            references=[FIRST.reference],
            person=None,
        ),
        Module.CHILD,
    ),
}


def expect(path: Path, text: str) -> None:
    if os.environ.get("REUNITE_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_messages_are_as_ever_and_valid(name: str) -> None:
    data = to_bytes(to_element(OURS[name]))
    # A line for each element, for those who read the file.
    expect(FOLDER / f"{name}.out.xml", data.decode().replace("><", ">\n<") + "\n")
    assert capvalidator.check_schema(data).passed
    assert capvalidator.check_schema((FOLDER / f"{name}.out.xml").read_bytes()).passed


@pytest.mark.parametrize("name", OTHERS)
def test_messages_of_others_are_read_as_ever(name: str) -> None:
    data = (FOLDER / f"{name}.in.xml").read_bytes()
    assert capvalidator.check_schema(data).passed
    alert = read_alert(data)
    expect(FOLDER / f"{name}.txt", pformat(alert, width=100) + "\n")
    assert read_alert(to_bytes(to_element(alert))) == alert
