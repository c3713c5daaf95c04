"""What written names say, and how far two of them may be one person's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.partners.linkage.description import Description, read_description
from reunite.partners.linkage.frequencies import Frequencies
from reunite.partners.linkage.name_comparison import compare_names
from reunite.partners.linkage.names import NOBODY, NameKind, read_name
from reunite.partners.linkage.sounds import merged, split_pinyin

PUBLISHED = Frequencies()


def level(missing: str, found: str) -> str:
    return compare_names((read_name(missing),), (read_name(found),), PUBLISHED).level


def bits(missing: str, found: str) -> float:
    return compare_names((read_name(missing),), (read_name(found),), PUBLISHED).bits


@pytest.mark.parametrize(
    ("text", "kind", "surname", "given"),
    [
        ("王建国", NameKind.FULL, "王", "建国"),
        ("  王 建 国 ", NameKind.FULL, "王", "建国"),
        ("王建国（老王）", NameKind.FULL, "王", "建国"),
        ("張國華", NameKind.FULL, "张", "国华"),
        ("欧阳修", NameKind.FULL, "欧阳", "修"),
        ("欧阳建国", NameKind.FULL, "欧阳", "建国"),
        ("陈王秀英", NameKind.FULL, "陈", "秀英"),
        ("王大爷", NameKind.SURNAME, "王", ""),
        ("老李", NameKind.SURNAME, "李", ""),
        ("李某某", NameKind.SURNAME, "李", ""),
        ("李", NameKind.SURNAME, "李", ""),
        ("阿珍", NameKind.CALLED, "", "珍"),
        ("小明", NameKind.CALLED, "", "明"),
        ("明明", NameKind.CALLED, "", "明"),
        ("建国", NameKind.GIVEN, "", "建国"),
    ],
)
def test_what_a_name_says(text: str, kind: NameKind, surname: str, given: str) -> None:
    name = read_name(text)
    assert (name.kind, name.surname, name.given) == (kind, surname, given)


@pytest.mark.parametrize("text", ["", "不详", "无名氏", "Unknown", "N/A", "？？", "-", "...", "男"])
def test_no_name(text: str) -> None:
    assert read_name(text) is NOBODY


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("买买提·吐尔逊", ("买买提", "吐尔逊")),
        ("买买提•吐尔逊", ("买买提", "吐尔逊")),
        ("古丽 . 帕提", ("古丽", "帕提")),
        ("阿依古丽", ("阿依古丽",)),
        ("Mike Jones", ("jones", "michael")),
    ],
)
def test_names_of_several_parts(text: str, parts: tuple[str, ...]) -> None:
    assert read_name(text).parts == parts


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("Zhang Jianguo", ("zhang", "jian", "guo")),
        ("zhangjianguo", ("zhang", "jian", "guo")),
        ("Jianguo Zhang", ("zhang", "jian", "guo")),
        ("LV Xiuying", ("lv", "xiu", "ying")),
    ],
)
def test_pinyin(text: str, sounds: tuple[str, ...]) -> None:
    name = read_name(text)
    assert (*name.surname_sounds, *name.given_sounds) == sounds
    assert name.is_sound_only


def test_a_surname_is_read_as_one() -> None:
    assert read_name("单田芳").surname_sounds == ("shan",)
    assert read_name("曾国华").surname_sounds == ("zeng",)


@pytest.mark.parametrize(
    ("missing", "found", "expected"),
    [
        ("王建国", "王建国", "exact"),
        ("張國華", "张国华", "exact"),
        ("王建国", "王健国", "same_sound"),
        ("王建国", "Wang Jianguo", "same_sound"),
        ("李玲", "李宁", "merged_sound"),  # n- and l- in Sichuan
        ("张志刚", "章自刚", "merged_sound"),  # zh- and z- in the south
        ("黄辉", "方飞", "merged_sound"),  # hu- and f- in Fujian
        ("陈英", "陈音", "merged_sound"),  # -ing and -in
        ("王建国", "王建民", "one_character"),
        ("王建国", "李建国", "given_only"),
        ("王建国", "王秀英", "surname_only"),
        ("王建国", "李秀英", "different"),
        ("王建国", "王大爷", "surname"),
        ("王建国", "李大爷", "different"),
        ("林秀珍", "阿珍", "called"),
        ("林秀珍", "阿真", "called"),
        ("林秀珍", "阿国", "different"),
        ("王建国", "建国", "given_only"),
        ("买买提·吐尔逊", "麦麦提吐尔逊", "parts"),
        ("买买提·吐尔逊", "扎西次仁", "different"),
        ("Bob Smith", "Robert Smith", "parts"),
        ("Bob Smith", "王建国", "unknown"),
        ("王建国", "", "unknown"),
    ],
)
def test_levels(missing: str, found: str, expected: str) -> None:
    assert level(missing, found) == expected
    assert level(found, missing) == expected


def test_the_surer_level_weighs_more() -> None:
    steps = ["王建国", "王健国", "王建民", "王大爷", "王秀英", "李秀英"]
    weights = [bits("王建国", other) for other in steps]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 8
    assert weights[-1] < -3


def test_a_rare_surname_says_more() -> None:
    assert bits("覃大爷", "覃某") > bits("王大爷", "王某") + 3


def test_names_that_are_frequent_here_say_less() -> None:
    many = [read_description(Description(names=("王秀英",))) for _ in range(300)]
    few = [read_description(Description(names=(f"{x}玉兰",))) for x in "赵钱孙李周吴郑" * 30]
    learned = Frequencies.learned([*many, *few])
    often = compare_names((read_name("王秀英"),), (read_name("王秀英"),), learned).bits
    assert often < bits("王秀英", "王秀英") - 5


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("zhangwei", ("zhang", "wei")), ("xian", ("xian",)), ("smith", ()), ("", ())],
)
def test_syllables_of_pinyin(word: str, syllables: tuple[str, ...]) -> None:
    assert split_pinyin(word) == syllables


@settings(deadline=None)
@given(st.sampled_from(sorted({"zhang", "shi", "ning", "ling", "hua", "fa", "ren", "len", "hu"})))
def test_merging_twice_is_merging_once(sound: str) -> None:
    assert merged(merged(sound)) == merged(sound)


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_can_be_a_name(a: str, b: str) -> None:
    forth = compare_names((read_name(a),), (read_name(b),), PUBLISHED)
    back = compare_names((read_name(b),), (read_name(a),), PUBLISHED)
    assert forth.level == back.level
    assert forth.bits == pytest.approx(back.bits, abs=0.5)
