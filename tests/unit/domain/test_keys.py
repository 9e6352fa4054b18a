"""Keys of different facts differ, and a key gives back what it was made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import keys
from domain.keys import EntryKey, parse_key, parse_proposal_id

NAMES = st.text(min_size=1, max_size=20) | st.text("/@%a0125Fprior", min_size=1, max_size=12)
COUNTS = st.integers(0, 12)
PROPOSAL_IDS = st.builds(keys.proposal_id, NAMES, COUNTS) | st.just(keys.PRIOR)
SPELL: dict[str, Callable[[EntryKey], str]] = {
    "opened": lambda _: keys.OPENED,
    "closed": lambda _: keys.CLOSED,
    "architect": lambda parts: keys.CHOICE if parts.task == "choice" else keys.SYNTHESIS,
    "proposal": lambda parts: keys.proposal_key(parts.round, parts.agent_id),
    "ballot": lambda parts: keys.ballot_key(parts.round, parts.pass_, parts.agent_id),
    "comparison": lambda parts: keys.comparison_key(
        parts.round, parts.agent_id, parts.proposal_id, parts.against_id
    ),
    "critique": lambda parts: keys.critique_key(parts.round, parts.agent_id, parts.proposal_id),
}


def comparison(agent_id: str, first: str, second: str, round_: int = 0) -> EntryKey:
    return EntryKey("comparison", round_, agent_id=agent_id, proposal_id=first, against_id=second)


FACTS = st.one_of(
    st.sampled_from(["opened", "closed"]).map(EntryKey),
    st.sampled_from(["choice", "synthesis"]).map(lambda task: EntryKey("architect", task=task)),
    st.builds(lambda round_, name: EntryKey("proposal", round_, agent_id=name), COUNTS, NAMES),
    st.builds(lambda round_, pass_, name: EntryKey("ballot", round_, pass_, name), COUNTS, COUNTS, NAMES),
    st.builds(comparison, NAMES, PROPOSAL_IDS, PROPOSAL_IDS, COUNTS),
    st.builds(lambda round_, name, on: EntryKey("critique", round_, 0, name, on), COUNTS, NAMES, PROPOSAL_IDS),
)


def spell(fact: EntryKey) -> str:
    return SPELL[fact.kind](fact)


@given(FACTS)
def test_a_key_gives_its_parts_back(fact: EntryKey) -> None:
    assert parse_key(spell(fact)) == fact


@given(FACTS, FACTS)
@example(EntryKey("critique", 0, 0, "a/b", "c@0"), EntryKey("critique", 0, 0, "a", "b/c@0"))
@example(EntryKey("critique", 0, 0, "a/b", "c@0"), EntryKey("critique", 0, 0, "a%2Fb", "c@0"))
@example(
    EntryKey("comparison", 0, 0, "a/b", "c@0", "", "d@0"), EntryKey("comparison", 0, 0, "a", "b/c@0", "", "d@0")
)
@example(
    EntryKey("comparison", 0, 0, "a", "b@0", "", "c/d@0"), EntryKey("comparison", 0, 0, "a", "b@0/c", "", "d@0")
)
@example(EntryKey("proposal", 1, 0, "1/dev-1"), EntryKey("ballot", 1, 1, "dev-1"))
def test_different_facts_have_different_keys(fact: EntryKey, other: EntryKey) -> None:
    assert (spell(fact) == spell(other)) == (fact == other)


@given(NAMES, COUNTS)
@example("prior", 0)
@example("%prior", 0)
@example("a@0", 1)
def test_a_proposals_id_gives_author_and_round_back_and_is_never_the_earlier_winners(
    name: str, round_: int
) -> None:
    assert parse_proposal_id(keys.proposal_id(name, round_)) == (name, round_)
    assert parse_proposal_id(keys.PRIOR) is None


@pytest.mark.parametrize(
    ("key", "fact"),
    [
        ("opened", EntryKey("opened")),
        ("closed", EntryKey("closed")),
        ("architect", EntryKey("architect", task="choice")),
        ("architect/synthesis", EntryKey("architect", task="synthesis")),
        ("proposal/0/dev-1", EntryKey("proposal", 0, agent_id="dev-1")),
        ("ballot/0/1/dev-1", EntryKey("ballot", 0, 1, "dev-1")),
        ("ballot/2/0/QA/qa-1", EntryKey("ballot", 2, 0, "QA/qa-1")),
        (
            "comparison/1/dev-1/dev-2@0/ops/on call@0",
            EntryKey("comparison", 1, agent_id="dev-1", proposal_id="dev-2@0", against_id="ops/on call@0"),
        ),
        ("critique/1/dev-1/dev-2@0", EntryKey("critique", 1, agent_id="dev-1", proposal_id="dev-2@0")),
        ("critique/1/dev-1/ops/on call@0", EntryKey("critique", 1, agent_id="dev-1", proposal_id="ops/on call@0")),
        ("critique/1/dev-1/prior@0", EntryKey("critique", 1, agent_id="dev-1", proposal_id="prior@0")),
    ],
)
def test_keys_are_those_that_version_0_1_stored(key: str, fact: EntryKey) -> None:
    assert (spell(fact), parse_key(key)) == (key, fact)


@pytest.mark.parametrize(
    ("name", "stored"), [("dev-1", "dev-1@1"), ("a/b", "a/b@1"), ("50% @ home", "50% @ home@1")]
)
def test_proposal_ids_are_those_that_version_0_1_stored(name: str, stored: str) -> None:
    assert keys.proposal_id(name, 1) == stored


@pytest.mark.parametrize(
    "text",
    ["", "proposal", "proposal/x/dev-1", "ballot/0/dev-1", "critique/0/dev-1", "architect/x", "opened/1", "a"],
)
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_key(text)
