"""Face-find: whom one sees, whom one does not, and how often one may ask."""

import pytest

from reunite.accounts.account import Actor, Role
from reunite.app.close_case import resolve_case
from reunite.app.erase_expired import erase_expired
from reunite.app.fill_gallery import add_synthetic_templates
from reunite.app.open_case import add_photo
from reunite.app.search_face import (
    MOST_PHOTOS,
    SearchResult,
    add_search_photo,
    choose_probe_face,
    digest_of,
    drop_search_photo,
    list_probe_faces,
    set_aside,
    start_search,
    view_search,
)
from reunite.app.services import Settings
from reunite.app.view_photo import Variant, get_probe_picture
from reunite.cases.case import Outcome, ResolutionCause
from reunite.faces.quality import Verdict
from reunite.gallery.port import Filter
from reunite.kernel.errors import InvalidInputError, NotFoundError, TooManyRequestsError
from reunite.kernel.people import Side
from reunite.ports import LookPurpose
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from tests.unit.app.world import World, taken_in


def search(world: World, actor: Actor, tag: int, variant: int = 9) -> SearchResult:
    started = start_search(world.services, actor, paint_person(tag, variant))
    return view_search(world.services, actor, started.token)


def found(result: SearchResult) -> list[str]:
    return [one.case.reference for one in result.resemblances]


def test_the_right_person_comes_first_with_every_number(world: World) -> None:
    references = {tag: world.open_public(tag) for tag in range(1, 9)}
    result = search(world, world.volunteer, 5)
    assert found(result)[0] == references[5]
    best = result.resemblances[0]
    assert best.similarity == pytest.approx(0.8, abs=0.15)
    similarities = [one.similarity for one in result.resemblances]
    assert similarities == sorted(similarities, reverse=True)
    assert result.searched == 8
    assert result.chosen == 0
    assert result.elapsed_seconds >= 0
    assert not result.incomplete


def test_a_person_with_many_photos_is_listed_once(world: World) -> None:
    world.open_public(5)
    reference = world.open(6, 0)
    for variant in (1, 2, 3):
        add_photo(world.services, world.family, reference, paint_person(6, variant), 2000 + variant)
    world.publish(reference)
    result = search(world, world.family, 6, 2)
    assert found(result).count(reference) == 1
    assert result.resemblances[0].captured_year == 2002
    assert result.resemblances[0].similarity == pytest.approx(1, abs=0.01)


def test_only_staff_find_what_is_not_published(world: World) -> None:
    reported = world.open(5)
    verified = world.open(5, 1)
    world.verify(verified)
    public = world.open_public(5, 2)
    closed = world.open_public(5, 3)
    resolve_case(world.services, world.reviewer, closed, Outcome.REUNITED, ResolutionCause.POLICE)
    for role in Role:
        seen = set(found(search(world, world.actor(role), 5)))
        is_staff = role in {Role.REVIEWER, Role.OFFICER, Role.ADMIN}
        assert seen == ({reported, verified, public} if is_staff else {public})


def test_synthetic_templates_are_searched_and_never_shown(world: World) -> None:
    reference = world.open_public(5)
    assert add_synthetic_templates(world.services, 300) == 300
    result = search(world, world.volunteer, 5)
    assert result.searched == 301
    assert found(result) == [reference]


def test_a_filter_narrows_the_search(world: World) -> None:
    world.open_public(5)
    started = start_search(world.services, world.volunteer, paint_person(5, 9))
    only_found = Filter(sides=frozenset({Side.FOUND}))
    result = view_search(world.services, world.volunteer, started.token, only_found)
    assert result.resemblances == []
    assert result.searched == 0


def test_of_several_faces_the_searcher_chooses(world: World) -> None:
    reference = world.open_public(5)
    photo = paint_people(PaintedPerson(4), PaintedPerson(5, 9))
    started = start_search(world.services, world.family, photo)
    assert started.needs_choice
    waiting = view_search(world.services, world.family, started.token)
    assert (waiting.chosen, waiting.resemblances, waiting.searched) == (None, [], 0)
    assert len(waiting.faces) == 2
    with pytest.raises(InvalidInputError, match="no_such_face"):
        choose_probe_face(world.services, world.family, started.token, 2)
    choose_probe_face(world.services, world.family, started.token, 1)
    result = view_search(world.services, world.family, started.token)
    assert found(result)[0] == reference
    choose_probe_face(world.services, world.family, started.token, 0)
    assert view_search(world.services, world.family, started.token).chosen == 0


