"""What checks found of decisions, said as verdicts: an installation learns from them what P(winner) is worth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from domain.ports.deliberation_store import DeliberationStore
from domain.proving.outcome import TaskOutcome
from domain.verdict import CHECK
from workers.cli.environment import open_ports
from workers.cli.output import complain
from workers.settings import Settings


def publish_verdicts(outcomes: Sequence[TaskOutcome], settings: Settings) -> None:
    """Publish a verdict on each decision of which its check tells something; published again it is the same one.

    A decision that the store has no more is left out. Raises CliError where a server can't be reached.
    """
    from workers.cli.nats_session import NatsSession

    telling = [outcome for outcome in outcomes if outcome.verdict]
    with open_ports(settings) as ports, NatsSession.to(settings) as wire:
        payloads = [payload for outcome in telling if (payload := _payload(outcome, ports.deliberations))]
        for payload in payloads:
            wire.judge(payload)
    complain(f"P(winner) learns from {len(payloads)} of {len(outcomes)} tasks")


def _payload(outcome: TaskOutcome, deliberations: DeliberationStore) -> bytes | None:
    """Return the message; None past the deliberation's retention."""
    closed = None
    with suppress(LookupError):
        closed = deliberations.load(outcome.deliberation_id).closed
    if closed is None:
        return None
    # Of one decision it is one verdict, however often it is said: the time, which is part of its id, is the end's.
    fields = {
        "deliberation_id": outcome.deliberation_id,
        "verdict": outcome.verdict,
        "by": CHECK,
        "timestamp": datetime.fromtimestamp(closed.at, UTC).isoformat(),
    }
    return json.dumps(fields).encode()
