"""Where and how records lie in the store, spelled out: what version 0.1 wrote there is found as it was."""

from __future__ import annotations

import json

from redis import Redis

from domain.access_token import AccessToken, digest_of
from domain.identity import digest
from domain.rights import Right
from tests.support.factories import (
    closed,
    completed_body,
    deliberation,
    event,
    opened,
    plan,
    plan_request,
    proposed,
    verdict,
)
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import redis_stores

MOMENT = 1_753_000_000.1234567
"""More digits than the 14 that Lua's JSON encoder would keep of a number."""


def test_what_version_0_1_wrote_is_read_and_written_on(client: Redis, prefix: str) -> None:
    clock = MemoryClock(MOMENT)
    stores = redis_stores(client, clock, prefix=prefix)
    begun, request, pending, put = deliberation(), plan_request(), event(), event()
    identity, plan_id = begun.deliberation_id, begun.plan.plan_id
    entries = {"opened": opened(begun), "proposal/0/agent-1": proposed("agent-1")}
    for key, entry in entries.items():
        client.hset(f"{prefix}deliberation:{{{identity}}}", key, entry.model_dump_json())
    client.hset(f"{prefix}deliberation:{{{identity}}}", "#fence", 7)
    for index in ("deliberations:open", "deliberations:newest", f"plan:{{{digest(plan_id)}}}:deliberations"):
        client.zadd(f"{prefix}{index}", {identity: MOMENT})
    client.hset(f"{prefix}tally", "total|decided", 41)
    client.zadd(f"{prefix}outbox:order", {pending.event_id: pending.occurred_at})
    client.hset(f"{prefix}outbox:events", pending.event_id, pending.model_dump_json())
    client.zadd(f"{prefix}outbox:known", {pending.event_id: MOMENT, put.event_id: MOMENT})
    client.set(f"{prefix}request:{{{request.request_id}}}", request.model_dump_json())
    client.set(f"{prefix}plan:{{{digest(request.plan.plan_id)}}}:request", request.request_id)
    client.zadd(f"{prefix}requests:undispatched", {request.request_id: MOMENT})

    assert dict(stores.deliberations.load(identity).entries) == entries
    assert stores.deliberations.newest(5) == stores.deliberations.of_plan(plan_id) == (identity,)
    assert stores.deliberations.open_untouched_since(MOMENT + 1, 5) == (identity,)
    assert stores.deliberations.take_over(identity) == 8
    assert stores.outbox.pending(5) == (pending,)
    assert stores.outbox.put([put]) == ()
    assert stores.plans.latest(request.plan.plan_id) == stores.plans.load(request.request_id) == request
    assert stores.plans.take_overdue(MOMENT + 1, 5) == (request.request_id,)
    stores.deliberations.record(identity, closed(), counters={"total|decided": 1}, token=8)
    assert stores.deliberations.counts() == {"total|decided": 42}
    assert stores.deliberations.count_open() == 0


def test_every_key_has_the_name_that_version_0_1_gave_it(client: Redis, prefix: str) -> None:
    stores = redis_stores(client, MemoryClock(MOMENT), prefix=prefix)
    request = plan_request()
    begun = deliberation(request.plan)
    stores.plans.save([request])
    stores.deliberations.record(
        begun.deliberation_id, opened(begun), events=[event()], counters={"total|opened": 1}
    )
    plan = f"{prefix}plan:{{{digest(request.plan.plan_id)}}}"
    assert {str(key) for key in client.scan_iter(f"{prefix}*")} == {
        f"{prefix}request:{{{request.request_id}}}",
        f"{plan}:request",
        f"{plan}:deliberations",
        f"{prefix}requests:undispatched",
        f"{prefix}deliberation:{{{begun.deliberation_id}}}",
        *(
            f"{prefix}{name}"
            for name in ("deliberations:open", "deliberations:newest", "deliberations:continuity", "tally")
        ),
        *(f"{prefix}outbox:{name}" for name in ("order", "events", "known")),
    }


