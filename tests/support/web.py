"""The page over a stage's ports, called without a socket."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

from tests.support.in_memory.council_client import MemoryCouncilClient
from tests.support.in_memory.dead_letter_desk import MemoryDeadLetterDesk
from tests.support.in_memory.deliberation_control import MemoryDeliberationControl
from tests.support.in_memory.event_feed import MemoryEventFeed
from tests.support.in_memory.parking_control import MemoryParkingControl
from tests.support.in_memory.system_watch import MemorySystemWatch
from tests.support.stage import Stage
from web.app import make_app
from web.options import WebOptions
from web.ports import WebPorts
from workers.councils.council_notation import YamlCouncils


def ports_of(
    stage: Stage,
    feed: MemoryEventFeed | None = None,
    client: MemoryCouncilClient | None = None,
    control: MemoryDeliberationControl | None = None,
) -> WebPorts:
    services = stage.services
    return WebPorts(
        plans=services.plans,
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        councils=services.councils,
        notation=YamlCouncils(agents=16),
        engines=services.engines,
        clock=services.clock,
        access_tokens=stage.access_tokens,
        feed=feed or MemoryEventFeed(),
        client=client or MemoryCouncilClient(),
        control=control or MemoryDeliberationControl(),
        dead_letters=MemoryDeadLetterDesk(),
        parking=services.parking,
        parking_control=MemoryParkingControl(),
        system=MemorySystemWatch(),
    )


def browser(
    stage: Stage, *, outages: tuple[type[Exception], ...] = (), peer: str = "testclient", **options: Any
) -> TestClient:
    """Return a client of the page, from that peer, at the page's own address; it follows no redirection."""
    made = WebOptions.model_validate(options)
    app = make_app(ports_of(stage), made, version="0", default_model="tiny", outages=outages, now=stage.clock.now)
    address = made.origin or f"http://127.0.0.1:{made.port}"
    return TestClient(app, base_url=address, follow_redirects=False, client=(peer, 50_000))


def page_of(
    stage: Stage,
    *,
    client: MemoryCouncilClient | None = None,
    control: MemoryDeliberationControl | None = None,
    **options: Any,
) -> TestClient:
    """Return a client of the page without a login, whose forms come from the page itself."""
    made = WebOptions.model_validate(options)
    app = make_app(ports_of(stage, client=client, control=control), made, version="0", now=stage.clock.now)
    address = "http://127.0.0.1:8400"
    return TestClient(app, base_url=address, headers={"Origin": address}, follow_redirects=False)


class Seen(HTMLParser):
    """What a browser would make of a document: its elements with their attributes, and its texts."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All texts, blanks and line ends as one blank."""
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.elements if tag == "a"]

    @property
    def shapes(self) -> list[tuple[str, tuple[str, ...]]]:
        """Elements with the names of their attributes: what no text from outside may add to."""
        return [(tag, tuple(sorted(attributes))) for tag, attributes in self.elements]
