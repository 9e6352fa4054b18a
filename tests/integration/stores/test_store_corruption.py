"""Keys of another kind, and counters at their limit: a write is refused whole, and the error says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from domain.deliberation import Deliberation
from tests.support.factories import closed, deliberation, event, opened, plan_request, proposed
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import Stores, redis_stores
from workers.adapters.redis.keys import Keys

BEGUN, REQUEST = deliberation(), plan_request()
COUNTER = "total|decided"


@pytest.fixture
def stores(client: Redis, prefix: str) -> Stores:
    return redis_stores(client, MemoryClock(), prefix=prefix)


def open_one(stores: Stores, begun: Deliberation) -> None:
    counters = {"total|opened": 1}
    stores.deliberations.record(begun.deliberation_id, opened(begun), events=[event()], counters=counters)


def end_one(stores: Stores) -> None:
    stores.deliberations.record(BEGUN.deliberation_id, closed(), events=[event()], counters={"total|agents": 3})


def snapshot(client: Redis, prefix: str) -> dict[str, object]:
    return {str(key): client.dump(key) for key in client.scan_iter(f"{prefix}*")}


def assert_refused_whole(client: Redis, prefix: str, act: Callable[[], object], match: str) -> None:
    before = snapshot(client, prefix)
    with pytest.raises(ResponseError, match=match):
        act()
    assert snapshot(client, prefix) == before


@pytest.mark.parametrize(
    "key",
    [
        lambda keys: keys.deliberation(BEGUN.deliberation_id),
        lambda keys: keys.open,
        lambda keys: keys.newest,
        lambda keys: keys.of_plan(BEGUN.plan.plan_id),
        lambda keys: keys.outbox_order,
        lambda keys: keys.outbox_events,
        lambda keys: keys.outbox_put_ids,
        lambda keys: keys.counters,
    ],
    ids=["deliberation", "open", "newest", "of_plan", "order", "events", "put_ids", "counters"],
)
def test_an_opening_over_a_key_of_another_kind_writes_nothing(
    client: Redis, prefix: str, stores: Stores, key: Callable[[Keys], str]
) -> None:
    spoilt = key(Keys(prefix))
    client.set(spoilt, "another program's")
    assert_refused_whole(client, prefix, lambda: open_one(stores, BEGUN), f"{spoilt} holds a string where a")
    client.delete(spoilt)
    open_one(stores, BEGUN)
    assert stores.deliberations.newest(10) == (BEGUN.deliberation_id,)


@pytest.mark.parametrize("spoil_open", [False, True], ids=["deliberation", "open"])
def test_an_answer_over_a_key_of_another_kind_writes_nothing(
    client: Redis, prefix: str, stores: Stores, spoil_open: bool
) -> None:
    open_one(stores, BEGUN)
    keys = Keys(prefix)
    spoilt = keys.open if spoil_open else keys.deliberation(BEGUN.deliberation_id)
    client.rename(spoilt, f"{prefix}kept")
    client.set(spoilt, "another program's")

    def answer() -> None:
        stores.deliberations.record(BEGUN.deliberation_id, proposed("agent-1"))

    assert_refused_whole(client, prefix, answer, f"{spoilt} holds a string where a")
    client.rename(f"{prefix}kept", spoilt)
    answer()
    assert stores.deliberations.load(BEGUN.deliberation_id).attempt(0, "agent-1") is not None


@pytest.mark.parametrize("name", ["open", "outbox_order", "outbox_events", "outbox_put_ids", "counters"])
def test_an_end_over_a_key_of_another_kind_writes_nothing(
    client: Redis, prefix: str, stores: Stores, name: str
) -> None:
    open_one(stores, BEGUN)
    spoilt = getattr(Keys(prefix), name)
    client.delete(spoilt)
    client.rpush(spoilt, "another program's")
    assert_refused_whole(client, prefix, lambda: end_one(stores), f"{spoilt} holds a list where a")
    client.delete(spoilt)
    end_one(stores)
    assert stores.deliberations.load(BEGUN.deliberation_id).closed is not None


@pytest.mark.parametrize("stored", [str(2**53), str(2**53 - 1), str(-(2**53)), "1e999", "1.5", "many", ""])
def test_a_counter_that_can_not_be_raised_exactly_refuses_the_end(
    client: Redis, prefix: str, stores: Stores, stored: str
) -> None:
    open_one(stores, BEGUN)
    counters = {"total|agents": 3, COUNTER: -1 if stored.startswith("-") else 1}

    def end() -> None:
        stores.deliberations.record(BEGUN.deliberation_id, closed(), events=[event()], counters=counters)

    client.hset(Keys(prefix).counters, COUNTER, stored)
    assert_refused_whole(client, prefix, end, f"counter total.decided in {Keys(prefix).counters}")
    client.hset(Keys(prefix).counters, COUNTER, str(2**53 - 2))
    counters[COUNTER] = 1
    end()
    assert stores.deliberations.counts() == {"total|opened": 1, "total|agents": 3, COUNTER: 2**53 - 1}


def test_an_amount_beyond_a_doubles_whole_numbers_refuses_the_end(
    client: Redis, prefix: str, stores: Stores
) -> None:
    open_one(stores, BEGUN)
    for amount in (2**53, -(2**53), 2**70):
        assert_refused_whole(
            client,
            prefix,
            lambda amount=amount: stores.deliberations.record(  # type: ignore[misc]  # bound at once
                BEGUN.deliberation_id, closed(), counters={COUNTER: amount}
            ),
            "can not be raised",
        )


def test_a_retention_that_no_expiry_can_hold_is_refused_before_anything_is_written(client: Redis) -> None:
    with pytest.raises(ValueError, match="retention of 1e\\+13 s"):
        redis_stores(client, MemoryClock(), retention_s=1e13)


@pytest.mark.parametrize("name", ["outbox_order", "outbox_events", "outbox_put_ids"])
def test_a_put_over_a_key_of_another_kind_writes_nothing(
    client: Redis, prefix: str, stores: Stores, name: str
) -> None:
    spoilt = getattr(Keys(prefix), name)
    client.set(spoilt, "another program's")
    assert_refused_whole(client, prefix, lambda: stores.outbox.put([event()]), spoilt)


@pytest.mark.parametrize(
    "key",
    [
        lambda keys: keys.request(REQUEST.request_id),
        lambda keys: keys.latest_request(REQUEST.plan.plan_id),
        lambda keys: keys.undispatched,
    ],
    ids=["request", "latest", "undispatched"],
)
def test_a_plan_is_not_kept_over_a_key_of_another_kind(
    client: Redis, prefix: str, stores: Stores, key: Callable[[Keys], str]
) -> None:
    spoilt = key(Keys(prefix))
    client.rpush(spoilt, "another program's")
    assert_refused_whole(client, prefix, lambda: stores.plans.save([REQUEST]), f"{spoilt} holds a list where a")
    client.delete(spoilt)
    stores.plans.save([REQUEST])
    assert stores.plans.count_undispatched() == 1


def test_taking_over_with_an_index_of_another_kind_gives_no_token(
    client: Redis, prefix: str, stores: Stores
) -> None:
    open_one(stores, BEGUN)
    open_index = Keys(prefix).open
    client.delete(open_index)
    client.set(open_index, "another program's")
    assert_refused_whole(client, prefix, lambda: stores.deliberations.take_over(BEGUN.deliberation_id), open_index)
    client.delete(open_index)
    assert stores.deliberations.take_over(BEGUN.deliberation_id) == 1


def test_a_token_of_another_kind_is_told_and_counts_as_none_of_ours(
    client: Redis, prefix: str, stores: Stores
) -> None:
    open_one(stores, BEGUN)
    token = stores.deliberations.take_over(BEGUN.deliberation_id)
    client.hset(Keys(prefix).deliberation(BEGUN.deliberation_id), "#fence", "many")
    before = snapshot(client, prefix)
    with pytest.raises(Exception, match="many is the newest"):
        stores.deliberations.record(BEGUN.deliberation_id, proposed(), token=token)
    assert_refused_whole(
        client, prefix, lambda: stores.deliberations.take_over(BEGUN.deliberation_id), "not an integer"
    )
    assert snapshot(client, prefix) == before
