"""What the bot says, Chinese and English."""

from collections.abc import Mapping

from reunite.kernel.languages import Language

# By command: the words that begin it, in either language.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "subscribe": ("订阅", "subscribe"),
    "stop": ("退订", "stop"),
    "sighting": ("线索", "sighting"),
    "find": ("找人", "find"),
    "help": ("帮助", "help"),
}

WORDS: Mapping[str, tuple[str, str]] = {  # Chinese, English
    "help": (
        (
            "我是重逢的机器人。您可以发送：\n"
            "订阅 城市 —— 附近有人走失时告诉您，例如：订阅 杭州\n"
            "退订 —— 不再通知，并忘记您的位置\n"
            "线索 编号 您看到的情况 —— 可以附照片，例如：线索 7K3M9QX2TB 在火车站看到\n"
            "找人 —— 附一张照片，与登记的走失者比对\n"
            "有人身处危险时，请先拨打 110。"
        ),
        (
            "I am Reunite's bot. You can write:\n"
            "subscribe TOWN – to be told when somebody near it is lost, e.g. subscribe Hangzhou\n"
            "stop – no more messages, and your place is forgotten\n"
            "sighting NUMBER what you saw – with a photo if you have one\n"
            "find – with a photo, to compare it with the people who are looked for\n"
            "If somebody is in danger, call 110 first."
        ),
    ),
    "subscribed": (
        (
            "谢谢！{town}附近有人走失时，我会告诉您。发送“退订”随时停止。"
            "我们只保存约 0.1 平方公里的网格，不记录行踪。"
        ),
        (
            "Thank you! I tell you when somebody near {town} is lost. Write stop at any time. Only "
            "a cell of about a tenth of a square kilometre is kept, no track of you."
        ),
    ),
    "which_town": (
        "请写上城市，例如：订阅 杭州",
        "Please add your town, e.g. subscribe Hangzhou",
    ),
    "town_unknown": (
        "没有找到“{town}”。请写市或县的名称。",
        "I do not know {town}. Please write the name of a town or county.",
    ),
    "stopped": (
        "已退订，您的位置也已删除。谢谢您付出的时间。",
        "You will not be told any more, and your place is forgotten. Thank you for your time.",
    ),
    "which_case": (
        "请写上编号和您看到的情况，例如：线索 7K3M9QX2TB 刚才在火车站看到。编号在提醒里。",
        (
            "Please write the number and what you saw, e.g. sighting 7K3M9QX2TB at the station "
            "just now. The number is in the alert."
        ),
    ),
    "sighting_sent": (
        "谢谢！审核员已经收到您的线索。请不要跟踪或拦住对方；如有危险，请拨打 110。",
        (
            "Thank you! The reviewers have your sighting. Please do not follow or stop anybody; in "
            "danger call 110."
        ),
    ),
    "which_photo": (
        "请把照片和“找人”放在同一条消息里发送。",
        "Please send the photo and find in one message.",
    ),
    "nobody_alike": (
        "已与 {searched} 张人脸比对，没有找到相像的人。照片一天后删除。",
        "Compared with {searched} faces: nobody is alike. The photo is erased after a day.",
    ),
    "alike": (
        "已与 {searched} 张人脸比对。以下的人可能相像，但不等于就是同一个人，请不要直接联系家属：",
        (
            "Compared with {searched} faces. These people may be alike; that does not mean that "
            "it is the same person. Please do not contact a family yourself:"
        ),
    ),
    "alike_one": ("{name}：{url}", "{name}: {url}"),
    "unnamed": ("姓名不详", "name not known"),
    "several_faces": (
        "照片里有 {count} 张脸。请发送只有一个人的照片。",
        "There are {count} faces in the photo. Please send one with a single person.",
    ),
    "picture_lost": (
        "照片没有收到，请再发一次。",
        "The photo did not arrive. Please send it once more.",
    ),
    "failed": (
        "出了点问题，请稍后再试。",
        "Something went wrong. Please try again later.",
    ),
}


def say(key: str, language: Language, **values: object) -> str:
    """One sentence, its blanks filled."""
    chinese, english = WORDS[key]
    return (chinese if language is Language.ZH else english).format(**values)
