"""Each private or undocumented upstream member that our files use is there, as they use it.

A case that fails after an upgrade names the member and the files that need it: read the upstream change, then mend
those files and the signature in private_members.py or workers/broker/upstream_members.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.workers.broker.private_members import FILES, ROOT, Member, members

MEMBERS = list(members())


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_member_is_there_as_we_use_it(member: Member) -> None:
    needed = f"needed by {', '.join(member.users)}"
    assert member.is_there(), f"{member} is gone; {needed}"
    if member.parameters is not None:
        found = member.upstream_parameters()
        assert found == member.parameters, f"{member} takes {found}, not {member.parameters}; {needed}"


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_member_is_used(member: Member) -> None:
    assert member.users, f"no file of ours names {member}: take it off the list"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_private_name_that_is_not_ours_is_listed(path: Path) -> None:
    listed = {member.name for member in MEMBERS}
    own = {name for file in FILES for name in _defined(file)}
    used = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr)
    }
    assert used - own <= listed


def test_the_comparison_tells_what_is_gone_and_what_has_changed() -> None:
    owner = "kombu.transport.redis:QoS"
    assert not Member(owner, "_no_such_member", None).is_there()
    assert not Member("kombu.transport.redis:NoSuchClass", "ack", None).is_there()
    assert Member(owner, "ack", None).upstream_parameters() == "(self, delivery_tag)"


def _defined(path: Path) -> Iterator[str]:
    """Names that a file of ours defines: functions, annotated names, and attributes set on `self`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))
                yield from (name.attr for name in ast.walk(target) if isinstance(name, ast.Attribute))
