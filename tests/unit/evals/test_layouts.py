"""Published folders are read for what their names say, and sealed people stay sealed."""

import hashlib
import pickle
from pathlib import Path

import pytest

from evals.faces.layouts import Split, data_digest, is_sealed, of_split, read_bin, read_lfw_pairs
from evals.faces.strangers import without_people
from reunite.faces.labelled import LabelledPhoto, Layout, detect_layout, read_folder
from reunite.kernel.errors import InvalidInputError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def test_lag_tells_young_by_folder(tmp_path: Path) -> None:
    folder = touch(tmp_path, "Ann/1.png", "Ann/y/2.png", "README.txt")
    assert detect_layout(folder) is Layout.LAG
    photos = read_folder(folder)
    assert [(p.person, p.young) for p in photos] == [("Ann", False), ("Ann", True)]


def test_fgnet_tells_person_and_age(tmp_path: Path) -> None:
    folder = touch(tmp_path, "001A02.JPG", "001A43a.JPG", "notes.jpg")
    assert detect_layout(folder) is Layout.FGNET
    photos = read_folder(folder)
    assert [(p.person, p.age_years, p.young) for p in photos] == [
        ("001", 2, True),
        ("001", 43, False),
    ]


def test_utkface_tells_age_and_sex_and_nobodys_name(tmp_path: Path) -> None:
    folder = touch(tmp_path, "4_1_2_20170109.jpg", "61_0_20170109.jpg", "80_0_0_2017.jpg.chip.jpg")
    assert detect_layout(folder) is Layout.UTKFACE
    photos = read_folder(folder)
    assert [(p.person, p.age_years, p.sex) for p in photos] == [("", 4, "female"), ("", 80, "male")]


def test_lfw_pairs_name_files_and_folds(tmp_path: Path) -> None:
    folder = touch(tmp_path, "A_B/A_B_0001.jpg", "A_B/A_B_0002.jpg", "C/C_0001.jpg")
    assert detect_layout(folder) is Layout.LFW
    pairs_file = tmp_path / "pairs.txt"
    pairs_file.write_text("2\t1\nA_B\t1\t2\nA_B\t1\tC\t1\nA_B\t2\t1\nC\t1\tA_B\t2\n")
    pairs = read_lfw_pairs(pairs_file, folder)
    assert [(p.same, p.fold) for p in pairs] == [(True, 0), (False, 0), (True, 1), (False, 1)]
    assert pairs[0].second == folder / "A_B" / "A_B_0002.jpg"


def test_an_unknown_folder_is_said_to_be_unknown(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="folder_layout_unknown"):
        detect_layout(touch(tmp_path, "holiday.jpg"))


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_bin_file_holds_pictures_and_pairs(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "set.bin"
    path.write_bytes(pickle.dumps(([b"\xff\xd8a", b"\xff\xd8b"], [True]), protocol=protocol))
    read = read_bin(path)
    assert (read.pictures, read.same) == ([b"\xff\xd8a", b"\xff\xd8b"], [True])


def test_a_bin_file_cannot_run_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.bin"
    path.write_bytes(pickle.dumps(([tmp_path], [True])))
    with pytest.raises(pickle.UnpicklingError):
        read_bin(path)


def test_sealed_people_are_those_of_the_upper_half_of_digits() -> None:
    names = [f"person {i}" for i in range(200)]
    sealed = [name for name in names if is_sealed(name)]
    assert 60 < len(sealed) < 140
    assert all(int(hashlib.sha256(n.encode()).hexdigest()[-1], 16) >= 8 for n in sealed)
    photos = [LabelledPhoto(Path(name), person=name) for name in names]
    assert len(of_split(photos, Split.DEV)) + len(of_split(photos, Split.SEALED)) == 200


def test_strangers_are_nobody_who_may_be_searched_for() -> None:
    photos = [
        LabelledPhoto(Path(name), person=name)
        for name in ("Tara_Reid", "Sean_Combs", "Cher", "Tina_Conner", "Jose_Perez", "Bob_Reed")
    ]
    kept, dropped = without_people(photos, {"tara reid", "sean_p_diddy_combs", "cher", "T_Conner"})
    assert dropped == ["Cher", "Sean_Combs", "Tara_Reid", "Tina_Conner"]
    assert [photo.person for photo in kept] == ["Jose_Perez", "Bob_Reed"]


def test_the_digest_of_the_data_follows_names_and_contents(tmp_path: Path) -> None:
    folder = touch(tmp_path, "Ann/y/1.png", "Ann/2.png")
    before = data_digest(read_folder(folder), folder)
    assert before == data_digest(read_folder(folder), folder)
    (folder / "Ann" / "2.png").write_bytes(b"other")
    assert data_digest(read_folder(folder), folder) != before
