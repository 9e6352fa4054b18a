"""The ballots of a round that come at one moment are recorded in one step, and none of them is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from domain.chat import ChatOutcome, ChatRequest
from domain.entry import Entry
from domain.ports.chat_model import ChatModel
from domain.ports.deliberation_store import DeliberationStore
from domain.record import DeliberationState
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import council
from tests.support.stage import Stage


class AtOneMoment(Iterator[ChatOutcome]):
    """Outcomes that have all come with the first."""

    def __init__(self, outcomes: Iterator[ChatOutcome]) -> None:
        self._outcomes = outcomes

    def __next__(self) -> ChatOutcome:
        return next(self._outcomes)

    def arrived(self) -> list[ChatOutcome]:
        return list(self._outcomes)


class SimultaneousModel:
    """ChatModel whose answers come at one moment."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        return AtOneMoment(self._model.ask(requests))


class Writes:
    """Notes the keys that each call of `record_all` writes."""

    def __init__(self, store: DeliberationStore) -> None:
        self._store = store
        self.keys: list[list[str]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def record_all(self, deliberation_id: str, entries: Sequence[Entry], *, token: int = 0) -> tuple[Entry, ...]:
        self.keys.append([entry.key for entry in entries])
        return self._store.record_all(deliberation_id, entries, token=token)


def test_the_ballots_of_a_round_are_one_write_and_each_is_told() -> None:
    stage = Stage(council("DEV"))
    identity = stage.open()
    stage.propose(identity)
    writes = Writes(stage.services.deliberations)
    services = replace(stage.services, model=SimultaneousModel(stage.model), deliberations=writes)  # type: ignore[arg-type]  # by __getattr__
    conclude_deliberation(identity, services)
    record = stage.record(identity)
    assert record.state is DeliberationState.DECIDED
    assert writes.keys == [[ballot.key for ballot in record.ballots()]]
    assert len(record.ballots()) == 3


def test_apart_or_together_the_record_is_the_same() -> None:
    records = []
    for together in (False, True):
        stage = Stage(council("DEV"))
        model = SimultaneousModel(stage.model) if together else stage.model
        stage.services = replace(stage.services, model=model)
        record = stage.play()
        records.append(
            {key: entry.model_dump(exclude={"deliberation", "result"}) for key, entry in record.entries.items()}
        )
    assert records[0].keys() == records[1].keys()
    ballots = [key for key in records[0] if key.startswith("ballot")]
    assert [records[0][key]["scores"] for key in ballots] == [records[1][key]["scores"] for key in ballots]
