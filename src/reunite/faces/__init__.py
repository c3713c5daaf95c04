"""From an uploaded file to a template: decode, detect, align, judge, embed.

``engine.FaceEngine`` does all of it; ``port.FaceReader`` is what the rest of Reunite
knows, so that a fake can stand in.  Nothing here compares faces: that is the gallery's.
"""
