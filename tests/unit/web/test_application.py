"""What makes the pages installable: manifest, service worker, the page without a connection."""

import json
import re
from io import BytesIO

import pytest
from PIL import Image

from tests.unit.web.conftest import Site


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_manifest_says_what_an_installed_application_needs(site: Site, language: str) -> None:
    reader = site.reader()
    assert f'href="/{language}/manifest.webmanifest"' in reader.get(f"/{language}/").text
    answer = reader.get(f"/{language}/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    said = answer.json()
    assert said["lang"] == language
    assert said["start_url"] == f"/{language}/"
    assert said["display"] == "standalone"
    sizes = {(icon["sizes"], icon["purpose"]) for icon in said["icons"]}
    # What Chromium asks of an application that can be installed.
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
    for icon in said["icons"]:
        picture = Image.open(BytesIO(reader.get(icon["src"]).content))
        assert picture.format == "PNG"
        assert f"{picture.width}x{picture.height}" == icon["sizes"]
    for shortcut in said["shortcuts"]:
        assert shortcut["url"].startswith(f"/{language}/")


def test_the_service_worker_serves_the_whole_site(site: Site) -> None:
    reader = site.reader()
    answer = reader.get("/sw.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    said = json.loads(answer.text.split("self.REUNITE = ", 1)[1].split(";\n", 1)[0])
    for address in [*said["shell"], said["icon"], said["badge"]]:
        assert reader.get(address).status_code == 200, address
    scripts = re.findall(r'importScripts\("([^"]+)"\)', answer.text)
    assert scripts[0].startswith("/static/js/service-worker.js?v=")
    for address in scripts:
        assert reader.get(address).status_code == 200, address


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_without_a_connection_is_nobodys_own(site: Site, language: str) -> None:
    html = site.reader(site.world.family).get(f"/{language}/offline").text
    assert site.world.family.display_name not in html
    assert "110" in html
    assert html.count("data-inbox") == 0
