"""Network policies let exactly the pairs talk that have something to say to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from tests.support.helm import NAMESPACE, VARIANTS, Manifest, installed

DNS = 53


@dataclass(frozen=True, eq=False)
class Place:
    """A pod that packets leave or reach, ours or another's."""

    name: str
    namespace: str
    labels: dict[str, str]
    ports: frozenset[int]


FOREIGN = (
    Place("dns", "kube-system", {"k8s-app": "kube-dns"}, frozenset({DNS})),
    Place("prometheus", "monitoring", {}, frozenset({9090})),
    Place("ingress", "ingress-nginx", {}, frozenset({443})),
    Place("keda", "keda", {}, frozenset()),
    Place("their-nats", "messaging", {"app.kubernetes.io/name": "nats"}, frozenset({4222, 8222})),
    Place("stranger", NAMESPACE, {"app.kubernetes.io/name": "stranger"}, frozenset({80, 4222, 6379, 8000})),
)


def places(variant: str) -> Iterator[Place]:
    found = installed(variant)
    for part in found.workloads:
        ports = frozenset(port["containerPort"] for port in found.container(part).get("ports", []))
        yield Place(part, NAMESPACE, found.pod(part)["metadata"]["labels"], ports)
    yield from FOREIGN


def matches(peer: Manifest, place: Place) -> bool:
    if "ipBlock" in peer:
        return False  # a place of this cluster: the chart's blocks are outside, and leave private addresses out
    space = peer.get("namespaceSelector")
    wanted = {NAMESPACE} if space is None else {space["matchLabels"]["kubernetes.io/metadata.name"]}
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    return place.namespace in wanted and labels.items() <= place.labels.items()


def allows(variant: str, place: Place, direction: str, other: Place, port: int) -> bool:
    """Whether a place may send to another (egress) or be reached by it (ingress); no policy forbids nothing."""
    policies = [policy["spec"] for policy in installed(variant).of_kind("NetworkPolicy").values()]
    own = [
        policy
        for policy in policies
        if place.namespace == NAMESPACE
        and policy["podSelector"]["matchLabels"].items() <= place.labels.items()
        and direction.capitalize() in policy["policyTypes"]
    ]
    side = {"ingress": "from", "egress": "to"}[direction]
    rules = [rule for policy in own for rule in policy.get(direction, [])]
    return not own or any(
        any(matches(peer, other) for peer in rule[side]) and port in {entry["port"] for entry in rule["ports"]}
        for rule in rules
    )


def pairs(variant: str) -> set[tuple[str, str, int]]:
    """Return who may open which port of whom; what foreign places do among themselves is not ours."""
    found = list(places(variant))
    return {
        (source.name, target.name, port)
        for source, target in product(found, found)
        if source is not target and not {source, target} <= set(FOREIGN)
        for port in target.ports
        if allows(variant, source, "egress", target, port) and allows(variant, target, "ingress", source, port)
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_one_of_ours_may_send_the_other_takes_and_nothing_else(variant: str) -> None:
    ours = [place for place in places(variant) if place not in FOREIGN]
    for source, target in product(ours, ours):
        for port in target.ports:
            sends = allows(variant, source, "egress", target, port)
            assert sends is allows(variant, target, "ingress", source, port), (source.name, target.name, port)


def scraped(*parts: str) -> set[tuple[str, str, int]]:
    return {(reader, part, 9100) for reader in ("prometheus", "keda") for part in parts}


def named(*parts: str) -> set[tuple[str, str, int]]:
    return {(part, "dns", DNS) for part in parts}


def test_an_installation_with_its_own_servers() -> None:
    processes = ("bridge", "control", "beat", "flower", "model-smollm2")
    assert pairs("as it comes") == {
        *((part, "nats", 4222) for part in ("bridge", "control", "model-smollm2")),
        *((part, "valkey", 6379) for part in processes),
        ("control", "model-smollm2", 8000),
        *scraped("bridge", "control", "beat", "model-smollm2"),
        *named(*processes),
    }


def test_an_installation_beside_servers_of_others() -> None:
    models = ("model-qwen", "model-mistral", "model-hosted")
    assert pairs("gpu") == {
        *((part, "their-nats", 4222) for part in ("bridge", "control", "web", *models)),
        *(("control", part, 8000) for part in ("model-qwen", "model-mistral")),
        *scraped("bridge", "control", "beat", *models),
        ("ingress", "web", 8400),
        *named("bridge", "control", "beat", "flower", "web", *models),
    }


@pytest.mark.parametrize(
    ("part", "blocks"),
    [
        ("bridge", {("203.0.113.7/32", 6379)}),
        ("beat", {("203.0.113.7/32", 6379)}),
        ("web", {("203.0.113.7/32", 6379)}),
        ("control", {("203.0.113.7/32", 6379), ("203.0.113.8/32", 443)}),
        ("model-hosted", {("203.0.113.7/32", 6379), ("203.0.113.8/32", 443)}),
        ("model-qwen", {("203.0.113.7/32", 6379), ("0.0.0.0/0", 443)}),
    ],
)
def test_outside_the_cluster_pods_reach_what_they_are_given(part: str, blocks: set[tuple[str, int]]) -> None:
    policy = installed("gpu").of_kind("NetworkPolicy")[f"conclave-{part}"]["spec"]
    found = {
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in policy["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
        for port in rule["ports"]
    }
    assert found == blocks


def test_flowers_pages_are_open_to_those_who_are_named() -> None:
    ingress = installed("as it comes").of_kind("NetworkPolicy")["conclave-flower"]["spec"]
    assert "Ingress" in ingress["policyTypes"]
    assert "ingress" not in ingress
