"""Council files as operators write them, right and wrong."""

from __future__ import annotations

import json

import pytest

from domain.errors import InvalidCouncils
from workers.councils.read import parse_councils

DEV = {"role": "DEV", "agents": [{"agent_id": "a", "persona": "first", "temperature": 0.1}, {"agent_id": "b"}]}
QA = {"role": "QA", "agents": [{"agent_id": "c", "seed": 7, "model": "qwen3"}]}


def roles(text: str) -> list[str]:
    return [council.role for council in parse_councils(text, source="councils.yaml")]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_may_hold_one_council_a_list_or_an_object_of_councils(indent: str | int | None) -> None:
    assert roles(json.dumps(DEV, indent=indent)) == ["DEV"]
    assert roles(json.dumps([DEV, QA], indent=indent)) == ["DEV", "QA"]
    assert roles(json.dumps({"councils": [QA, DEV]}, indent=indent)) == ["QA", "DEV"]


def test_json_escapes_beyond_the_basic_plane_are_one_character() -> None:
    (council,) = parse_councils(
        r'{"role": "DEV", "agents": [{"agent_id": "a", "persona": "\ud83d\ude80"}]}', source="x"
    )
    assert council.agents[0].persona == "🚀"


def test_yaml_may_hold_several_documents() -> None:
    text = "role: DEV\nagents: [{agent_id: a}]\n---\nrole: QA\nagents: [{agent_id: b}]\n"
    assert roles(text) == ["DEV", "QA"]


def test_everything_an_agent_can_say_arrives() -> None:
    (council,) = parse_councils(json.dumps(QA), source="x")
    (agent,) = council.agents
    assert (agent.agent_id, agent.seed, agent.model) == ("c", 7, "qwen3")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no council"),
        ("councils: []", "holds no council"),
        ("{", "neither YAML nor JSON: .* in line 1"),
        ("role: DEV\nagents: [\n", "neither YAML nor JSON: .* in line 3"),
        ("!!python/object/apply:os.system [true]", "neither YAML nor JSON"),
        ("just words", r"councils.yaml: must be an object, not a string; correct it"),
        ("role: DEV", "field agents is missing; add it"),
        ("role: DEV\nagents: []", "field agents is empty; add an entry"),
        ("councils: {role: DEV}", "`councils` is not a list"),
        ("councils: []\nrole: DEV", "`councils` stands beside `role`"),
        (
            "[{role: DEV, agents: [{agent_id: a, temperatur: 1}]}]",
            r"councils.yaml: \[0\].agents\[0\]: field temperatur is not known here; write temperature$",
        ),
        (
            "councils: [{role: DEV, agents: [{agent_id: a, temperature: 3}]}]",
            r"field councils\[0\].agents\[0\].temperature must be less than or equal to 2; correct it$",
        ),
        (
            "role: DEV\nagents: [{id: a}]",
            r"^councils.yaml: agents\[0\]: field id is not known here; write agent_id$",
        ),
        ("role: 2026-01-31\nagents: [{agent_id: a}]", "field role must be a string, not a date; correct it$"),
        ("role: DEV\nagents: [{agent_id: a}, {agent_id: a}]", "agent ids must differ .* a occurs twice"),
        ("[{role: DEV, agents: [{agent_id: a}]}, {role: DEV, agents: [{agent_id: b}]}]", "two councils for DEV"),
        ("[" * 5000, "neither YAML nor JSON"),
    ],
)
def test_a_wrong_file_gets_one_sentence_that_names_it(text: str, sentence: str) -> None:
    with pytest.raises(InvalidCouncils, match=sentence) as caught:
        parse_councils(text, source="councils.yaml")
    assert str(caught.value).startswith("councils.yaml")
    assert "\n" not in str(caught.value)


def test_every_mistake_of_a_file_is_listed_one_a_line_and_none_that_is_not_there() -> None:
    text = """
        councils:
        - {role: DEV, agents: [{id: a, temperature: hot}, {agent_id: b, seed: 1.5}]}
        - {role: QA, agents: [{agent_id: c}], architect: {model: 4}}
        - {role: OPS, agents: [{agent_id: d}]}
        - {role: OPS, agents: [{agent_id: e}]}
    """
    with pytest.raises(InvalidCouncils) as caught:
        parse_councils(text, source="councils.yaml")
    assert str(caught.value).splitlines() == [
        "councils.yaml:",
        "  councils[0].agents[0]: field id is not known here; write agent_id",
        "  field councils[0].agents[0].temperature must be a number, not a string; correct it",
        "  field councils[0].agents[1].seed must be an integer, not a number; correct it",
        "  field councils[1].architect.agent_id is missing; add it",
        "  field councils[1].architect.model must be a string, not a number; correct it",
        "  there are two councils for OPS; keep one, or rename a role",
    ]
