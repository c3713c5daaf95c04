"""Register, sign in, sign out."""

from starlette.responses import RedirectResponse, Response

from reunite.accounts.account import Role
from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.sign_in import register, sign_in, sign_out
from reunite.kernel.errors import ReuniteError
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/sign-in", access=PUBLIC)
def show_sign_in(page: Page) -> Response:
    """The form; ``next`` is where to go on to."""
    return page.render("sign_in.html", next_path=local_path(page.query("next")))


@routes.post("/sign-in", access=PUBLIC)
def submit_sign_in(page: Page) -> Response:
    """Begin a session."""
    next_path = local_path(page.form.text("next"))
    email = page.form.text("email")
    try:
        token = _sign_in(page, email, page.form.secret("password"))
    except ReuniteError as error:
        return page.refuse("sign_in.html", error, next_path=next_path)
    return page.begin_session(_go_on(page, next_path), token)


@routes.get("/register", access=PUBLIC)
def show_register(page: Page) -> Response:
    """The form for a new account."""
    return page.render("register.html", next_path=local_path(page.query("next")))


@routes.post("/register", access=PUBLIC)
def submit_register(page: Page) -> Response:
    """Make an account and sign in."""
    form, next_path = page.form, local_path(page.form.text("next"))
    try:
        password = form.secret("password")
        page.web.doorkeeper.count_registration(_client(page))
        register(
            page.services,
            form.text("email"),
            password,
            form.text("display_name"),
            form.choice("role", Role, Role.FAMILY),
            page.language,
        )
        token = sign_in(page.services, form.text("email"), password)
    except ReuniteError as error:
        return page.refuse("register.html", error, next_path=next_path)
    return page.begin_session(_go_on(page, next_path), token)


@routes.post("/sign-out", access=SIGNED_IN)
def submit_sign_out(page: Page) -> Response:
    """End the session."""
    if page.session_token is not None:
        sign_out(page.services, page.session_token)
    return page.end_session(page.redirect("/"))


def local_path(path: str) -> str:
    """``path`` if it stays on this site, else nothing; a sign-in must not lead astray."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_local and path.isprintable() and "\\" not in path else ""


def _sign_in(page: Page, email: str, password: str) -> str:
    page.web.doorkeeper.count_sign_in(email, _client(page))
    token = sign_in(page.services, email, password)
    page.web.doorkeeper.welcome(email, _client(page))
    return token


def _client(page: Page) -> str:
    return page.request.client.host if page.request.client else ""


def _go_on(page: Page, next_path: str) -> Response:
    return RedirectResponse(next_path or page.url("/"), status_code=303)
