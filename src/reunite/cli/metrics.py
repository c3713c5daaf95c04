"""Measurements for Prometheus, on the loopback address only."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from reunite.app.measure_queues import QueueCollector
from reunite.app.services import Services
from reunite.kernel.errors import ReuniteError

LOOPBACK = "127.0.0.1"


@contextmanager
def metrics_beside(services: Services, port: int | None) -> Iterator[int | None]:
    """Serve ``/metrics`` of this process for as long as the block lasts; the port, if any.

    Whoever may use the machine may read them; a Prometheus elsewhere reads them through a
    proxy that the operator trusts.  0 chooses a free port.  Raises ReuniteError ``port_taken``.
    """
    if port is None:
        yield None
        return
    services.metrics.registry.register(QueueCollector(services))
    try:
        server, thread = start_http_server(port, LOOPBACK, services.metrics.registry)
    except OSError as error:
        raise ReuniteError("port_taken", host=LOOPBACK, port=port) from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
