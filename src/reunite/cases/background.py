"""What is known of a person beyond looks: names used at home, earlier life, health, words.

Health and habits help those who search and would harm in other hands: only staff and whoever
reported the person ever see them.
"""

from dataclasses import dataclass, fields

from reunite.cases.case import MAX_LABEL_LENGTH, MAX_TEXT_LENGTH
from reunite.kernel.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Background:
    """Everything may be empty."""

    other_names: str = ""  # separated by commas: 小名, names before a marriage
    home_places: str = ""  # where the person has lived: wanderers head for there
    condition: str = ""  # dementia, epilepsy …
    medication: str = ""  # and what happens without it
    habits: str = ""
    bracelet: str = ""  # what stands on an identity bracelet
    belongings: str = ""
    statement: str = ""  # what the person says of themselves

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, one.name) for one in fields(self))

    def check(self) -> "Background":
        """Itself.  Raises InvalidInputError ``text_too_long`` naming the field."""
        for one in fields(self):
            short = one.name in {"other_names", "home_places", "bracelet"}
            limit = MAX_LABEL_LENGTH if short else MAX_TEXT_LENGTH
            if len(getattr(self, one.name)) > limit:
                raise InvalidInputError("text_too_long", field=one.name, maximum=limit)
        return self
