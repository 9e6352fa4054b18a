"""What the store says of an approval beforehand, as far as it can be asked: a publisher needs NATS alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

from bridge.rejection import other_content
from domain.council import Council, council_of, no_council
from domain.plan import PlanRequest
from domain.value import Value
from workers.cli.cli_error import BadInput, CliError
from workers.cli.environment import open_ports
from workers.settings import Settings


class Supply(Value):
    """Who could deliberate now."""

    councils: dict[str, Council]
    served: frozenset[str]
    """Models that an engine serves."""


def refuse_other_content(request: PlanRequest, *, source: str, settings: Settings) -> None:
    """Raise BadInput where the store keeps another content under the key, which the bridge would reject.

    Where the store can't be asked, the bridge's dead letter tells it.
    """
    kept = request
    with suppress(CliError, LookupError), open_ports(settings) as ports:
        kept = ports.plans.load(request.request_id)
    if not request.asks_as(kept):
        raise BadInput(f"{source} can't be approved: {other_content(request, kept)}")


def supply_of(settings: Settings) -> Supply | None:
    """Return who could deliberate; None where the store can't be asked."""
    with suppress(CliError), open_ports(settings) as ports:
        return Supply(
            councils={council.role: council for council in ports.councils.all()},
            served=frozenset(record.model for record in ports.engines.all() if record.ready),
        )
    return None


def as_councils_write(request: PlanRequest, supply: Supply | None) -> PlanRequest:
    """Return the request with its roles in their councils' spelling."""
    by_role = supply.councils if supply else {}
    found = {role: council_of(role, by_role) for role in request.plan.roles}
    roles = tuple(council.role if council else role for role, council in found.items())
    return request.model_copy(update={"plan": request.plan.model_copy(update={"roles": roles})})


def lacks(request: PlanRequest, supply: Supply | None, settings: Settings) -> Iterator[str]:
    """Say which roles have no council, and which of a council's models no engine serves now."""
    if supply is None:
        return
    for role in request.plan.roles:
        council = council_of(role, supply.councils)
        if council is None:
            yield no_council(role, supply.councils)
        else:
            yield from _not_served(council, supply, settings)


def _not_served(council: Council, supply: Supply, settings: Settings) -> Iterator[str]:
    agents: dict[str, list[str]] = defaultdict(list)
    for agent in council.members:
        agents[agent.model or settings.model].append(agent.agent_id)
    there_are = ", ".join(sorted(supply.served)) or "nothing"
    for model in sorted(agents.keys() - supply.served):
        names = ", ".join(agents[model])
        yield (
            f"no engine serves {model} (served: {there_are}): {names} of {council.role} will wait "
            f"{settings.policy.model_wait_s:g} s for one and then fail; `conclave doctor` says more"
        )
