"""Words for the codes of the domain: states, causes, roles, facts, reasons."""

from collections.abc import Mapping
from enum import Enum

from babel.support import NullTranslations

from reunite.accounts.account import Role
from reunite.alerts.notices import NoticeKind
from reunite.alerts.plan import StopReason
from reunite.alerts.radius import Category, TravelMode
from reunite.alerts.volunteers import PlaceKind
from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.cases.duplicates import DuplicateSource, DuplicateStatus
from reunite.cases.facts import Agreement
from reunite.cases.kinship import Kin
from reunite.cases.leads import LeadStatus, Verdict
from reunite.cases.sightings import SightingStatus
from reunite.kernel.datum import Datum
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex, Side
from reunite.partners.keys import Scope
from reunite.ports import ChannelName, DigestOption
from reunite.web.i18n import N_
from reunite.web.labels_blood import BLOOD_LABELS

# By type first: Side.MISSING, Module.CHILD and Sex.FEMALE are one and the same dictionary key.
LABELS: Mapping[type[Enum], Mapping[Enum, str]] = {
    Kin: {
        Kin.FACTS_DIFFER: N_(
            "Alike, though a fact that does not change speaks against it: perhaps a brother, a "
            "sister or a parent."
        ),
        Kin.SAME_REPORTER: N_(
            "The found person is also like somebody else whom the same family misses: perhaps a "
            "brother or a sister. Compare both."
        ),
        Kin.SAME_SURNAME: N_(
            "The found person is also like somebody of the same surname from the same town: "
            "perhaps a relative. Compare both."
        ),
    },
    Module: {
        Module.CHILD: N_("Lost child"),
        Module.ELDER: N_("Lost elder"),
        Module.BLOOD: N_("Rare blood"),
    },
    Side: {Side.MISSING: N_("Missing"), Side.FOUND: N_("Found")},
    Sex: {Sex.UNKNOWN: N_("Not known"), Sex.FEMALE: N_("Female"), Sex.MALE: N_("Male")},
    CaseStatus: {
        CaseStatus.REPORTED: N_("Reported"),
        CaseStatus.VERIFIED: N_("Verified"),
        CaseStatus.PUBLISHED: N_("Published"),
        CaseStatus.RESOLVED: N_("Resolved"),
        CaseStatus.WITHDRAWN: N_("Withdrawn"),
    },
    Outcome: {
        Outcome.REUNITED: N_("Reunited with the family"),
        Outcome.LOCATED: N_("Located, not returned"),
        Outcome.DECEASED: N_("Deceased"),
        Outcome.HELPED: N_("Blood was given"),
        Outcome.UNMET: N_("No blood was found in time"),
        Outcome.NOT_NEEDED: N_("Blood is not needed any more"),
        Outcome.NOT_MISSING: N_("Was not missing"),
    },
    ResolutionCause: {
        ResolutionCause.VOLUNTEER_TIP: N_("A volunteer's tip"),
        ResolutionCause.FACE_LEAD: N_("A face lead, confirmed by reviewers"),
        ResolutionCause.POLICE: N_("Police work"),
        ResolutionCause.RETURNED: N_("Returned by themselves"),
        ResolutionCause.DONOR_ASKED: N_("A donor who was asked"),
        ResolutionCause.STOCK: N_("A unit in stock at a partner"),
        ResolutionCause.NO_DONOR: N_("Nobody who was asked could come"),
        ResolutionCause.UNRELATED: N_("Something unrelated to Reunite"),
        ResolutionCause.MISTAKEN_REPORT: N_("Mistaken report"),
    },
    Role: {
        Role.FAMILY: N_("Family"),
        Role.VOLUNTEER: N_("Volunteer"),
        Role.REVIEWER: N_("Reviewer"),
        Role.OFFICER: N_("Officer"),
        Role.ADMIN: N_("Administrator"),
    },
    ChannelName: {
        ChannelName.WEB_PUSH: N_("Notifications of a browser"),
        ChannelName.EMAIL: N_("E-mail"),
        ChannelName.WEBHOOK: N_("Webhook"),
        ChannelName.APPRISE: N_("Message service"),
        ChannelName.CHAT: N_("Chat bot"),
    },
    DigestOption: {
        DigestOption.AT_ONCE: N_("At once, each alert"),
        DigestOption.DAILY: N_("Once a day, everything together"),
    },
    LeadStatus: {
        LeadStatus.OPEN: N_("Waits for a first reviewer"),
        LeadStatus.SECOND_OPINION: N_("Waits for a second reviewer"),
        LeadStatus.CONFIRMED: N_("Confirmed by two reviewers"),
        LeadStatus.REJECTED: N_("Rejected"),
    },
    DuplicateStatus: {
        DuplicateStatus.SUGGESTED: N_("Waits for a reviewer"),
        DuplicateStatus.LINKED: N_("Linked"),
        DuplicateStatus.SEPARATE: N_("Two people"),
    },
    DuplicateSource: {
        DuplicateSource.COMPARISON: N_("Found by comparison"),
        DuplicateSource.PARTNER: N_("Linked by the partners"),
    },
    Verdict: {Verdict.ACCEPT: N_("Accept"), Verdict.REJECT: N_("Reject")},
    SightingStatus: {
        SightingStatus.NEW: N_("New"),
        SightingStatus.PASSED_ON: N_("Passed on"),
        SightingStatus.UNLIKELY: N_("Unlikely"),
    },
    NoticeKind: {
        NoticeKind.PUBLISHED: N_("Please keep an eye out"),
        NoticeKind.UPDATED: N_("There is news of the search"),
        NoticeKind.LEAD: N_("A record may fit"),
        NoticeKind.CARD: N_("Somebody has scanned the card"),
        NoticeKind.BLOOD_ASK: N_("Your blood is needed"),
        NoticeKind.BLOOD_THANKS: N_("Thank you for standing by"),
        NoticeKind.RESOLVED: N_("The search is over, thank you"),
        NoticeKind.CANCELLED: N_("The search was called off"),
    },
    Category: {
        Category.CHILD_TO_3: N_("Child up to 3 years"),
        Category.CHILD_TO_6: N_("Child of 4 to 6 years"),
        Category.CHILD_TO_9: N_("Child of 7 to 9 years"),
        Category.CHILD_TO_12: N_("Child of 10 to 12 years"),
        Category.YOUTH: N_("Youth of 13 years or more"),
        Category.DEMENTIA: N_("Elder, perhaps with dementia"),
        Category.AUTISM: N_("Somebody with autism"),
        Category.INTELLECTUAL_DISABILITY: N_("Somebody with an intellectual disability"),
        Category.DESPONDENT: N_("Somebody in despair"),
        Category.ABDUCTION: N_("Perhaps abducted"),
    },
    TravelMode: {
        TravelMode.FOOT: N_("on foot"),
        TravelMode.VEHICLE: N_("in a vehicle"),
    },
    Datum: {
        Datum.WGS84: N_("GPS, GeoJSON (WGS-84)"),
        Datum.GCJ02: N_("Amap or Tencent maps (GCJ-02)"),
        Datum.BD09: N_("Baidu maps (BD-09)"),
    },
    StopReason: {
        StopReason.ENDED: N_("The search is over"),
        StopReason.SATURATED: N_("Many tips wait already"),
        StopReason.REVIEWER: N_("Stopped by a reviewer"),
    },
    PlaceKind: {
        PlaceKind.HOME: N_("Home"),
        PlaceKind.WORK: N_("Work or school"),
        PlaceKind.COMMUTE: N_("On my way"),
        PlaceKind.FAMILY: N_("Family"),
        PlaceKind.HERE: N_("Where this device is"),
    },
    Agreement: {
        Agreement.AGREES: N_("agrees"),
        Agreement.CONTRADICTS: N_("contradicts"),
        Agreement.UNKNOWN: N_("not known"),
    },
    Scope: {
        Scope.READ_PUBLIC: N_("read what is public"),
        Scope.READ_FULL: N_("read contacts and exact places too"),
        Scope.WRITE_OWN: N_("write its own records"),
        Scope.SEARCH: N_("search by name"),
        Scope.STATISTICS: N_("read statistics"),
    },
    **BLOOD_LABELS,
    Language: {Language.ZH: "中文", Language.EN: "English"},
}

