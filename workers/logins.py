"""Which of the shipped logins may run a command, for the sentence where a server refuses one.

What the servers allow is in workers/stack/conf; tests run every command under every login and compare.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

NATS, VALKEY = "NATS", "Valkey"
NO_JETSTREAM = "its account has no JetStream, or the server runs without it (-js)"


@dataclass(frozen=True)
class Needed:
    """The logins under which a command works; none named of a server means that it can do without that server."""

    nats: tuple[str, ...] = ()
    valkey: tuple[str, ...] = ()

    def of(self, server: str) -> tuple[str, ...]:
        """Return the logins of one server."""
        return self.nats if server == NATS else self.valkey


READS = Needed(valkey=("bridge", "worker", "observer", "page"))
PUBLISHES = Needed(nats=("bridge", "client", "publisher", "page"))
WORKS = Needed(valkey=("worker",))
JETSTREAM = Needed(nats=("bridge",))
COMMANDS = {
    "approve": PUBLISHES,
    "deliberation list": READS,
    "deliberation show": READS,
    "deliberation watch": READS,
    "deliberation replay": READS,
    "deliberation cancel": WORKS,
    "deliberation redeliberate": WORKS,
    "deliberation accept": PUBLISHES,
    "deliberation reject": PUBLISHES,
    "deliberation prefer": PUBLISHES,
    "council apply": Needed(valkey=("worker", "page")),
    "council list": READS,
    "council show": READS,
    "council delete": WORKS,
    "schedule add": WORKS,
    "schedule list": Needed(valkey=("worker", "observer", "page")),
    "schedule rm": WORKS,
    "schedule run-now": WORKS,
    "token create": WORKS,
    "token list": Needed(valkey=("worker", "observer", "page")),
    "token revoke": WORKS,
    "stats": READS,
    "prove": Needed(nats=PUBLISHES.nats, valkey=READS.valkey),
    "consumer create": JETSTREAM,
    "consumer list": JETSTREAM,
    "consumer delete": JETSTREAM,
    "dead-letter list": Needed(nats=("bridge", "worker", "page")),
    "dead-letter show": Needed(nats=("bridge", "worker", "page")),
    "dead-letter replay": Needed(nats=("bridge", "page")),
    "dead-letter purge": Needed(nats=("bridge", "page")),
    "parked list": READS,
    "parked show": READS,
    "parked release": WORKS,
    "parked drop": Needed(valkey=("bridge", "worker")),
    "reconcile": Needed(nats=("bridge", "worker"), valkey=("worker",)),
    "doctor": Needed(nats=("bridge", "worker"), valkey=("bridge", "worker")),
}
"""Command → who may run it whole."""
running: ContextVar[str] = ContextVar("running", default="")
"""The command that runs, as it is typed behind `conclave`."""


def may_not(server: str, user: str | None, why: str) -> str:
    """Say in a sentence that a server's login may not do what the running command asks, and whose may."""
    command = running.get()
    if user:
        head = f"the {server} login {user} may not do all of `conclave {command}`"
    else:
        head = f"`conclave {command}` can't be done without a {server} login"
    allowed = COMMANDS.get(command, Needed()).of(server)
    remedy = f"of the shipped logins {' or '.join(allowed)} may" if allowed else "give the login that right"
    return f"{head} ({why}); {remedy}"