def test_places_of_plans_lie_among_the_requests_which_a_bridge_may_read(client: Redis, prefix: str) -> None:
    stores = redis_stores(client, MemoryClock(MOMENT), prefix=prefix, places=1)
    running, waiting = (plan_request(plan(approved_by="red", priority="high")) for _ in range(2))
    stores.plans.save([running, waiting])
    stores.places.take(running)
    stores.places.take(waiting)
    red = f"{{{digest('red')}}}"
    assert client.smembers(f"{prefix}requests:publishers") == {"red"}
    assert client.zscore(f"{prefix}requests:places:{red}", running.request_id) == MOMENT
    assert client.zscore(f"{prefix}requests:waiting:{red}", waiting.request_id) == MOMENT - 600
    assert client.ttl(f"{prefix}request:{{{waiting.request_id}}}") == -1


def test_verdicts_lie_under_names_of_their_own_which_a_bridge_may_write(client: Redis, prefix: str) -> None:
    stores = redis_stores(client, MemoryClock(MOMENT), prefix=prefix)
    judged, waiting = deliberation(), deliberation()
    awaiting = completed_body(awaiting_verdict=True, expires_at=MOMENT + 7)
    for begun, body in ((judged, completed_body()), (waiting, awaiting)):
        stores.deliberations.record(begun.deliberation_id, opened(begun))
        stores.deliberations.record(begun.deliberation_id, closed(result=body))
    said = verdict(judged.deliberation_id)
    stores.verdicts.record(said, after=0, counters={"x": 1})
    assert {str(key) for key in client.scan_iter(f"{prefix}verdicts:*")} == {
        f"{prefix}verdicts:of:{{{judged.deliberation_id}}}",
        f"{prefix}verdicts:awaited",
        f"{prefix}verdicts:tally",
    }
    assert client.zscore(f"{prefix}verdicts:awaited", waiting.deliberation_id) == MOMENT + 7
    stored = client.hget(f"{prefix}verdicts:of:{{{judged.deliberation_id}}}", said.verdict_id)
    assert stored == said.model_dump_json()


def test_access_tokens_lie_under_a_name_that_bridges_do_not_read(client: Redis, prefix: str) -> None:
    token = AccessToken(name="ci", digest=digest_of("t"), rights=frozenset({Right.READ}), created_at=MOMENT)
    redis_stores(client, MemoryClock(MOMENT), prefix=prefix).access_tokens.save(token)
    assert client.hgetall(f"{prefix}tokens") == {digest_of("t"): token.model_dump_json()}


def test_times_and_texts_are_kept_to_the_last_digit_and_letter(client: Redis, prefix: str) -> None:
    clock = MemoryClock(MOMENT)
    stores = redis_stores(client, clock, prefix=prefix)
    request, begun = plan_request(), deliberation()
    body = completed_body(**{"é\u2028\x00": [2**60, 0.1 + 0.2, "\\u0000 \U0001f600"]})
    late = event(occurred_at=MOMENT + 0.0000005, body=body)
    stores.plans.save([request])
    stores.deliberations.record(begun.deliberation_id, opened(begun), events=[late])

    for index, member in (
        ("deliberations:open", begun.deliberation_id),
        ("deliberations:newest", begun.deliberation_id),
        (f"plan:{{{digest(begun.plan.plan_id)}}}:deliberations", begun.deliberation_id),
        ("outbox:known", late.event_id),
        ("requests:undispatched", request.request_id),
    ):
        assert client.zscore(f"{prefix}{index}", member) == MOMENT, index
    assert client.zscore(f"{prefix}outbox:order", late.event_id) == late.occurred_at
    clock.advance(0.0000007)
    stores.plans.take_overdue(clock.now(), 5)
    stores.deliberations.take_over(begun.deliberation_id)
    for index, member in (
        ("requests:undispatched", request.request_id),
        ("deliberations:open", begun.deliberation_id),
    ):
        assert client.zscore(f"{prefix}{index}", member) == clock.now() != MOMENT, index
    assert client.hget(f"{prefix}outbox:events", late.event_id) == late.model_dump_json()
    assert client.hget(f"{prefix}deliberation:{{{begun.deliberation_id}}}", "opened") == (
        opened(begun).model_dump_json()
    )
    assert json.loads(str(client.hget(f"{prefix}outbox:events", late.event_id)))["occurred_at"] == late.occurred_at
