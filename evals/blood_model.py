"""How donors behave when somebody telephones or writes to them, and three ways of recruiting.

Every number is an assumption with its source or a plain statement that it is one.  All three
ways meet the same donors with the same will and the same delays.
"""

import heapq
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.blood.rules import Grade
from reunite.blood.waves import (
    ANSWER_MU,
    ANSWER_SIGMA,
    Answer,
    Ask,
    Candidate,
    History,
    Recruitment,
    Urgency,
    plan,
    rank,
    to_call,
)

NEVER = float("inf")
OPENED = datetime(2026, 3, 15, 9, tzinfo=UTC)
GIVE_UP_MINUTES = 24 * 60.0
MOST_ATTEMPTS = 3  # by telephone, for one donor


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the simulation believes.  Times are in minutes."""

    # 49 % of 133 Bombay donors were willing (PMC4731344), 49 % of 270 rare donors enrolled
    # (ARDP letters), 25 to 30 % of Mumbai's registered Bombay donors were active.
    willing: float = 0.3
    # Donors differ: a Beta distribution worth so many observations.  Assumption.
    alikeness: float = 4.0
    # At 500 km and beyond, this share of the will that is left.  Assumption.
    willing_far: float = 0.5
    # 89.3 % of donors were reached by telephone in the end (Marsano et al. 2024); a first call
    # finds half.  The half is an assumption.
    valid_number: float = 0.893
    picks_up: float = 0.5
    # Conversation and notes; ringing out and notes.  Assumptions.
    talk_minutes: float = 5.0
    ring_minutes: float = 1.0
    # Of missed calls so many are returned, after a delay like that of a message.  Assumption.
    calls_back: float = 0.3
    callers: int = 1
    # Messages are seen by so many.  Assumption, below the telephone's 89.3 %.
    sees_message: float = 0.8
    # Of those who do not want to come, so many say so.  Assumption.
    says_no: float = 0.4
    # Delay of answers: 60 % within 45 minutes (Chow et al. 2022); the spread is an assumption.
    answer_mu: float = ANSWER_MU
    answer_sigma: float = ANSWER_SIGMA
    # Past requests that a donor was asked for; 0: nothing is known of anybody.  Assumption.
    past_asks: int = 4
    # Asked within 30 days for other requests: out of our reach, not of the telephone's.
    asked_lately: float = 0.1
    urgency: Urgency = Urgency.URGENT

    @property
    def median_answer_minutes(self) -> float:
        return float(np.exp(self.answer_mu))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Minutes to the first and to enough willing donors, and people disturbed until then."""

    first: float
    enough: float
    disturbed: int


@dataclass(frozen=True, slots=True)
class Donors:
    """The compatible donors of one request, nearest of the best grade first; arrays (n,).

    ``says_yes``: this time, if reached.  ``delay``: minutes from message to answer.
    """

    grades: npt.NDArray[np.uint8]
    distances_km: npt.NDArray[np.float64]
    says_yes: npt.NDArray[np.bool_]
    says_no: npt.NDArray[np.bool_]
    sees: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    delay: npt.NDArray[np.float64]
    histories: list[History]
    rested: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.grades)

    @classmethod
    def draw(
        cls,
        grades: npt.NDArray[np.uint8],
        distances_km: npt.NDArray[np.float64],
        given: Assumptions,
        rng: np.random.Generator,
    ) -> "Donors":
        n = len(grades)
        will = rng.beta(given.willing * given.alikeness, (1 - given.willing) * given.alikeness, n)
        far = np.interp(distances_km, [50, 500], [1.0, given.willing_far])
        past = rng.integers(0, 2 * given.past_asks + 1, n)
        before = rng.binomial(past, will * given.sees_message)
        says_yes = rng.random(n) < will * far
        return cls(
            grades,
            distances_km,
            says_yes,
            ~says_yes & (rng.random(n) < given.says_no),
            rng.random(n) < given.sees_message,
            rng.random(n) < given.valid_number,
            rng.lognormal(given.answer_mu, given.answer_sigma, n),
            [History(int(a), int(y)) for a, y in zip(past, before, strict=True)],
            rng.random(n) >= given.asked_lately,
        )


def by_telephone(
    donors: Donors, needed: int, given: Assumptions, rng: np.random.Generator
) -> Outcome:
    """One list, nearest first; each caller takes the next; nobody answered: again at the end."""
    queue = [(donor, 1) for donor in range(len(donors))]
    free = [(0.0, caller) for caller in range(given.callers)]
    heapq.heapify(free)
    yes_at: list[float] = []
    returned: dict[int, float] = {}
    called: dict[int, float] = {}
    position = 0
    while position < len(queue) and free:
        now, caller = heapq.heappop(free)
        if now > GIVE_UP_MINUTES or sum(at <= now for at in yes_at) >= needed:
            break
        donor, attempt = queue[position]
        position += 1
        if returned.get(donor, NEVER) <= now:
            heapq.heappush(free, (now, caller))
            continue
        called.setdefault(donor, now)
        if donors.valid[donor] and rng.random() < given.picks_up:
            now += given.talk_minutes
            if donors.says_yes[donor]:
                yes_at.append(now)
            returned[donor] = now
        else:
            now += given.ring_minutes
            if donors.valid[donor] and attempt == 1 and rng.random() < given.calls_back:
                back = now + float(donors.delay[donor])
                returned[donor] = back
                if donors.says_yes[donor]:
                    yes_at.append(back)
            elif attempt < MOST_ATTEMPTS:
                queue.append((donor, attempt + 1))
        heapq.heappush(free, (now, caller))
    return _outcome(yes_at, needed, called.values())