def test_an_unusable_face_cannot_be_searched_with(world: World) -> None:
    photo = paint_people(PaintedPerson(4), PaintedPerson(5, verdict=Verdict.UNUSABLE))
    started = start_search(world.services, world.family, photo)
    with pytest.raises(InvalidInputError, match="face_too_small"):
        choose_probe_face(world.services, world.family, started.token, 1)


def test_a_search_belongs_to_the_one_who_began_it(world: World) -> None:
    started = start_search(world.services, world.family, paint_person(5))
    for other in (world.volunteer, world.reviewer, world.admin):
        with pytest.raises(NotFoundError, match="search_expired"):
            view_search(world.services, other, started.token)
        with pytest.raises(NotFoundError, match="search_expired"):
            choose_probe_face(world.services, other, started.token, 0)
        with pytest.raises(NotFoundError, match="search_expired"):
            get_probe_picture(world.services, other, started.token, Variant.FULL)
    assert get_probe_picture(world.services, world.family, started.token, Variant.FULL)
    with pytest.raises(NotFoundError):
        view_search(world.services, world.family, started.token + "x")


def test_the_photo_of_a_search_is_gone_after_a_day(world: World) -> None:
    started = start_search(world.services, world.family, paint_person(5))
    world.pass_time(hours=23, minutes=59)
    erase_expired(world.services)
    assert view_search(world.services, world.family, started.token).chosen == 0
    world.pass_time(minutes=2)
    with pytest.raises(NotFoundError, match="search_expired"):
        view_search(world.services, world.family, started.token)
    assert len(world.files()) == 1
    assert erase_expired(world.services) == 1
    assert world.files() == world.keys() == set()


def test_whoever_searches_too_often_waits_an_hour() -> None:
    world = World(Settings(searches_per_hour=3))
    for variant in range(3):
        search(world, world.volunteer, 1, variant)
    files = world.files()
    with pytest.raises(TooManyRequestsError) as caught:
        search(world, world.volunteer, 1)
    assert caught.value.code == "too_many_searches"
    assert caught.value.details == {"limit": 3, "retry_after_seconds": 3600}
    assert world.files() == files
    search(world, world.family, 1)  # everyone for themselves
    for variant in range(5):
        search(world, world.reviewer, 1, variant)  # staff work
    world.pass_time(minutes=61)
    search(world, world.volunteer, 1)


@pytest.mark.parametrize(
    ("year", "accepted"), [(1899, False), (1900, True), (2026, True), (2027, False)]
)
def test_the_year_of_a_photo_is_possible(world: World, year: int, accepted: bool) -> None:
    if accepted:
        started = start_search(world.services, world.family, paint_person(1), year)
        assert view_search(world.services, world.family, started.token).captured_year == year
        return
    with pytest.raises(InvalidInputError, match="captured_year_out_of_range"):
        start_search(world.services, world.family, paint_person(1), year)
    assert world.is_untouched()


def test_the_camera_may_name_the_year(world: World) -> None:
    started = start_search(world.services, world.family, taken_in(paint_person(1), 2011))
    assert view_search(world.services, world.family, started.token).captured_year == 2011


def test_every_face_that_was_shown_is_logged(world: World) -> None:
    reference = world.open_public(5)
    search(world, world.volunteer, 5)
    with world.database.transaction() as transaction:
        looks = transaction.looks.list_of_case(world.case(reference).id)
    assert [(look.account_id, look.purpose) for look in looks] == [
        (world.volunteer.account_id, LookPurpose.SEARCH)
    ]


def test_a_token_is_not_what_is_stored() -> None:
    assert len(digest_of("token")) == 32
    assert b"token" not in digest_of("token")


def test_pointing_at_a_face_looks_at_nobody(world: World) -> None:
    reference = world.open_public(5)
    token = start_search(world.services, world.volunteer, paint_person(5, 1)).token
    assert len(list_probe_faces(world.services, world.volunteer, token)) == 1
    with pytest.raises(NotFoundError, match="search_expired"):
        list_probe_faces(world.services, world.family, token)
    with world.database.transaction() as transaction:
        assert transaction.looks.list_of_case(world.case(reference).id) == []


