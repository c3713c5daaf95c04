import gzip
import hashlib
import re

import pytest

from reunite.web.assets import STATIC_DIR, Assets
from tests.unit.web.conftest import Site

FIRST_LOAD_BYTES = 60 * 1024  # compressed, photos apart


def test_the_first_load_is_light(site: Site) -> None:
    reader = site.reader()
    html = reader.get("/zh/").text
    assets = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', html))
    # Modules that app.js imports are part of it, and of every first load.
    assets |= {f"/static/{path.name}" for path in STATIC_DIR.glob("*.js")}
    names = {address.partition("?")[0] for address in assets}
    load = len(gzip.compress(html.encode())) + sum(
        len(gzip.compress(reader.client.get(name).content)) for name in names
    )
    assert len(names) > 5
    assert load <= FIRST_LOAD_BYTES, load


def test_vendored_files_are_the_ones_in_the_lock() -> None:
    lines = (STATIC_DIR.parent / "vendor.lock").read_text().splitlines()
    locked = {line.split()[1]: line.split()[0] for line in lines if not line.startswith("#")}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (STATIC_DIR / "vendor").iterdir()
    }
    assert found == locked


def test_addresses_change_with_content(site: Site) -> None:
    address = Assets().url("app.css")
    versioned = site.reader().get(address).headers["cache-control"]
    assert versioned == "public, max-age=31536000, immutable"
    assert site.reader().get("/static/app.css").headers["cache-control"] == "no-cache"
    with pytest.raises(KeyError):
        Assets().url("missing.css")
