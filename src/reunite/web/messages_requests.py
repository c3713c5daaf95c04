"""Sentences for what goes wrong with requests for blood."""

from collections.abc import Mapping

from reunite.web.i18n import N_

REQUEST_MESSAGES: Mapping[str, str] = {
    "request_over": N_("This request is over: nobody is needed any more. Thank you!"),
    "request_filled": N_("Enough donors are on their way already. Thank you for being ready!"),
    "answer_settled": N_("This has been settled already. Please load the page again."),
    "asked_already": N_("Somebody was asked at this moment. Please try again."),
    "asking_already": N_("Donors are being asked already."),
    "coming_in_past": N_("This time has passed. Please say when you can be there."),
    "coming_too_late": N_("Please choose a time within the next %(days)s days."),
    "unit_promised": N_("This unit has been set aside for another request."),
    "cause_contradicts": N_(
        "This does not fit what has been recorded: a donor is the cause only where one has "
        "given, stock only where a unit was set aside, and nobody only where no blood was found."
    ),
}
