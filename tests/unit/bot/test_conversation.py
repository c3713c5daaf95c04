from dataclasses import replace

import pytest

from reunite.accounts.account import Role
from reunite.app.join_alerts import find_volunteer
from reunite.app.sign_in import actor_of, change_account
from reunite.app.triage_sighting import list_sightings
from reunite.bot.conversation import Conversation, Said
from reunite.bot.words import COMMANDS, WORDS, say
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.ports import ChannelName
from reunite.testing.faces import paint_person
from tests.unit.app.world import World, cut_off

ANN = "onebot:10001"


@pytest.fixture
def conversation(world: World) -> Conversation:
    settings = replace(world.settings, public_url="https://reunite.example")
    return Conversation(replace(world.services, settings=settings))


def told(world: World, identity: str = ANN) -> AccountId | None:
    with world.database.transaction() as transaction:
        return transaction.channel_addresses.find_account(ChannelName.CHAT, identity)


@pytest.mark.parametrize(
    ("text", "language", "town"),
    [
        ("订阅 杭州", Language.ZH, "杭州"),
        ("订阅杭州市", Language.ZH, "杭州"),
        ("/订阅　杭州", Language.ZH, "杭州"),
        ("subscribe Hangzhou", Language.EN, "Hangzhou"),
        ("  SUBSCRIBE   hangzhou ", Language.EN, "Hangzhou"),
        ("ｓｕｂｓｃｒｉｂｅ Hangzhou", Language.EN, "Hangzhou"),
    ],
)
def test_somebody_opts_in(
    world: World, conversation: Conversation, text: str, language: Language, town: str
) -> None:
    assert town in conversation.reply(Said(ANN, text))
    account_id = told(world)
    assert account_id is not None
    with world.database.transaction() as transaction:
        account = transaction.accounts.get(account_id)
    assert (account.role, account.language) == (Role.VOLUNTEER, language)
    assert ANN not in account.email + account.display_name
    volunteer = find_volunteer(world.services, actor_of(account))
    assert volunteer is not None
    assert volunteer.modules == frozenset(Module)
    assert volunteer.language is language


def test_the_same_person_keeps_one_account(world: World, conversation: Conversation) -> None:
    conversation.reply(Said(ANN, "订阅 杭州"))
    first = told(world)
    conversation.reply(Said(ANN, "订阅 北京"))
    conversation.reply(Said("qq:10001", "订阅 北京"))
    assert told(world) == first
    assert told(world, "qq:10001") not in {None, first}


def test_somebody_leaves_and_is_forgotten(world: World, conversation: Conversation) -> None:
    conversation.reply(Said(ANN, "订阅 杭州"))
    account_id = told(world)
    assert account_id is not None
    assert "已退订" in conversation.reply(Said(ANN, "退订"))
    assert told(world) is None
    with world.database.transaction() as transaction:
        assert transaction.volunteers.find(account_id) is None
    assert "will not be told" in conversation.reply(Said("onebot:4711", "stop"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("订阅", "which_town"),
        ("线索", "which_case"),
        ("线索 7K3M9QX2TB", "which_case"),
        ("找人", "which_photo"),
        ("帮助", "help"),
        ("你好", "help"),
        ("", "help"),
    ],
)
def test_what_is_missing_is_asked_for(
    world: World, conversation: Conversation, text: str, answer: str
) -> None:
    assert conversation.reply(Said(ANN, text)) == say(answer, Language.ZH)
    assert told(world) is None


def test_unknown_towns_are_named(conversation: Conversation) -> None:
    answer = conversation.reply(Said(ANN, "subscribe Atlantis"))
    assert answer == say("town_unknown", Language.EN, town="Atlantis")


def test_a_sighting_reaches_the_reviewers(world: World, conversation: Conversation) -> None:
    reference = world.open_public(1)
    photo = paint_person(1, 2)
    text = f"线索 {reference.lower()} 刚才在火车站 看到他"
    assert "审核员" in conversation.reply(Said(ANN, text, [photo]))
    [sighting] = list_sightings(world.services, world.reviewer)
    assert sighting.sighting.text == "刚才在火车站 看到他"
    assert sighting.sighting.photo_key
    assert sighting.sighting.similarity is not None


def test_a_sighting_of_nobody_is_answered(conversation: Conversation) -> None:
    answer = conversation.reply(Said(ANN, "sighting 0000000000 at the station"))
    assert answer
    assert "reviewers have" not in answer


def test_a_photo_finds_whom_it_shows(world: World, conversation: Conversation) -> None:
    reference = world.open_public(1)
    world.drain()
    answer = conversation.reply(Said(ANN, "找人", [paint_person(1, 2)]))
    assert f"https://reunite.example/zh/cases/{reference}" in answer
    assert "不等于" in answer
    nobody = conversation.reply(Said(ANN, "find", [paint_person(9)]))
    assert "nobody is alike" in nobody


def test_a_photo_that_cannot_be_used_is_explained(conversation: Conversation) -> None:
    answer = conversation.reply(Said(ANN, "find", [cut_off(paint_person(1))]))
    assert answer != say("failed", Language.EN)
    assert len(answer) > 10
    lost = conversation.reply(Said(ANN, "找人", [], picture_lost=True))
    assert lost == say("picture_lost", Language.ZH)


def test_whoever_was_shut_out_gets_no_further(world: World, conversation: Conversation) -> None:
    conversation.reply(Said(ANN, "订阅 杭州"))
    account_id = told(world)
    assert account_id is not None
    change_account(world.services, world.admin, account_id, disabled=True)
    answer = conversation.reply(Said(ANN, "订阅 杭州"))
    assert "谢谢" not in answer
    assert told(world) is None


def test_a_database_that_is_away_is_no_silence(world: World, conversation: Conversation) -> None:
    world.database.reachable = False
    assert conversation.reply(Said(ANN, "订阅 杭州"))


def test_only_our_own_words_are_ours(conversation: Conversation) -> None:
    assert all(conversation.knows(name) for names in COMMANDS.values() for name in names)
    assert not any(conversation.knows(text) for text in ("finding", "stopover", "天气", ""))


def test_everything_is_said_in_both_languages() -> None:
    for chinese, english in WORDS.values():
        assert any(ord(letter) > 0x2FFF for letter in chinese) or chinese == "{name}：{url}"
        assert english.isascii() or "–" in english
