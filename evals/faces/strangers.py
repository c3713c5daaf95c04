"""Distractors: faces of people whom no probe shows."""

import re
import unicodedata

from reunite.faces.labelled import LabelledPhoto

INITIAL = 1


def without_people(
    photos: list[LabelledPhoto], named: set[str]
) -> tuple[list[LabelledPhoto], list[str]]:
    """``photos`` without anybody who may be one of ``named``, and the names left out.

    Collections of celebrities share people under different spellings, so the rule is wide: two
    words in common, the same last word after the same initial, or one word that is the whole
    name.
    """
    words = [_words(name) for name in named]
    dropped = {
        person
        for person in {photo.person for photo in photos if photo.person}
        if any(_may_be_same(_words(person), other) for other in words)
    }
    return [photo for photo in photos if photo.person not in dropped], sorted(dropped)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return [word for word in re.split(r"[^a-z0-9]+", plain) if word]


def _may_be_same(one: list[str], other: list[str]) -> bool:
    if not one or not other:
        return False
    if len(set(one) & set(other)) > 1:
        return True
    if (len(one) == 1 and one[0] in other) or (len(other) == 1 and other[0] in one):
        return True
    return one[-1] == other[-1] and one[0][:INITIAL] == other[0][:INITIAL]