# Facts of ``cases.facts.compare`` and reasons of ``faces.quality``.
REASONS: Mapping[str, str] = {
    "face_too_small": N_("the face is very small"),
    "face_blurred": N_("the face is blurred"),
    "face_dark": N_("the picture is dark"),
    "face_overexposed": N_("the picture is too bright"),
    "face_low_contrast": N_("the picture is flat and faded"),
    "face_profile": N_("the face is seen from the side"),
    "face_tilted": N_("the face looks up or down"),
    "face_uncertain": N_("it is not certain that this is a face"),
    "preview_face_turned": N_("the face is seen from the side"),
    "preview_face_small": N_("the face is very small"),
    "preview_far_age": N_("so many years ahead, little is certain"),
    "preview_of_toddler": N_("the photo is of a very small child"),
    "preview_of_adult": N_("ageing of adults is experimental"),
    "sex": N_("Sex"),
    "birth_year": N_("Year of birth"),
    "birth_years": N_("Year of birth"),
    "place": N_("Place"),
    "time": N_("Time"),
    "seen_at": N_("Time"),
    "blood_group": N_("Blood group"),
    # Fields of a case that came from a partner.
    "name": N_("Name"),
    "story": N_("What happened"),
    "contact": N_("Contact of the reporter"),
    "place_label": N_("Place"),
    "private_note": N_("For reviewers only"),
    "photo": N_("Photo"),
}


class Labels:
    """Words for codes in one language."""

    def __init__(self, translations: NullTranslations) -> None:
        self._translations = translations

    def label(self, value: Enum) -> str:
        """The word for a member of an enumeration.  Raises KeyError for an unknown one."""
        return self._translations.gettext(LABELS[type(value)][value])

    def reason(self, code: str) -> str:
        """The words for a fact or a weakness of a face."""
        return self._translations.gettext(REASONS[code])
