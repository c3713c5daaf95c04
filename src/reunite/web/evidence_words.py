"""What speaks for a lead and against it, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from reunite.cases.leads import LeadEvidence
from reunite.partners.linkage.comparison import AGREES_BITS, CONTRADICTS_BITS
from reunite.web.i18n import N_

STRONG_BITS = 5.0

FACTS: Mapping[str, str] = {
    "name": N_("Name"),
    "sex": N_("Sex"),
    "birth_year": N_("Year of birth"),
    "height": N_("Height"),
    "place": N_("Place"),
    "time": N_("Time"),
    "home": N_("Home"),
    "dialect": N_("Dialect or language"),
    "marks": N_("Marks"),
    "blood_group": N_("Blood group"),
    "face": N_("Face"),
}

LEVELS: Mapping[tuple[str, str], str] = {
    ("name", "exact"): N_("the same name"),
    ("name", "same_sound"): N_("sounds the same, written otherwise"),
    ("name", "merged_sound"): N_("sounds the same in some dialects"),
    ("name", "one_character"): N_("one character differs: a slip, or a brother or sister"),
    ("name", "given_only"): N_("the given name fits"),
    ("name", "surname_only"): N_("only the surname fits"),
    ("name", "surname"): N_("the surname fits; the given name is not known"),
    ("name", "called"): N_("what the person is called fits the name"),
    ("name", "parts"): N_("parts of the name fit"),
    ("name", "different"): N_("different names"),
    ("name", "unknown"): N_("names that cannot be compared"),
    ("sex", "agrees"): N_("the same"),
    ("sex", "differs"): N_("different"),
    ("birth_year", "agrees"): N_("the ages fit"),
    ("birth_year", "near"): N_("the ages are some years apart"),
    ("birth_year", "differs"): N_("the ages are far apart"),
    ("height", "agrees"): N_("the heights fit"),
    ("height", "differs"): N_("the heights are apart"),
    ("place", "same_place"): N_("within two kilometres"),
    ("place", "same_town"): N_("within ten kilometres"),
    ("place", "near"): N_("within thirty kilometres"),
    ("place", "province"): N_("within a hundred kilometres, or in the same province"),
    ("place", "region"): N_("a few hundred kilometres away"),
    ("place", "far"): N_("far away"),
    ("place", "elsewhere"): N_("in another province"),
    ("time", "before"): N_("found before being lost: one of the dates is wrong, or the lead"),
    ("time", "days"): N_("found within two days"),
    ("time", "week"): N_("found within a week"),
    ("time", "month"): N_("found within a month"),
    ("time", "year"): N_("found within a year"),
    ("time", "later"): N_("found more than a year later"),
    ("home", "agrees"): N_("from the same province"),
    ("home", "differs"): N_("from different provinces"),
    ("dialect", "agrees"): N_("the same dialect"),
    ("dialect", "related"): N_("dialects of the same region"),
    ("dialect", "differs"): N_("different dialects"),
    ("dialect", "home_agrees"): N_("the dialect is spoken where the other comes from"),
    ("dialect", "home_differs"): N_("the dialect is not spoken where the other comes from"),
    ("marks", "agrees"): N_("a mark in common"),
    ("marks", "near"): N_("marks that may be the same"),
    ("marks", "differs"): N_("no mark in common"),
    ("blood_group", "agrees"): N_("the same"),
    ("blood_group", "differs"): N_("different"),
    ("blood_group", "rhesus_differs"): N_("the rhesus factor differs"),
    ("face", "none"): N_("not alike"),
    ("face", "slight"): N_("hardly alike"),
    ("face", "some"): N_("somewhat alike"),
    ("face", "alike"): N_("alike"),
    ("face", "very_alike"): N_("very alike"),
}


@dataclass(frozen=True, slots=True)
class EvidenceWords:
    """One fact for the reviewer.  ``fact`` and ``words`` are still to be translated."""

    fact: str
    words: str
    bearing: str  # "supports", "contradicts" or "neutral"
    is_strong: bool
    bits: float


def words_of_evidence(evidence: list[LeadEvidence]) -> list[EvidenceWords]:
    """Contradictions first, then what speaks most for the lead."""
    words = [
        EvidenceWords(
            FACTS[one.fact],
            LEVELS[one.fact, one.level],
            "supports"
            if one.bits >= AGREES_BITS
            else "contradicts"
            if one.bits <= CONTRADICTS_BITS
            else "neutral",
            abs(one.bits) >= STRONG_BITS,
            one.bits,
        )
        for one in evidence
        if (one.fact, one.level) in LEVELS
    ]
    return sorted(words, key=lambda one: (one.bearing != "contradicts", -one.bits))
