"""Templates to HTML, one environment a language."""

from typing import Any

from babel.support import NullTranslations
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from reunite.accounts.account import Role
from reunite.cases.case import CaseStatus
from reunite.cases.whereabouts import holder_words
from reunite.kernel.datum import Datum
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex, Side
from reunite.web.ages import age_span, seen_year, year_span
from reunite.web.assets import Assets
from reunite.web.i18n import HTML_LANGUAGES, Formats, load_translations
from reunite.web.labels import Labels
from reunite.web.settings import WebSettings


class Renderer:
    """Draws templates in one language."""

    def __init__(self, language: Language, settings: WebSettings, assets: Assets) -> None:
        self.translations: NullTranslations = load_translations(language)
        self.formats = Formats(language, settings.zone)
        labels = self.labels = Labels(self.translations)
        self._environment = Environment(
            loader=PackageLoader("reunite.web"),
            # .xml as well: nothing here is ever drawn unescaped.
            autoescape=select_autoescape(("html", "svg", "xml"), default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        self._environment.install_gettext_translations(  # type: ignore[attr-defined]
            self.translations, newstyle=True
        )
        self._environment.globals |= {
            "static": assets.url,
            "label": labels.label,
            "reason": labels.reason,
            "age_span": age_span,
            "year_span": year_span,
            "seen_year": seen_year,
            "holder_words": holder_words,
            "settings": settings,
            "datums": [(one.value, labels.label(one)) for one in Datum],
            "Language": Language,
            "Module": Module,
            "Side": Side,
            "Sex": Sex,
            "Role": Role,
            "CaseStatus": CaseStatus,
            "language": language.value,
            "html_language": HTML_LANGUAGES[language],
        }
        self._environment.filters |= {
            "day": self.formats.day,
            "moment": self.formats.moment,
            "number": self.formats.number,
            "reason_words": labels.reason,
        }

    def render(self, template: str, **context: Any) -> str:
        """The HTML of a template.  Raises what Jinja raises; undefined names are errors."""
        return self._environment.get_template(template).render(**context)
