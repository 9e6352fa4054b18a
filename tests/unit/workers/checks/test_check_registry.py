"""Checks of other packages are found, and one that can't be used stops the start with one sentence."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from domain.checks.check import Check, PlanFacts
from domain.checks.gate import run_gate
from domain.checks.runner import InProcess
from workers.checks.registry import CODE, GROUP, OWN, CheckUnavailable, check_points, create

OWN_NAMES = [point.name for point in (*OWN, CODE)]

PLUGIN = """
from domain.checks.check import CheckResult

class NoFriday:
    name = "no_friday"
    hard = True

    def run(self, proposal_text, plan_facts):
        passed = "friday" not in proposal_text.lower()
        return CheckResult(name=self.name, passed=passed, hard=True, score=float(passed), cap=0.25)

class Nameless:
    hard = True

    def run(self, proposal_text, plan_facts):
        raise NotImplementedError

class NoRun:
    name = "no_run"
    hard = False

class Explodes:
    name = "explodes"
    hard = False

    def __init__(self):
        raise OSError("no dictionary found")
"""


def load_checks(*, without: Collection[str] = (), added: Iterable[EntryPoint] | None = None) -> list[Check]:
    return [create(point) for point in check_points(without=without, added=added)]


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    """Install a package with checks, as pip would lay it out."""
    module = f"plugin_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(PLUGIN)
    metadata = tmp_path / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: our-checks\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nno_friday = {module}:NoFriday\n")
    sys.path.insert(0, str(tmp_path))
    yield module
    sys.path.remove(str(tmp_path))
    sys.modules.pop(module, None)


def test_all_of_conclaves_own_load_in_a_fixed_order_under_their_names() -> None:
    assert [check.name for check in load_checks(added=())] == OWN_NAMES
    assert len(set(OWN_NAMES)) == 13


def test_what_an_installed_package_declares_is_found_and_runs_in_the_gate(plugin: str) -> None:
    checks = load_checks()

    assert checks[-1].name == "no_friday"
    gate = run_gate(InProcess(checks), "We deploy on Friday and test afterwards, all ten endpoints.", PlanFacts())
    assert gate.cap == 0.25


def test_own_checks_declared_in_the_packages_metadata_as_well_are_loaded_once() -> None:
    assert [check.name for check in load_checks(added=OWN)] == OWN_NAMES


def test_checks_can_be_left_out_by_name_and_only_by_a_name_that_exists() -> None:
    assert "length" not in [check.name for check in load_checks(without={"length"}, added=())]
    with pytest.raises(
        CheckUnavailable,
        match=r"no check named 'lenght' to leave out by CONCLAVE_CHECKS_LEFT_OUT; there are not_empty, ",
    ):
        load_checks(without={"lenght"}, added=())


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("gone", "no_such_module:Check", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("gone", "domain.checks.length:NoSuchClass", "AttributeError"),
        ("not_a_class", "domain.checks.fenced_code:CAP", "TypeError"),
        ("explodes", "{plugin}:Explodes", "OSError: no dictionary found"),
        ("no_run", "{plugin}:NoRun", "it needs `name`, `hard` and `run`"),
        ("nameless", "{plugin}:Nameless", "its `name` must be the entry point's"),
        ("other_name", "{plugin}:NoFriday", "its `name` must be the entry point's"),
    ],
)
def test_a_check_that_cannot_be_used_stops_the_start_with_one_sentence(
    plugin: str, name: str, value: str, why: str
) -> None:
    with pytest.raises(CheckUnavailable) as caught:
        load_checks(added=[point(name, value.format(plugin=plugin))])

    sentence = str(caught.value)
    assert sentence.startswith(f"the check '{name}' (")
    assert why in sentence
    assert sentence.endswith(f"""or leave it out: CONCLAVE_CHECKS_LEFT_OUT='["{name}"]'""")
    assert "\n" not in sentence


def test_a_broken_check_that_is_left_out_is_not_loaded() -> None:
    load_checks(without={"gone"}, added=[point("gone", "no_such_module:Check")])


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(CheckUnavailable, match=r"two checks are named 'length'"):
        load_checks(added=[point("length", "domain.checks.secrets:Secrets")])


def test_a_name_that_means_something_else_in_the_event_is_refused(plugin: str) -> None:
    with pytest.raises(CheckUnavailable, match="overall_score"):
        load_checks(added=[point("overall_score", f"{plugin}:NoFriday")])
