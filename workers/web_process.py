"""The page as a running process: uvicorn over the store's ports."""

from __future__ import annotations

import asyncio
import os
import signal
from importlib.metadata import version
from socket import socket
from types import FrameType

import structlog
import uvicorn
from celery import Celery
from fastapi import FastAPI
from kombu.exceptions import OperationalError
from redis.exceptions import NoPermissionError, RedisError

from bridge.council_client import NatsCouncilClient
from bridge.dead_letter_desk import NatsDeadLetterDesk
from bridge.event_feed import NatsEventFeed
from tasks.deliberation_control import CeleryDeliberationControl
from tasks.parking_control import CeleryParkingControl
from web.app import make_app
from web.ports import WebPorts
from web.stopping import Stopping
from workers import logs
from workers.app import make_app as celery_app
from workers.councils.council_notation import YamlCouncils
from workers.errors import Unavailable
from workers.settings import Settings, unknown_settings
from workers.store_ports import StorePorts
from workers.system_watch import CelerySystemWatch

log = structlog.get_logger("web")

PATIENCE_S = 2.0
"""How long a request rides out an outage of the store: a person waits for it."""
END_WITHIN_S = 5
"""For how long requests in hand go on after the signal to stop."""


def serve_web(settings: Settings) -> None:
    """Serve the page until SIGTERM or SIGINT. Raises Unavailable where it may not listen there without a login."""
    if settings.web.refusal:
        raise Unavailable(settings.web.refusal)
    logs.configure(level=settings.log_level, as_json=settings.log_json)
    for unknown in unknown_settings():
        log.warning(unknown)
    app = application(settings)
    server = PageServer(server_config(settings, app), app.state.stopping)
    log.info("page served", host=settings.web.host, port=settings.web.port, login=bool(settings.web.users))
    server.run_until_signalled()


class PageServer(uvicorn.Server):
    """Ends at once while it starts; later no request that only waits for something to happen holds up its end."""

    def __init__(self, config: uvicorn.Config, stopping: Stopping) -> None:
        super().__init__(config)
        self._stopping = stopping

    def run_until_signalled(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        # uvicorn raises the signal that ended it once more, which must not end the process as killed.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        asyncio.run(self.serve())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:  # uvicorn would first import and start the rest, which takes seconds
            os._exit(0)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._stopping.begin()
        await super().shutdown(sockets)


def server_config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    """Say how uvicorn serves the page; log lines go where the others of this process go."""
    return uvicorn.Config(
        app,
        host=settings.web.host,
        port=settings.web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_WITHIN_S,
    )


def application(settings: Settings) -> FastAPI:
    """Wire the page to the store."""
    return make_app(
        web_ports(settings),
        settings.web,
        version=version("conclave-council"),
        default_model=settings.model,
        outages=(RedisError, OperationalError),
        denials=(NoPermissionError,),
    )


def web_ports(settings: Settings) -> WebPorts:
    """Return the ports of pages and programs; nothing connects yet."""
    ports, app = StorePorts(settings, patience_s=PATIENCE_S), _broker(settings)
    return WebPorts(
        plans=ports.plans,
        deliberations=ports.deliberations,
        verdicts=ports.verdicts,
        councils=ports.councils,
        notation=YamlCouncils(agents=settings.policy.limits.agents),
        engines=ports.engines,
        clock=ports.clock,
        access_tokens=ports.access_tokens,
        feed=NatsEventFeed(settings.nats),
        client=NatsCouncilClient(settings.nats),
        control=CeleryDeliberationControl(app),
        dead_letters=NatsDeadLetterDesk(settings.nats, durables=settings.bridge.durables),
        parking=ports.parking,
        parking_control=CeleryParkingControl(app),
        system=CelerySystemWatch(settings, ports, app),
    )


def _broker(settings: Settings) -> Celery:
    """Return the application whose queue takes orders; connects at the first one.

    It tells Flower of no task that it sends: for that the page's login would need the right to publish to workers.
    """
    app = celery_app(settings)
    app.conf.task_send_sent_event = False
    app.conf.task_publish_retry_policy = {"max_retries": 3, "interval_start": 0, "interval_step": 0.5}
    return app