class TestSeveralPhotos:
    def test_whoever_resembles_all_of_them_comes_first(self, world: World) -> None:
        other, reference = world.open_public(4), world.open_public(5)
        # The first photo is of somebody else by mistake, the others are right.
        started = start_search(world.services, world.family, paint_person(4, 9))
        token = started.token
        assert found(view_search(world.services, world.family, token))[0] == other
        for variant in (7, 8):
            add_search_photo(world.services, world.family, token, paint_person(5, variant), 2001)
        result = view_search(world.services, world.family, token)
        assert found(result)[0] == reference
        assert [photo.captured_year for photo in result.photos] == [None, 2001, 2001]
        drop_search_photo(world.services, world.family, token, 2)
        drop_search_photo(world.services, world.family, token, 1)
        assert found(view_search(world.services, world.family, token))[0] == other
        # The first, its case's two, and nothing of what was dropped.
        assert world.files() == world.keys()
        with pytest.raises(NotFoundError):
            drop_search_photo(world.services, world.family, token, 0)

    def test_two_photos_score_as_the_mean_direction(self, world: World) -> None:
        world.open_public(5)
        token = start_search(world.services, world.family, paint_person(5, 1)).token
        alone = view_search(world.services, world.family, token).resemblances[0].similarity
        add_search_photo(world.services, world.family, token, paint_person(5, 1))
        both = view_search(world.services, world.family, token).resemblances[0].similarity
        assert both == pytest.approx(alone, abs=1e-3)

    def test_a_face_is_chosen_in_each_photo(self, world: World) -> None:
        reference = world.open_public(5)
        token = start_search(world.services, world.family, paint_person(5, 9)).token
        group = paint_people(PaintedPerson(4), PaintedPerson(5, 8))
        assert add_search_photo(world.services, world.family, token, group).needs_choice
        # What was not pointed at yet is left out.
        assert found(view_search(world.services, world.family, token)) == [reference]
        assert len(list_probe_faces(world.services, world.family, token, 1)) == 2
        choose_probe_face(world.services, world.family, token, 1, 1)
        result = view_search(world.services, world.family, token)
        assert [photo.chosen for photo in result.photos] == [0, 1]
        assert get_probe_picture(
            world.services, world.family, token, Variant.FACE, None, 1
        ) != get_probe_picture(world.services, world.family, token, Variant.FACE)

    def test_there_is_an_end_to_it(self, world: World) -> None:
        token = start_search(world.services, world.family, paint_person(5)).token
        for variant in range(1, MOST_PHOTOS):
            add_search_photo(world.services, world.family, token, paint_person(5, variant))
        with pytest.raises(InvalidInputError, match="too_many_search_photos"):
            add_search_photo(world.services, world.family, token, paint_person(5, 9))
        assert len(world.files()) == MOST_PHOTOS

    def test_they_are_the_searchers_own_and_go_together(self, world: World) -> None:
        token = start_search(world.services, world.family, paint_person(5)).token
        world.pass_time(hours=20)
        add_search_photo(world.services, world.family, token, paint_person(5, 1))
        for act in (
            lambda: add_search_photo(world.services, world.reviewer, token, paint_person(5, 2)),
            lambda: drop_search_photo(world.services, world.reviewer, token, 1),
            lambda: get_probe_picture(world.services, world.reviewer, token, Variant.FULL, None, 1),
        ):
            with pytest.raises(NotFoundError, match="search_expired"):
                act()
        world.pass_time(hours=4, minutes=1)
        assert erase_expired(world.services) == 2
        assert world.files() == set()


class TestSettingAside:
    def test_somebody_set_aside_stays_away_until_taken_back(self, world: World) -> None:
        first, second = world.open_public(5), world.open_public(5, 1)
        token = start_search(world.services, world.family, paint_person(5, 9)).token
        set_aside(world.services, world.family, token, first)
        result = view_search(world.services, world.family, token)
        assert found(result) == [second]
        assert [case.reference for case in result.set_aside] == [first]
        assert set(found(search(world, world.volunteer, 5))) == {first, second}
        set_aside(world.services, world.family, token, first, put_back=True)
        assert set(found(view_search(world.services, world.family, token))) == {first, second}

    def test_nobody_learns_of_a_case_that_is_not_public(self, world: World) -> None:
        hidden = world.open(5)
        token = start_search(world.services, world.family, paint_person(5, 9)).token
        with pytest.raises(NotFoundError):
            set_aside(world.services, world.volunteer, token, hidden)
        with pytest.raises(NotFoundError):
            set_aside(world.services, world.family, token, hidden)
        with pytest.raises(NotFoundError):
            set_aside(world.services, world.family, token, "0000000000")
