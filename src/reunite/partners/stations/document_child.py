"""Read documents of strangers in a process of its own, which may run out of time or memory.

``python -m reunite.partners.stations.document_child FOLDER PATH …`` writes one line of JSON a
document to its output and the pictures into the folder.  A document that takes too long, or too
much memory, ends the process; whoever started it goes on behind that one.  Nothing of Reunite but
this package is imported, and no network is used.
"""

import json
import resource
import signal
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS_A_DOCUMENT = 20
MAX_MEMORY_BYTES = 2_000_000_000
MAX_UNPACKED_BYTES = 400_000_000
MAX_RATIO = 200  # unpacked to packed, of parts above MIN_BOMB_BYTES
MIN_BOMB_BYTES = 20_000_000
MAX_PAGES = 100
MAX_PICTURES = 20
MAX_PICTURE_BYTES = 15_000_000
MAX_PICTURE_PIXELS = 50_000_000
MIN_PICTURE_SIDE_PX = 64  # smaller ones are stamps and rules
MAX_CHARACTERS = 100_000
MAX_ROWS = 10_000
OBJECT_DEPTH = 4  # of pictures within forms of a PDF


class UnreadableError(Exception):
    """A document that is refused; the code says why."""


def main(folder: Path, paths: list[Path]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    for number, path in enumerate(paths):
        signal.alarm(SECONDS_A_DOCUMENT)  # nobody catches it: it ends the process
        sys.stdout.write(json.dumps(read(path, folder, str(number))) + "\n")
        sys.stdout.flush()


def read(path: Path, folder: Path, name: str) -> dict[str, Any]:
    """Lines, tables and pictures of a document; ``code`` says why there are none."""
    try:
        with path.open("rb") as file:
            start = file.read(5)
        if start == b"%PDF-":
            return _read_pdf(path, folder, name)
        return _read_docx(path, folder, name)
    except UnreadableError as error:
        return {"code": str(error)}
    except MemoryError:
        return {"code": "document_too_large"}
    except Exception:  # noqa: BLE001  (hostile bytes break a parser in as many ways as there are)
        return {"code": "document_unreadable"}


class _Pictures:
    """Writes pictures beside one another, up to so many."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self.names: list[str] = []

    @property
    def is_full(self) -> bool:
        return len(self.names) >= MAX_PICTURES

    def add(self, data: bytes) -> str:
        if self.is_full or len(data) > MAX_PICTURE_BYTES:
            return ""
        name = f"{self._name}-{len(self.names)}"
        (self._folder / name).write_bytes(data)
        self.names.append(name)
        return name


def _read_docx(path: Path, folder: Path, name: str) -> dict[str, Any]:
    _check_parts(path)
    from docx import Document  # noqa: PLC0415  (a PDF does not need it)

    document = Document(str(path))
    pictures = _Pictures(folder, name)
    lines = [one.text for one in document.paragraphs]
    tables = []
    pictured: set[str] = set()
    for table in document.tables:
        rows = []
        for row in list(table.rows)[:MAX_ROWS]:
            # Merged cells come once a column, and are the same element each time.
            elements = [cell._tc for cell in row.cells]  # noqa: SLF001
            cells = [
                cell.text.strip()
                for place, cell in enumerate(row.cells)
                if place == 0 or elements[place] is not elements[place - 1]
            ]
            found = [
                written
                for key in _embedded(row._tr)  # noqa: SLF001
                if (written := _write_part(document, key, pictures))
            ]
            pictured.update(_embedded(row._tr))  # noqa: SLF001
            rows.append({"cells": cells, "pictures": found})
        tables.append(rows)
    loose = [
        written
        for key in _embedded(document.element.body)
        if key not in pictured and (written := _write_part(document, key, pictures))
    ]
    return {"lines": _cut(lines), "tables": tables, "pictures": loose}


def _check_parts(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableError("document_unreadable") from error
    names = {part.filename.lower() for part in parts}
    if any(one.endswith("vbaproject.bin") for one in names):
        raise UnreadableError("sheet_macro")
    if "word/document.xml" not in names:
        raise UnreadableError("document_unreadable")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or any(
        part.file_size > MIN_BOMB_BYTES and part.file_size > MAX_RATIO * max(1, part.compress_size)
        for part in parts
    ):
        raise UnreadableError("document_too_large")


def _embedded(element: Any) -> Iterator[str]:
    """Relation ids of the pictures within an element, in their order."""
    drawing = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
    office = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
    vector = "{urn:schemas-microsoft-com:vml}imagedata"
    for one in element.iter(drawing, vector):
        key = one.get(f"{office}embed") or one.get(f"{office}id")
        if key:
            yield key


def _write_part(document: Any, key: str, pictures: _Pictures) -> str:
    relation = document.part.rels.get(key)
    if relation is None or relation.is_external:
        return ""
    return pictures.add(relation.target_part.blob)


def _read_pdf(path: Path, folder: Path, name: str) -> dict[str, Any]:
    import pypdfium2  # noqa: PLC0415  (a Word document does not need it)

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        code = "document_locked" if "password" in str(error).lower() else "document_unreadable"
        raise UnreadableError(code) from error
    if len(document) > MAX_PAGES:
        raise UnreadableError("document_too_large")
    pictures = _Pictures(folder, name)
    lines: list[str] = []
    for page in document:
        lines += page.get_textpage().get_text_bounded().splitlines()
        for one in page.get_objects(
            filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], max_depth=OBJECT_DEPTH
        ):
            if pictures.is_full:
                break
            width, height = one.get_px_size()
            if min(width, height) >= MIN_PICTURE_SIDE_PX and width * height <= MAX_PICTURE_PIXELS:
                pictures.add(_picture(one))
    return {"lines": _cut(lines), "tables": [], "pictures": pictures.names}


def _picture(one: Any) -> bytes:
    """A JPEG as it stands in the file, everything else as PNG."""
    import io  # noqa: PLC0415

    if one.get_filters(skip_simple=True) == ["DCTDecode"]:
        return bytes(one.get_data(decode_simple=True))
    written = io.BytesIO()
    one.get_bitmap(render=False).to_pil().convert("RGB").save(written, "PNG", compress_level=1)
    return written.getvalue()


def _cut(lines: list[str]) -> list[str]:
    kept, length = [], 0
    for line in lines:
        length += len(line)
        if length > MAX_CHARACTERS:
            break
        kept.append(line)
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]])
