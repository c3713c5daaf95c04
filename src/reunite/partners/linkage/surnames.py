"""Chinese surnames and how many people bear them.

Shares in per cent: the count of the Chinese Academy of Sciences of 2007 (袁义达) for the twenty
most frequent; the others are ordered by frequency, and Zipf's law gives their shares.
"""

_COUNTED = {
    "李": 7.94, "王": 7.41, "张": 7.07, "刘": 5.38, "陈": 4.53, "杨": 3.08, "赵": 2.29,
    "黄": 2.23, "周": 2.12, "吴": 2.05, "徐": 1.67, "孙": 1.54, "胡": 1.31, "朱": 1.26,
    "高": 1.21, "林": 1.18, "何": 1.17, "郭": 1.15, "马": 1.05, "罗": 0.86,
}  # fmt: skip
_OTHERS = (
    "梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金"
    "陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章"
    "鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳"
    "裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫"
    "来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲"
    "乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺水云昌凤酆皮卡阿帅战母晁区仝尉"
)
COMPOUND_SURNAMES = frozenset({
    "欧阳", "上官", "司马", "诸葛", "司徒", "皇甫", "东方", "令狐", "夏侯", "尉迟",
    "公孙", "长孙", "慕容", "宇文", "端木", "申屠", "轩辕", "南宫", "西门", "独孤",
})  # fmt: skip
_rest = [name for name in dict.fromkeys(_OTHERS) if name not in _COUNTED]
_zipf = [1 / (rank + len(_COUNTED)) for rank in range(1, len(_rest) + 1)]
_left = 100 - sum(_COUNTED.values()) - 0.5
SURNAME_SHARES: dict[str, float] = {
    name: share / 100
    for name, share in (
        *_COUNTED.items(),
        *((name, _left * z / sum(_zipf)) for name, z in zip(_rest, _zipf, strict=True)),
    )
}
SURNAMES = frozenset(SURNAME_SHARES)
RARE_SURNAME_SHARE = 0.0001
