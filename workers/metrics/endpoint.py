"""`/metrics` over HTTP."""

from __future__ import annotations

import structlog
from prometheus_client import CollectorRegistry, start_http_server

log = structlog.get_logger("conclave.metrics")


def serve_metrics(registry: CollectorRegistry, *, host: str, port: int) -> bool:
    """Serve the registry on a thread until the process ends; port 0 serves nothing.

    A port that is taken is said in one line and costs nothing else: False.
    """
    if port == 0:
        return False
    try:
        start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        log.error(
            "metrics not served", address=f"{host}:{port}", error=str(error), remedy="set another metrics_port"
        )
        return False
    log.info("metrics served", address=f"http://{host}:{port}/metrics")
    return True
