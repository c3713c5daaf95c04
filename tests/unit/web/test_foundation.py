import re
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from reunite.accounts.account import Role
from reunite.app.access import PUBLIC
from reunite.app.sign_in import create_account
from reunite.kernel.languages import Language
from reunite.web.main import create_web
from reunite.web.page import Page
from reunite.web.routing import Pages, require_declared
from tests.unit.web.conftest import Site

PASSWORD = "a long sentence"


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        (None, "", "/zh/"),
        (None, "en-GB,en;q=0.9", "/en/"),
        (None, "fr, zh-TW;q=0.5, en;q=0.4", "/zh/"),
        ("en", "zh", "/en/"),
        ("xx", "en;q=x", "/zh/"),
    ],
)
def test_the_first_visit_goes_to_the_readers_language(
    site: Site, cookie: str | None, accepted: str, expected: str
) -> None:
    reader = site.reader()
    if cookie:
        reader.client.cookies.set("reunite_language", cookie)
    response = reader.get("/", headers={"accept-language": accepted})
    assert (response.status_code, response.headers["location"]) == (303, expected)


def test_the_other_language_shows_the_same_page(site: Site) -> None:
    assert 'href="/zh/cases?module=1"' in site.reader().get("/en/cases?module=1").text


def test_every_answer_carries_the_security_headers(site: Site) -> None:
    for path in ("/en/", "/en/nothing", "/static/app.css"):
        headers = site.reader().get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["permissions-policy"].startswith("geolocation=(self)")


def test_no_page_has_script_or_style_of_its_own(site: Site) -> None:
    for path in ("/en/", "/en/sign-in", "/en/find", "/en/about", "/en/nothing"):
        html = site.reader().get(path).text
        assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", html)


def test_what_is_somebodys_own_is_never_stored(site: Site) -> None:
    own = site.reader(site.world.family).get("/en/")
    assert own.headers["cache-control"] == "no-store"
    assert site.reader().get("/en/about").headers["cache-control"] == "no-cache"


def test_a_protected_page_leads_through_the_sign_in_and_back(site: Site) -> None:
    response = site.reader().get("/en/my/cases?before=3")
    target = urlsplit(response.headers["location"])
    assert (response.status_code, target.path) == (303, "/en/sign-in")
    assert parse_qs(target.query)["next"] == ["/en/my/cases?before=3"]


def test_sign_in_and_out(site: Site) -> None:
    create_account(
        site.world.services, "lin@example.org", PASSWORD, "Lin", Role.FAMILY, Language.EN
    )
    reader = site.reader()
    reader.get("/en/sign-in")
    answer = reader.post(
        "/en/sign-in", {"email": "Lin@example.org", "password": PASSWORD, "next": "/en/my/cases"}
    )
    assert answer.headers["location"] == "/en/my/cases"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert reader.get("/en/my/cases").status_code == 200
    assert reader.post("/en/sign-out").status_code == 303
    reader.client.cookies.set("reunite_session", "gone")
    assert reader.get("/en/my/cases").status_code == 303


def test_over_https_cookies_belong_to_this_host_alone(site: Site) -> None:
    answer = site.reader(base_url="https://reunite.example").get("/en/sign-in")
    assert "__Host-reunite_visitor=" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "astray", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "x"]
)
def test_a_sign_in_never_leads_to_another_site(site: Site, astray: str) -> None:
    create_account(
        site.world.services, "lin@example.org", PASSWORD, "Lin", Role.FAMILY, Language.EN
    )
    answer = site.reader().post(
        "/en/sign-in", {"email": "lin@example.org", "password": PASSWORD, "next": astray}
    )
    assert answer.headers["location"] == "/en/"


def test_a_wrong_password_keeps_the_address_and_says_nothing_more(site: Site) -> None:
    answer = site.reader().post("/en/sign-in", {"email": "a@example.org", "password": "no"})
    assert answer.status_code == 403
    assert 'value="a@example.org"' in answer.text
    assert "The e-mail address or the password is wrong" in answer.text


