"""What operators are told on the terminal, in their language, and what to do about it.

Codes that only an operator can mend are put into words here; all others have the sentence
that the pages use.
"""

import os
from collections.abc import Mapping

from reunite.cli.messages_faces import FACE_MESSAGES
from reunite.kernel.errors import ReuniteError
from reunite.kernel.languages import Language
from reunite.web.i18n import Formats, load_translations
from reunite.web.messages import message_of
from reunite.web.settings import WebSettings

# English, Chinese.  Details of the error are filled in by name.
OPERATOR_MESSAGES: Mapping[str, tuple[str, str]] = {
    "database_in_use": (
        (
            "Another process ({process_ids}) is using the database in {directory}. Stop it, or "
            "choose another directory with REUNITE_DATA."
        ),
        (
            "另一个进程（{process_ids}）正在使用 {directory} 中的数据库。请先停止它，或用 "
            "REUNITE_DATA 指定其他目录。"
        ),
    ),
    "database_disk_full": (
        (
            "The disk of {directory} is full. Free some space, or choose another directory with "
            "REUNITE_DATA."
        ),
        "{directory} 所在的磁盘已满。请清理空间，或用 REUNITE_DATA 指定其他目录。",
    ),
    "database_full": (
        "The disk of the database is full. Free some space; nothing half-written was kept.",
        "数据库所在的磁盘已满。请清理空间；没有留下写到一半的内容。",
    ),
    "database_data_directory_not_writable": (
        "The directory {directory} cannot be written. Choose another one with REUNITE_DATA.",
        "无法写入目录 {directory}。请用 REUNITE_DATA 指定其他目录。",
    ),
    "database_version_mismatch": (
        (
            "The database is of PostgreSQL {found}, but {needed} is needed. Use the matching "
            "version, or move the data with pg_dump."
        ),
        "数据库来自 PostgreSQL {found}，但需要 {needed}。请使用匹配的版本，或用 pg_dump 迁移数据。",
    ),
    "database_account_unusable": (
        (
            "PostgreSQL does not run as root. Name an ordinary account in REUNITE_POSTGRES_USER, "
            "or start Reunite as an ordinary user."
        ),
        (
            "PostgreSQL 不能以 root 运行。请在 REUNITE_POSTGRES_USER 中指定普通账户，"
            "或以普通用户启动 Reunite。"
        ),
    ),
    "database_not_started": (
        "PostgreSQL did not start ({reason}). Its last words: {log}",
        "PostgreSQL 未能启动（{reason}）。最后的日志：{log}",
    ),
    "database_unreachable": (
        "No database answers. Is it running, and is REUNITE_DATABASE_URL right? {reason}",
        "数据库没有响应。它在运行吗？REUNITE_DATABASE_URL 正确吗？{reason}",
    ),
    "database_busy": (
        "The database has no connection left. Raise max_connections, or run fewer processes.",
        "数据库连接已用尽。请提高 max_connections，或减少进程数。",
    ),
    "photo_store_full": (
        "The disk of the photos is full. Free some space.",
        "存放照片的磁盘已满。请清理空间。",
    ),
    "model_missing": (
        (
            "A face model is missing ({package}{path}). Run `make setup`, or correct the file that "
            "REUNITE_MODELS names."
        ),
        "缺少人脸模型（{package}{path}）。请运行 `make setup`，或更正 REUNITE_MODELS 指定的文件。",
    ),
    "model_digest_mismatch": (
        "The face model {model} is not the file that was expected. Install it again.",
        "人脸模型 {model} 与预期的文件不符。请重新安装。",
    ),
    "model_unknown": (
        "There is no face model {name}. Known ones: {known}.",
        "没有名为 {name} 的人脸模型。已知的有：{known}。",
    ),
    "model_unreadable": (
        "The face model {model} cannot be loaded. Install it again.",
        "无法加载人脸模型 {model}。请重新安装。",
    ),
    "model_config_invalid": (
        "The file that REUNITE_MODELS names is wrong at {at}: {problem}",
        "REUNITE_MODELS 指定的文件有误，位置 {at}：{problem}",
    ),
    "bot_not_installed": (
        "The chat bot needs more packages: pip install 'reunite[bot]'.",
        "聊天机器人需要额外的软件包：pip install 'reunite[bot]'。",
    ),
    "smtp_url_unreadable": (
        "REUNITE_SMTP_URL has the form smtps://user:password@mail.example or smtp+starttls://…",
        "REUNITE_SMTP_URL 的格式为 smtps://用户:密码@mail.example 或 smtp+starttls://…",
    ),
    "smtp_sender_missing": (
        "E-mail needs a sender: set REUNITE_MAIL_FROM, e.g. 'Reunite <alerts@reunite.example>'.",
        "发送邮件需要发件人：请设置 REUNITE_MAIL_FROM，例如“重逢 <alerts@reunite.example>”。",
    ),
    "public_url_missing": (
        "Messages carry links to the site: set REUNITE_PUBLIC_URL, e.g. https://reunite.example.",
        "消息中带有网站链接：请设置 REUNITE_PUBLIC_URL，例如 https://reunite.example。",
    ),
    "gateways_unreadable": (
        "REUNITE_GATEWAYS is JSON of names and Apprise addresses with {{address}} in them.",
        "REUNITE_GATEWAYS 应为 JSON：名称及含有 {{address}} 的 Apprise 地址。",
    ),
    "channel_rates_unreadable": (
        (
            "REUNITE_CHANNEL_RATES says deliveries a second by channel, e.g. 'email=5 "
            "web_push=2000'; {got} does not."
        ),
        (
            "REUNITE_CHANNEL_RATES 按渠道写明每秒发送数，例如 “email=5 web_push=2000”；"
            "{got} 不是这样。"
        ),
    ),
    "push_key_unusable": (
        (
            "{path} holds no key for Web Push. Put back the one that was there: browsers that "
            "subscribed with it know no other. Without it, remove the file and let them subscribe "
            "again."
        ),
        (
            "{path} 中没有可用的 Web Push 密钥。请恢复原来的密钥：已订阅的浏览器只认它。"
            "若已丢失，请删除该文件，并让用户重新订阅。"
        ),
    ),
    "own_case": (
        "Whoever brings records cannot verify them: name somebody else in --verified-by.",
        "提交记录的人不能自己核实：请在 --verified-by 中指定他人。",
    ),
    "port_taken": (
        "Port {port} of {host} is taken. Choose another one with --port.",
        "{host} 的端口 {port} 已被占用。请用 --port 选择其他端口。",
    ),
    "address_unusable": (
        "This machine has no address {host}.",
        "本机没有地址 {host}。",
    ),
    "centre_unknown": (
        "There is no blood centre of this name: {name}.",
        "没有名为 {name} 的血站或医院。",
    ),
    "file_format_unknown": (
        "{path}: the name must end in .csv or .xlsx.",
        "{path}：文件名须以 .csv 或 .xlsx 结尾。",
    ),
    "file_missing": (
        "There is no file {path}.",
        "没有文件 {path}。",
    ),
    "file_unwritable": (
        (
            "The file {path} cannot be written. Name another one with --report; what was imported "
            "is kept, and starting again writes the report at once."
        ),
        (
            "无法写入文件 {path}。请用 --report 指定其他文件；"
            "已导入的内容已保存，重新运行即可立即得到报告。"
        ),
    ),
    "face_choice_needed": (
        "There are {count} faces in this photo. Say which one is meant, e.g. with --face 1.",
        "照片中有 {count} 张人脸。请说明是哪一张，例如 --face 1。",
    ),
    "account_not_staff": (
        "The account {email} is not of a reviewer, an officer or an administrator.",
        "账户 {email} 不是审核员、警务人员或管理员。",
    ),
    **FACE_MESSAGES,
}


class _Details(dict[str, object]):
    """A detail that the error lacks is left out of the sentence."""

    def __missing__(self, key: str) -> str:
        return ""


def terminal_language(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the terminal, from the variables of POSIX: zh where they say so."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "")
        if value:
            return Language.ZH if value.lower().startswith("zh") else Language.EN
    return Language.EN


def describe(error: ReuniteError, language: Language) -> str:
    """The sentence that the pages show for an error; the API shows it too."""
    formats = Formats(language, WebSettings().zone)
    return message_of(error, load_translations(language), formats)


def tell(error: ReuniteError, language: Language) -> str:
    """The sentence for an operator."""
    texts = OPERATOR_MESSAGES.get(error.code)
    if texts is None:
        return describe(error, language)
    text = texts[1] if language is Language.ZH else texts[0]
    details = {name: _written(value) for name, value in error.details.items()}
    return text.format_map(_Details(details)).strip()


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return str(value)
