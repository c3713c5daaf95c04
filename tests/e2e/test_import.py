"""An import that is killed goes on where it was, without duplicates."""

import os
import signal
import subprocess
from io import BytesIO
from pathlib import Path

import psycopg
from PIL import Image, ImageEnhance

from reunite.storage.server import find_running
from tests.photos import pairs, special
from tests.servers import REUNITE, Server, environment, run_cli, wait_until

# A thousand on demand: REUNITE_TEST_IMPORT_IMAGES=1000.
IMAGES = int(os.environ.get("REUNITE_TEST_IMPORT_IMAGES", "160"))


def write_photos(folder: Path, count: int) -> None:
    """Different pictures of a few people, small, each in a file of its own."""
    folder.mkdir()
    people = pairs()
    for number in range(count):
        image = Image.open(BytesIO(people[number % len(people)].older)).convert("RGB")
        image.thumbnail((260, 260))
        brightness = 0.8 + 0.4 * number / count
        ImageEnhance.Brightness(image).enhance(brightness).save(
            folder / f"person-{number:04}.jpg", quality=90
        )


def rows(dsn: str) -> tuple[int, int, int]:
    """Cases, photos and templates that are committed."""
    with psycopg.connect(dsn) as connection:
        counted = connection.execute(
            "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM photos),"
            " (SELECT count(*) FROM templates)"
        ).fetchone()
    assert counted is not None
    return counted[0], counted[1], counted[2]


def test_a_killed_import_goes_on(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, IMAGES)
    (folder / "text.jpg").write_text("not a photo")
    (folder / "cat.jpg").write_bytes(special("no-face-cat"))
    (folder / "again.jpg").write_bytes((folder / "person-0000.jpg").read_bytes())
    station = server.add_account("station", "officer")
    server.start("--no-worker")
    running = find_running(server.data / "database")
    assert running is not None
    dsn = running.dsn
    arguments = ["import-photos", str(folder), "--side", "found", "--module", "elder"]
    arguments += ["--as", station, "--report", str(tmp_path / "report.csv")]

    importing = subprocess.Popen(
        [*REUNITE, *arguments],
        env=environment(server.data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: rows(dsn)[1] >= IMAGES // 4, seconds=120)
    importing.send_signal(signal.SIGKILL)
    importing.wait(10)
    so_far = rows(dsn)[1]
    assert IMAGES // 4 <= so_far < IMAGES

    done = run_cli(server.data, *arguments)
    report = (tmp_path / "report.csv").read_text(encoding="utf-8-sig")
    assert rows(dsn) == (IMAGES, IMAGES, IMAGES)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("photo_not_an_image", "photo_no_face"):
        assert word in report, report
    again = run_cli(server.data, *arguments)
    assert again.returncode == 0, again.stdout + again.stderr
    assert rows(dsn) == (IMAGES, IMAGES, IMAGES)
