"""What operators are told about face models and adapters."""

from collections.abc import Mapping

FACE_MESSAGES: Mapping[str, tuple[str, str]] = {
    "model_not_permissive": (
        (
            "The face model {model} may not be used for everything, and REUNITE_PERMISSIVE_ONLY "
            "is set. Choose another one with REUNITE_EMBEDDER."
        ),
        (
            "人脸模型 {model} 的许可有限制，而 REUNITE_PERMISSIVE_ONLY 已设置。"
            "请用 REUNITE_EMBEDDER 选择其他模型。"
        ),
    ),
    "adapter_not_permissive": (
        (
            "The adapter {adapter} may not be used for everything, and REUNITE_PERMISSIVE_ONLY "
            "is set. Fit one on your own data."
        ),
        (
            "适配器 {adapter} 的许可有限制，而 REUNITE_PERMISSIVE_ONLY 已设置。"
            "请用自己的数据拟合一个。"
        ),
    ),
    "adapter_unreadable": (
        "The adapter {path} cannot be read. Roll back with `reunite faces rollback-adapter`.",
        "无法读取适配器 {path}。请用 `reunite faces rollback-adapter` 退回。",
    ),
    "adapter_version": (
        "The adapter is of version {version}; this release reads {known}. Fit it again.",
        "适配器的版本是 {version}；本版本只能读取 {known}。请重新拟合。",
    ),
    "adapter_missing": (
        "There is no adapter {path}.",
        "没有适配器 {path}。",
    ),
    "adapter_models_differ": (
        (
            "The adapter {adapter} was fitted for other models than {embedder}. Choose another "
            "one with REUNITE_ADAPTER, or `none`."
        ),
        (
            "适配器 {adapter} 不是为 {embedder} 拟合的。"
            "请用 REUNITE_ADAPTER 选择其他适配器，或 `none`。"
        ),
    ),
    "adapter_data_too_small": (
        (
            "Too little data to fit an adapter: people with young and grown photos {people}, "
            "faces of known age {aged}; at least {least}."
        ),
        (
            "数据太少，无法拟合适配器：同时有幼年和成年照片的人 {people}，"
            "已知年龄的人脸 {aged}；至少需要 {least}。"
        ),
    ),
    "adapter_none_installed": (
        "No adapter of your own is installed: there is nothing to take back.",
        "没有安装自己的适配器：无可退回。",
    ),
    "folder_layout_unknown": (
        (
            "The folder {path} is in no layout that is known: one folder a person with young "
            "photos in y/, or ages in the names of the files."
        ),
        (
            "无法识别文件夹 {path} 的结构：应为每人一个文件夹、幼年照片放在 y/ 中，"
            "或文件名中含年龄。"
        ),
    ),
}