def by_broadcast(donors: Donors, needed: int, people: int) -> Outcome:
    """Everybody at once; ``people`` are all whom the broadcast reaches, ranked or not."""
    answers = donors.delay[donors.says_yes & donors.sees]
    return replace(_outcome(answers.tolist(), needed, ()), disturbed=people)


def by_waves(
    donors: Donors, needed: int, given: Assumptions, *, rarest: bool, callers: int = 0
) -> Outcome:
    """Ours, by ``reunite.blood.waves`` itself; ``callers`` telephone those who stay silent."""
    return _Waves(donors, needed, given, rarest=rarest, callers=callers).run()


class _Waves:
    """One recruitment on a clock of events."""

    def __init__(
        self, donors: Donors, needed: int, given: Assumptions, *, rarest: bool, callers: int
    ) -> None:
        self._donors, self._given, self._callers = donors, given, callers
        self._pool = [
            Candidate(
                row,
                Grade(int(donors.grades[row])),
                float(donors.distances_km[row]),
                donors.histories[row],
                None if donors.rested[row] else OPENED - timedelta(days=10),
            )
            for row in range(len(donors))
        ]
        self._state = Recruitment(needed, given.urgency, OPENED, rarest=rarest)
        self._events: list[tuple[float, int, str, int]] = []
        self._numbers = count()
        self._yes_at: list[float] = []
        self._asked_at: dict[int, float] = {}
        self._called: set[int] = set()
        self._rng = np.random.default_rng(len(donors) * 1000 + needed)

    def run(self) -> Outcome:
        self._push(0.0, "look", 0)
        for caller in range(self._callers):
            self._push(0.0, "call", caller)
        while self._events and not self._state.filled:
            now, _, kind, who = heapq.heappop(self._events)
            if now > GIVE_UP_MINUTES:
                break
            if kind == "look":
                self._plan(now)
            elif kind == "call":
                self._call(now, who)
            else:
                self._hear(now, who, kind)
        return _outcome(self._yes_at, self._state.needed, self._asked_at.values())

    def _push(self, at: float, kind: str, who: int) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), kind, who))

    def _plan(self, now: float) -> None:
        moment = OPENED + timedelta(minutes=now)
        told = plan(self._state, self._pool, moment)
        asks = []
        for row in told.donor_ids:
            asks.append(Ask(row, moment, self._pool[row].probability))
            self._asked_at[row] = now
            answers = self._donors.says_yes[row] or self._donors.says_no[row]
            if answers and self._donors.sees[row]:
                kind = "yes" if self._donors.says_yes[row] else "no"
                self._push(now + float(self._donors.delay[row]), kind, row)
        self._state = replace(self._state, asks=(*self._state.asks, *asks))
        if told.next_look_at is not None:
            # A moment later, so that the patience has really passed.
            later = (told.next_look_at - OPENED) / timedelta(minutes=1) + 0.01
            self._push(later, "look", 0)

    def _hear(self, now: float, row: int, kind: str) -> None:
        open_ask = [a for a in self._state.asks if a.donor_id == row and a.answer is None]
        if not open_ask:
            return
        answer = Answer.COMING if kind == "yes" else Answer.CANNOT
        asks = (replace(a, answer=answer) if a.donor_id == row else a for a in self._state.asks)
        self._state = replace(self._state, asks=tuple(asks))
        if kind == "yes":
            self._yes_at.append(now)
        self._plan(now)

    def _call(self, now: float, caller: int) -> None:
        """Telephone the best of those who were written to and have not answered."""
        silent = [row for row in to_call(self._state) if row not in self._called]
        if not silent:
            self._push(now + 1.0, "call", caller)
            return
        row = silent[0]
        self._called.add(row)
        if self._donors.valid[row] and self._rng.random() < self._given.picks_up:
            done = now + self._given.talk_minutes
            self._push(done, "yes" if self._donors.says_yes[row] else "no", row)
        else:
            done = now + self._given.ring_minutes
        self._push(done, "call", caller)


def _outcome(yes_at: list[float], needed: int, disturbed_at: Any) -> Outcome:
    found = sorted(yes_at)
    first = found[0] if found else NEVER
    enough = found[needed - 1] if len(found) >= needed else NEVER
    return Outcome(first, enough, sum(at <= enough for at in disturbed_at))


def best_first(donors: Donors, given: Assumptions) -> npt.NDArray[np.int64]:
    """The order in which our ranking would telephone: the list, improved."""
    pool = [
        Candidate(row, Grade(int(grade)), float(km), history)
        for row, (grade, km, history) in enumerate(
            zip(donors.grades, donors.distances_km, donors.histories, strict=True)
        )
    ]
    ranked = rank(Recruitment(1, given.urgency, OPENED), pool, OPENED)
    return np.array([one.donor_id for one in ranked], np.int64)
