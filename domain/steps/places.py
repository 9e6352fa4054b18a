"""Plans wait until their publisher has a place for them, and are dispatched when it has."""

from __future__ import annotations

from domain.places import Place
from domain.plan import PlanRequest
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.plan_places import PlanPlaces
from domain.ports.plan_store import PlanStore


def ask_for_place(request_id: str, *, plans: PlanStore, places: PlanPlaces) -> tuple[PlanRequest, Place]:
    """Return the request and whether it may be dispatched. Raises LookupError if it is not in the plan store."""
    request = plans.load(request_id)
    return request, places.take(request)


def fill_places(publisher: str, *, plans: PlanStore, places: PlanPlaces, dispatcher: Dispatcher) -> None:
    """Queue the dispatch of the publisher's plans that wait for a place which is free by now."""
    for request_id in places.settle(publisher):
        dispatcher.plans([plans.load(request_id)])


def fill_places_after(
    deliberation_id: str,
    *,
    deliberations: DeliberationStore,
    plans: PlanStore,
    places: PlanPlaces,
    dispatcher: Dispatcher,
) -> None:
    """Fill the places of the publisher whose deliberation this is; nothing where there is no bound."""
    if places.bounded:
        publisher = deliberations.load(deliberation_id).deliberation.plan.approved_by
        fill_places(publisher, plans=plans, places=places, dispatcher=dispatcher)


def fill_all_places(*, plans: PlanStore, places: PlanPlaces, dispatcher: Dispatcher) -> None:
    """Fill every publisher's places: what a worker that died left undone, and what was cancelled."""
    for publisher in places.publishers():
        fill_places(publisher, plans=plans, places=places, dispatcher=dispatcher)
