"""One request as a page sees it: who asks, in which language, and how to answer."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from reunite.accounts.account import Actor
from reunite.app.read_inbox import count_unread
from reunite.app.services import Services
from reunite.app.sign_in import find_actor
from reunite.app.throttle import Doorkeeper
from reunite.cases.case import Case
from reunite.cases.whereabouts import place_words
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.languages import Language
from reunite.web import csrf
from reunite.web.assets import Assets
from reunite.web.forms import Form
from reunite.web.i18n import LANGUAGE_COOKIE, Formats, find_language, preferred_language
from reunite.web.messages import message_of
from reunite.web.rendering import Renderer
from reunite.web.settings import WebSettings
from reunite.web.shared import SharedAnswers
from reunite.web.statuses import status_of

MAX_FORM_FIELDS = 80
MAX_FORM_FILES = 4
MAX_FIELD_BYTES = 256 * 1024
VISITOR_SECONDS = 86_400
LANGUAGE_SECONDS = 31_536_000

Context = dict[str, Any]  # what a template is given


@dataclass(frozen=True, slots=True)
class Web:
    """What all pages share; on ``app.state.web``."""

    services: Services
    settings: WebSettings
    renderers: dict[Language, Renderer]
    doorkeeper: Doorkeeper
    assets: Assets
    shared: SharedAnswers = field(default_factory=SharedAnswers)


@dataclass(slots=True)
class Page:
    """A request on its way to a response."""

    request: Request
    web: Web
    language: Language
    actor: Actor | None = None
    form: Form = field(default_factory=Form)
    _session: str | None = None
    _visitor: str | None = None
    _new_visitor: bool = False

    @classmethod
    def blank(cls, request: Request) -> "Page":
        """Before anything that can fail; ``recognise`` says who asks."""
        first = request.url.path.split("/", 2)[1]
        language = find_language(first) or preferred_language(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        )
        return cls(request, request.app.state.web, language)

    def recognise(self) -> None:
        """Find out who asks."""
        self._session = self.request.cookies.get(self.cookie_name("session"))
        self._visitor = self.request.cookies.get(self.cookie_name("visitor"))
        self.actor = find_actor(self.services, self._session)

    @property
    def services(self) -> Services:
        return self.web.services

    @property
    def settings(self) -> WebSettings:
        return self.web.settings

    @property
    def formats(self) -> Formats:
        return self.web.renderers[self.language].formats

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    @property
    def request_id(self) -> str:
        return str(self.request.scope.get("reunite_request_id", ""))

    @property
    def unread(self) -> int:
        """How many notices are new to the reader; none where that cannot be told just now."""
        try:
            return 0 if self.actor is None else count_unread(self.services, self.actor)
        except ReuniteError:  # asked on pages that say what is wrong, too
            return 0

    # Addresses

    def url(self, path: str) -> str:
        """A page's address in the reader's language."""
        return f"/{self.language.value}{path}"

    @property
    def here(self) -> str:
        """This page's own address, with its query."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def here_in(self, language: Language) -> str:
        """This page in another language; the home page where it cannot be asked for again."""
        _, first, *rest = self.request.url.path.split("/", 2)
        if find_language(first) is None:
            return f"/{language.value}/"
        query = self.request.url.query
        return f"/{language.value}/{rest[0] if rest else ''}" + (f"?{query}" if query else "")

    def absolute(self, path: str) -> str:
        """An address for posters and sharing."""
        base = self.settings.public_url or str(self.request.base_url)
        return base.rstrip("/") + path

    def query(self, name: str) -> str:
        """A parameter of the address; empty where it is not there."""
        return self.request.query_params.get(name, "").replace("\x00", "").strip()

    def query_form(self) -> Form:
        """The parameters of the address as a form; for filters."""
        parameters = self.request.query_params
        return Form({name: parameters.getlist(name) for name in parameters})

    # Answers

    def place_of(self, case: Case, *, sees_all: bool = False) -> str:
        """The place of a case in words, as far as the public may know unless ``sees_all``."""
        country = self.services.settings.country
        return place_words(case, self.language, country, sees_all=sees_all)

    def render(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A page made from a template; ``form`` is the page's own unless handed in."""
        context.setdefault("form", self.form)
        html = self.web.renderers[self.language].render(template, page=self, **context)
        return HTMLResponse(html, status_code=status)

    def refuse(self, template: str, error: ReuniteError, **context: Any) -> Response:
        """The same form again, with the message beside its field and what was typed kept."""
        self.form.error, self.form.message = error, self.message(error)
        response = self.render(template, status=status_of(error), **context)
        retry = error.details.get("retry_after_seconds")
        if retry is not None:
            response.headers["Retry-After"] = str(retry)
        return response

    def redirect(self, path: str) -> Response:
        """Go on to another page of ours, after a form was accepted."""
        return RedirectResponse(self.url(path), status_code=303)

    def message(self, error: ReuniteError) -> str:
        """What happened and what to do, in the reader's language."""
        return message_of(error, self.web.renderers[self.language].translations, self.formats)

    # Sessions

    @property
    def is_secure(self) -> bool:
        return self.request.url.scheme == "https"

    def cookie_name(self, name: str) -> str:
        """``__Host-`` ties a cookie to this very host, but browsers accept it on https only."""
        return f"__Host-reunite_{name}" if self.is_secure else f"reunite_{name}"

    @property
    def session_token(self) -> str | None:
        return self._session

    @property
    def csrf_cookie(self) -> str | None:
        """The cookie that this reader's form tokens are made from."""
        return self._session if self.actor is not None else self._visitor

    @property
    def csrf_token(self) -> str:
        """For the hidden field of a form; gives the browser a cookie if it has none."""
        cookie = self.csrf_cookie
        if cookie is None:
            cookie = self._visitor = csrf.new_visitor()
            self._new_visitor = True
        return csrf.token_for(cookie)

    def begin_session(self, response: Response, token: str) -> Response:
        """Let the browser keep a session token from ``sign_in``."""
        lifetime = self.services.settings.session_ttl
        self._set_cookie(response, "session", token, int(lifetime.total_seconds()))
        return response

    def end_session(self, response: Response) -> Response:
        """Let the browser forget the session."""
        response.delete_cookie(
            self.cookie_name("session"), secure=self.is_secure, httponly=True, samesite="lax"
        )
        return response

    def finish(self, response: Response) -> Response:
        """Add cookies, and keep what is somebody's own out of every cache."""
        if self._new_visitor and self._visitor is not None:
            self._set_cookie(response, "visitor", self._visitor, VISITOR_SECONDS)
        first = self.request.url.path.split("/", 2)[1]
        if find_language(first) and self.request.cookies.get(LANGUAGE_COOKIE) != first:
            response.set_cookie(
                LANGUAGE_COOKIE, first, max_age=LANGUAGE_SECONDS, samesite="lax", httponly=True
            )
        if "cache-control" not in response.headers:
            private = self.actor is not None or self._new_visitor
            response.headers["Cache-Control"] = "no-store" if private else "no-cache"
        return response

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            self.cookie_name(name),
            value,
            max_age=seconds,
            httponly=True,
            secure=self.is_secure,
            samesite="lax",
        )


async def read_form(request: Request) -> Form:
    """What was sent.  Raises InvalidInputError ``form_unreadable``."""
    if not request.headers.get("content-type", "").startswith(
        ("multipart/form-data", "application/x-www-form-urlencoded")
    ):
        await request.body()  # under the size limit; read so that the answer can be sent
        return Form()
    values: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    try:
        async with request.form(
            max_files=MAX_FORM_FILES, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FIELD_BYTES
        ) as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    values.setdefault(name, []).append(value)
                elif value.filename:
                    files[name] = await value.read()
    # Within an application Starlette turns its MultiPartException into an HTTPException.
    except (MultiPartException, HTTPException) as error:
        raise InvalidInputError("form_unreadable") from error
    return Form(values, files)


def new_request_id() -> str:
    """A short name for one request, for the log and the reader's report."""
    return secrets.token_hex(6)
