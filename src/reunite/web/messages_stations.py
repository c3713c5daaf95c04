"""Sentences for what goes wrong with stations and their sheets, and words for their columns."""

from collections.abc import Mapping

from reunite.web.i18n import N_

STATION_MESSAGES: Mapping[str, str] = {
    "sheet_missing": N_("There is no such file: %(path)s."),
    "sheet_too_large": N_("The sheet is too large. Please split it into several files."),
    "sheet_macro": N_(
        "The workbook contains macros and was not opened. Please save it as .xlsx without macros."
    ),
    "sheet_old_format": N_(
        "This is an old .xls or a protected workbook. Please save it as .xlsx without a password."
    ),
    "sheet_unreadable": N_("The workbook is damaged and cannot be read. Please save it once more."),
    "sheet_empty": N_("There is nothing in the sheet."),
    "sheet_encoding": N_("The text of the file cannot be read. Please save it as UTF-8 or GBK."),
    "sheet_header": N_(
        "No row with column names was found. The first rows must name at least two facts, for "
        "example name, sex, found on."
    ),
    "document_unreadable": N_("The document is damaged, or neither Word (.docx) nor PDF."),
    "document_too_large": N_(
        "The document is too large, or takes too long to read. Please save it anew with fewer "
        "pages and smaller pictures."
    ),
    "document_locked": N_("The document has a password. Please save it without one."),
    "sheet_picture": N_("A picture in the sheet cannot be read."),
    "sheet_required": N_("Please choose a file."),
    "row_repeated": N_("The same number stands further up in the sheet."),
    "row_says_nothing": N_("The row says too little to go by."),
    "station_exists": N_("There is a station of this name already."),
    "station_unknown": N_("There is no station of this name: %(name)s."),
    "other_station": N_("This is another station's. Please ask an administrator."),
    "photo_ambiguous": N_("Several photos have this name."),
    "photo_missing": N_("There is no photo of this name."),
    "photo_unreadable": N_("The photo cannot be read."),
}

ROW_OUTCOMES: Mapping[str, str] = {
    "new": N_("new"),
    "updated": N_("updated"),
    "unchanged": N_("unchanged"),
    "refused": N_("refused"),
}

COLUMN_WORDS: Mapping[str, str] = {
    "number": N_("Number"),
    "name": N_("Name"),
    "other_names": N_("Other names"),
    "sex": N_("Sex"),
    "age": N_("Age"),
    "birth": N_("Date of birth"),
    "height": N_("Height"),
    "found_on": N_("Found on"),
    "found_place": N_("Found at"),
    "home": N_("Home"),
    "dialect": N_("Dialect or language"),
    "marks": N_("Marks"),
    "clothing": N_("Clothing"),
    "belongings": N_("Belongings"),
    "statement": N_("What the person says"),
    "condition": N_("Health"),
    "blood_group": N_("Blood group"),
    "photo": N_("Photo"),
    "note": N_("Note"),
}
