"""A thin edge: a chat bot for QQ and OneBot, as a plug-in of NoneBot 2.

``conversation`` answers, ``plugin`` ties it to NoneBot, ``outgoing`` takes alerts from workers.
Needs the packages of the group ``bot``.
"""