def test_guessing_is_slowed_down(site: Site) -> None:
    reader = site.reader()
    for _ in range(8):
        reader.post("/en/sign-in", {"email": "a@example.org", "password": "no"})
    answer = reader.post("/en/sign-in", {"email": "A@example.org", "password": "no"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 600
    site.world.pass_time(minutes=10)
    again = reader.post("/en/sign-in", {"email": "a@example.org", "password": "no"})
    assert again.status_code == 403


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    reader = site.reader(site.world.family)
    for data in ({}, {"csrf": "0" * 64}):
        answer = reader.client.post("/en/sign-out", data=data)
        assert answer.status_code == 403
        assert "For your safety" in answer.text


def test_a_token_belongs_to_one_session(site: Site) -> None:
    other = site.reader(site.world.volunteer)
    other.get("/en/")
    reader = site.reader(site.world.family)
    answer = reader.client.post("/en/sign-out", data={"csrf": other.token})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_from_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    reader = site.reader(site.world.family)
    reader.get("/en/")
    assert reader.post("/en/sign-out", headers=headers).status_code == 403


def test_htmx_sends_the_token_in_a_header(site: Site) -> None:
    reader = site.reader(site.world.family)
    reader.get("/en/")
    answer = reader.client.post("/en/sign-out", headers={"x-csrf-token": reader.token})
    assert answer.status_code == 303


def test_too_much_is_refused_with_a_page(site: Site) -> None:
    reader = site.reader(site.world.family)
    reader.get("/en/find")
    with capture_logs() as logs:
        answer = reader.post("/en/find", files={"photo": ("x.jpg", b"\xff" * 300_000)})
    [log] = [one for one in logs if one["event"] == "body_refused"]
    assert log["received_bytes"] > log["limit_bytes"] == 200_000
    assert answer.status_code == 413
    assert "more than 0 MB" in answer.text


def test_a_broken_upload_is_refused_with_a_page(site: Site) -> None:
    reader = site.reader(site.world.family)
    answer = reader.client.post(
        "/en/find", content=b"--x", headers={"content-type": "multipart/form-data"}
    )
    assert answer.status_code == 400
    assert "did not arrive whole" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/en/nothing", "/nothing", "/fr/", "/en/cases/%00", f"/photos/{10**30}/full.jpg"],
)
def test_an_unknown_address_has_a_page(site: Site, path: str) -> None:
    answer = site.reader().get(path)
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_a_failure_of_ours_is_told_kindly_and_found_in_the_log(site: Site) -> None:
    routes = Pages()

    @routes.get("/broken", access=PUBLIC)
    def broken(page: Page) -> Response:
        raise RuntimeError("the secret of the family")

    site.app.router.routes.insert(0, routes.routes[0])
    answer = site.reader().get("/en/broken")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text


def test_a_route_that_does_not_say_who_may_call_it_stops_the_start(site: Site) -> None:
    with pytest.raises(TypeError):
        require_declared([Route("/open", lambda _: Response())])


def test_registering(site: Site) -> None:
    reader = site.reader()
    reader.get("/zh/register")
    typed = {"email": "wang@example.org", "display_name": "王芳", "role": "volunteer"}
    short = reader.post("/zh/register", {**typed, "password": "short"})
    assert short.status_code == 422
    assert "请至少使用 10 个字符" in short.text
    assert 'value="王芳"' in short.text
    done = reader.post("/zh/register", {**typed, "password": PASSWORD})
    assert done.status_code == 303
    assert reader.get("/zh/my/cases").status_code == 200
    taken = site.reader()
    answer = taken.post("/zh/register", {**typed, "password": PASSWORD})
    assert answer.status_code == 409


def test_nobody_registers_as_staff(site: Site) -> None:
    answer = site.reader().post(
        "/en/register",
        {"email": "a@example.org", "display_name": "A", "role": "admin", "password": PASSWORD},
    )
    assert answer.status_code == 403


def test_each_application_is_its_own(site: Site) -> None:
    assert isinstance(create_web(site.world.services), Starlette)


def test_a_sign_in_leads_to_addresses_in_any_script(site: Site) -> None:
    create_account(
        site.world.services, "lin@example.org", PASSWORD, "Lin", Role.FAMILY, Language.EN
    )
    answer = site.reader().post(
        "/en/sign-in",
        {"email": "lin@example.org", "password": PASSWORD, "next": "/zh/cases?q=杭州&side=1"},
    )
    assert answer.headers["location"] == "/zh/cases?q=%E6%9D%AD%E5%B7%9E&side=1"
