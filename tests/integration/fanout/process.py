"""One process that tells people, to be killed: a worker, or a web server with one beside it.

python process.py worker|server DSN NATS_URL|- FOLDER PORT PAUSE
"""

import sys
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import structlog

from reunite.app.audience_sync import LiveAudience
from reunite.app.bootstrap import open_queue
from reunite.app.metrics import Metrics
from reunite.app.services import Services, Settings
from reunite.broker.live import PostgresLive
from reunite.broker.outbox import PostgresOutbox
from reunite.kernel.clock import SystemClock
from reunite.ports import ChannelName, Delivery, Receipt, ReceiptStatus
from reunite.storage.database import PostgresDatabase
from reunite.storage.photo_files import PhotoDirectory
from reunite.worker.loop import Worker

SETTINGS = Settings(lease=timedelta(seconds=4), requeue_after=timedelta(seconds=8))


class FileChannel:
    """Appends the id of each delivery to a file: what stands there has arrived."""

    name = ChannelName.EMAIL

    def __init__(self, path: Path, pause_seconds: float) -> None:
        self._path = path
        self._pause_seconds = pause_seconds

    def refuses(self, address: str) -> str:
        return ""

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        with self._path.open("ab", buffering=0) as file:
            for delivery in deliveries:
                file.write(f"{delivery.delivery_id}\n".encode())
                time.sleep(self._pause_seconds)
        return [Receipt(ReceiptStatus.SENT)] * len(deliveries)

    def close(self) -> None:
        """Nothing is open between two batches."""


def main() -> None:
    kind, dsn, nats_url, folder, port, pause_seconds = sys.argv[1:]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    database = PostgresDatabase(dsn, PostgresOutbox)
    channel = FileChannel(Path(folder) / "delivered", float(pause_seconds))
    with open_queue(None if nats_url == "-" else nats_url, SETTINGS) as queue:
        services = SimpleNamespace(
            database=database,
            photos=PhotoDirectory(Path(folder) / "photos"),
            audience=LiveAudience(database),
            live=PostgresLive(dsn) if kind == "server" else None,
            clock=SystemClock(),
            settings=SETTINGS,
            channels={channel.name: channel},
            queue=queue,
            metrics=Metrics(),
        )
        worker = Worker(cast("Services", services))
        if kind == "worker":
            worker.run_until(threading.Event())
            return
        # Workers start without all of this.
        import uvicorn  # noqa: PLC0415

        from reunite.web.main import create_web  # noqa: PLC0415

        beside = threading.Thread(target=worker.run_until, args=(threading.Event(),), daemon=True)
        beside.start()
        uvicorn.run(
            create_web(cast("Services", services)),
            port=int(port),
            log_level="error",
            lifespan="off",
        )


if __name__ == "__main__":
    main()
