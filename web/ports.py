"""What the page needs of the rest: the domain's ports for reading and asking."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.ports.access_token_store import AccessTokenStore
from domain.ports.clock import Clock
from domain.ports.council_client import CouncilClient
from domain.ports.council_notation import CouncilNotation
from domain.ports.council_registry import CouncilRegistry
from domain.ports.dead_letter_desk import DeadLetterDesk
from domain.ports.deliberation_control import DeliberationControl
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_feed import EventFeed
from domain.ports.parking import Parking
from domain.ports.parking_control import ParkingControl
from domain.ports.plan_store import PlanStore
from domain.ports.system_watch import SystemWatch
from domain.ports.verdict_store import VerdictStore
from web.stopping import Stopping


@dataclass(frozen=True)
class WebPorts:
    """Ports that are called from a pool of threads, several at once."""

    plans: PlanStore
    """Only read, for what a key stands for."""
    deliberations: DeliberationStore
    verdicts: VerdictStore
    councils: CouncilRegistry
    notation: CouncilNotation
    engines: EngineDirectory
    clock: Clock
    """The store's clock, which durations follow."""
    access_tokens: AccessTokenStore
    feed: EventFeed
    """Called from the event loop."""
    client: CouncilClient
    """Called from the event loop."""
    control: DeliberationControl
    """Called from the pool of threads."""
    dead_letters: DeadLetterDesk
    """Called from the event loop."""
    parking: Parking
    """Only read: the page's login may not change what lies aside."""
    parking_control: ParkingControl
    system: SystemWatch
    stopping: Stopping = field(default_factory=Stopping)
    """Begun by the process that serves, when it is to end."""
