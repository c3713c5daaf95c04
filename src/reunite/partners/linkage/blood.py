"""ABO and rhesus as people write them."""

import re
import unicodedata
from functools import lru_cache


@lru_cache(maxsize=1024)
def read_blood_group(text: str) -> tuple[str, str] | None:
    """Group and, where it is given, the rhesus sign of "AB", "o+", "A型", "Rh阴性B型"."""
    plain = unicodedata.normalize("NFKC", text).upper()
    plain = plain.replace("阳性", "+").replace("阴性", "-").replace("−", "-").replace("0", "O")
    plain = re.sub(r"RH|[D型血()\s]", "", plain)
    match = re.fullmatch(r"([+-]?)(AB|A|B|O)([+-]?)", plain)
    return None if match is None else (match[2], match[1] or match[3])
