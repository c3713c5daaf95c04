"""Facts out of a document: what stands behind a label in a line, or beside it in a table."""

import re
from collections.abc import Iterator, Mapping, Sequence

from reunite.partners.stations.columns import Column, column_of, head_of

LONGEST_LABEL = 14
LEAST_HEADS = 3  # of a table with a person a row; a form names a label and its value in turn
SHARE_OF_HEADS = 0.8
MAX_NOTE = 1000
# What may go on over several lines.
_LONG = frozenset(
    {
        Column.MARKS,
        Column.STATEMENT,
        Column.CONDITION,
        Column.CLOTHING,
        Column.BELONGINGS,
        Column.NOTE,
    }
)
_LABELLED = re.compile(r"(?P<label>[^\s:：]+)[ \t]*[:：][ \t]*")

_SENTENCE = re.compile("[，,。；;、！？]")  # what a label does not contain

Facts = dict[Column, str]


def label_of(text: str, remembered: Mapping[str, Column]) -> Column | None:
    """The fact that a label names, None for anything else."""
    head = head_of(text)
    if not head or len(head) > LONGEST_LABEL or _SENTENCE.search(head):
        return None
    return remembered[head] if head in remembered else column_of(head)


def is_list(rows: Sequence[Sequence[str]], remembered: Mapping[str, Column]) -> bool:
    """Whether a table has a person a row, under a header."""
    if len(rows) < 2:  # noqa: PLR2004
        return False
    heads = [cell for cell in rows[0] if cell]
    known = sum(label_of(cell, remembered) is not None for cell in heads)
    return known >= LEAST_HEADS and known >= SHARE_OF_HEADS * len(heads)


def facts_of_form(
    lines: Sequence[str],
    tables: Sequence[Sequence[Sequence[str]]],
    remembered: Mapping[str, Column],
) -> Facts:
    """What a document about one person says; of a fact that is named twice, the first.

    Text behind no label is kept as a note.
    """
    facts: Facts = {}
    for rows in tables:
        for cells in rows:
            for column, value in _of_cells(cells, remembered):
                facts.setdefault(column, value)
    loose: list[str] = []
    last: Column | None = None
    for line in lines:
        pairs = list(_of_line(line, remembered))
        if not pairs and line.strip():
            if last in _LONG:
                facts[last] = f"{facts[last]} {line.strip()}"
            else:
                loose.append(line.strip())
            continue
        for column, value in pairs:
            last = column if column not in facts else None
            facts.setdefault(column, value)
    if loose and Column.NOTE not in facts:
        facts[Column.NOTE] = "\n".join(loose)[:MAX_NOTE]
    facts.pop(Column.IGNORED, None)
    facts.pop(Column.PHOTO, None)  # the pictures are in the document
    return {column: value.strip() for column, value in facts.items() if value.strip()}


def _of_cells(
    cells: Sequence[str], remembered: Mapping[str, Column]
) -> Iterator[tuple[Column, str]]:
    place = 0
    while place < len(cells):
        column = label_of(cells[place], remembered)
        if column is None:
            for line in cells[place].splitlines():
                yield from _of_line(line, remembered)
            place += 1
            continue
        value = cells[place + 1] if place + 1 < len(cells) else ""
        # "Marks: a scar" holds the word of a label twice, and is a label and its value.
        if value and label_of(value, remembered) in (None, column):
            yield column, " ".join(value.split())
            place += 2
        else:
            place += 1  # left empty: the next label follows at once


def _of_line(line: str, remembered: Mapping[str, Column]) -> Iterator[tuple[Column, str]]:
    """``姓名：王秀珍 性别：女`` or, where a form was printed, ``姓名 王秀珍 性别 女``."""
    found = [
        (match, column)
        for match in _LABELLED.finditer(line)
        if (column := label_of(match["label"], remembered)) is not None
    ]
    if found:
        ends = [match.start() for match, _ in found[1:]] + [len(line)]
        for (match, column), end in zip(found, ends, strict=True):
            yield column, line[match.end() : end].strip()
        return
    words = line.split()
    columns = [label_of(word, remembered) for word in words]
    if len(words) >= 2 and columns[0] is not None and columns[1] is None:  # noqa: PLR2004
        in_turn = len(words) % 2 == 0 and all(
            (column is None) == bool(place % 2) for place, column in enumerate(columns)
        )
        if in_turn:
            for label, value in zip(columns[::2], words[1::2], strict=True):
                assert label is not None  # noqa: S101
                yield label, value
        else:
            yield columns[0], " ".join(words[1:])
