"""Councils as text that people edit: what is written is read back, and shows all that it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.council import Agent, Council
from domain.errors import InvalidCouncils
from domain.text.visible import escaped
from tests.support import factories as make
from workers.councils.council_notation import YamlCouncils
from workers.councils.read import default_councils

NOTATION = YamlCouncils(agents=16)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NAMES = TEXTS.map(str.strip).filter(bool)
AGENTS = st.builds(
    Agent,
    agent_id=NAMES,
    persona=TEXTS,
    model=st.none() | NAMES,
    temperature=st.floats(0, 2),
    seed=st.none() | st.integers(),
    thinking=st.none() | st.sampled_from(["off", "on"]) | st.integers(1, 65_536),
)
COUNCILS = st.builds(
    Council,
    role=NAMES,
    agents=st.lists(AGENTS, min_size=1, max_size=3, unique_by=lambda agent: agent.agent_id).map(tuple),
    architect=st.none() | AGENTS,
)


@given(council=COUNCILS)
def test_what_is_written_is_read_back(council: Council) -> None:
    text = NOTATION.write([council])
    assert NOTATION.read(text) == (council,)
    assert escaped(text) == text


def test_the_shipped_councils_stay_readable_for_people() -> None:
    text = NOTATION.write(default_councils())
    assert NOTATION.read(text) == default_councils()
    assert max(map(len, text.splitlines())) <= 110


def test_a_council_larger_than_settings_allow_is_refused_by_name() -> None:
    text = NOTATION.write([make.council("DEV", size=3), make.council("QA", size=2)])
    with pytest.raises(InvalidCouncils, match=r"council of DEV has 3 agents, 2 are allowed: .*LIMITS_AGENTS"):
        YamlCouncils(agents=2).read(text)
