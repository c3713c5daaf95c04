"""Each older photo, uploaded as a search, brings up the newer photo of the same person first."""

from pathlib import Path

import httpx

from tests.photos import distractors, pairs, special
from tests.servers import Server, run_cli


def test_older_photos_find_the_newer_ones(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "newer"
    for pair in pairs():
        (folder / pair.person).mkdir(parents=True)
        (folder / pair.person / "photo.jpg").write_bytes(pair.newer)
    for number, photo in enumerate(distractors()):
        (folder / f"somebody-{number}.jpg").write_bytes(photo)
    station = server.add_account("station", "officer")
    family = server.add_account("family", "family")
    reviewer = server.add_account("reviewer", "reviewer")
    done = run_cli(
        server.data,
        "import-photos", str(folder), "--side", "found", "--module", "elder",
        "--as", station, "--verified-by", reviewer, "--publish",
        "--report", str(tmp_path / "report.csv"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    server.start()
    client = server.client(family)
    first = []
    for pair in pairs():
        started = client.post("/searches", files={"photo": ("p.jpg", pair.older, "image/jpeg")})
        assert started.status_code == httpx.codes.CREATED, started.text
        assert not started.json()["needs_choice"]
        result = client.get(f"/searches/{started.json()['token']}").json()
        assert result["searched"] == len(pairs()) + len(distractors())
        first.append(result["resemblances"][0]["case"]["name"] == pair.person.replace("-", " "))
    assert all(first), f"{sum(first)} of {len(first)}"

    for name, code in (
        ("tiny-face", "face_too_small"),
        ("blurred-face", "face_blurred"),
        ("no-face-cat", "photo_no_face"),
    ):
        answer = client.post("/searches", files={"photo": ("p.jpg", special(name), "image/jpeg")})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert answer.json()["code"] == code
