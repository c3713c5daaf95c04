"""One reason for or against a donor."""

from dataclasses import dataclass

from reunite.blood.rules import RULES, Grade, Source


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule applied: ``code`` names the sentence, ``antigens`` fill it in.

    The first of ``antigens`` is what the rule is about; those after it are still to be typed.
    """

    rule: str  # key of ``rules.RULES``
    code: str
    grade: Grade
    antigens: tuple[str, ...] = ()
    crossmatch: bool = False

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the rule is published."""
        return RULES[self.rule]
