"""Finds the checks: Conclave's own, and those that other installed packages add under `conclave.checks`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib.metadata import EntryPoint, entry_points

from domain.checks.check import Check
from workers.checks import code_parses
from workers.errors import Unavailable
from workers.variables import variable

GROUP = "conclave.checks"
LEFT_OUT = variable("checks", "left_out")
RESERVED = frozenset({"overall_score"})
"""Names that mean something else beside the checks in the event."""

OWN = tuple(
    EntryPoint(name=name, value=value, group=GROUP)
    for name, value in (
        ("not_empty", "domain.checks.not_empty:NotEmpty"),
        ("length", "domain.checks.length:Length"),
        ("repetition", "domain.checks.repetition:Repetition"),
        ("secrets", "domain.checks.secrets:Secrets"),
        ("acceptance_criteria", "domain.checks.acceptance_criteria:AcceptanceCriteria"),
        ("echo", "domain.checks.echo:Echo"),
        ("python", "domain.checks.python_parses:PythonParses"),
        ("json", "domain.checks.json_parses:JsonParses"),
        ("toml", "domain.checks.toml_parses:TomlParses"),
        ("yaml", "workers.checks.yaml_parses:YamlParses"),
        ("bash", "workers.checks.bash_parses:BashParses"),
        ("output_schema", "workers.checks.output_schema:OutputSchema"),
    )
)
"""Named here too, so that a gate without them can't come of an installation that is out of date."""
LINEAR = OWN[:6]
"""Those that only count and search, in time proportional to the text."""
CODE = EntryPoint(name="code", value="workers.checks.code_parses:CodeParses", group=GROUP)
"""There where the `languages` extra is installed."""
PARSING = (*OWN[6:], CODE)
"""Those that parse, where a proposal has a block of code or its plan demands a form, and else only search."""


class CheckUnavailable(Unavailable):
    """A check can't be used; the message says which, why, and what to do."""


def check_points(
    *, without: Collection[str] = (), added: Iterable[EntryPoint] | None = None
) -> tuple[EntryPoint, ...]:
    """Return every check's entry point but those named in `without`: Conclave's own first, then others by name.

    `added` is what other packages declare (default: all installed). Raises CheckUnavailable for two of one name,
    and for an unknown name in `without`.
    """
    own = (*OWN, CODE) if code_parses.installed() else OWN
    found = {point.name: point for point in own}
    declared = entry_points(group=GROUP) if added is None else added
    for point in sorted(declared, key=lambda one: (one.name, one.value)):
        known = found.setdefault(point.name, point)
        if known.value != point.value:
            raise CheckUnavailable(
                f"two checks are named {point.name!r}: {known.value} and {point.value}{_origin(point)}; "
                "rename or uninstall one"
            )
    if unknown := sorted(set(without) - found.keys()):
        known_names = ", ".join(found)
        raise CheckUnavailable(
            f"there is no check named {unknown[0]!r} to leave out by {LEFT_OUT}; there are {known_names}"
        )
    return tuple(point for point in found.values() if point.name not in without)


def create(point: EntryPoint) -> Check:
    """Create a check.

    Raises CheckUnavailable for one that doesn't load or isn't a check. That is at start, on purpose: a gate that
    silently lost a check would let through what the operator relies on it to stop.
    """
    try:
        check = point.load()()
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise _unavailable(point, why) from error
    if not callable(getattr(check, "run", None)) or not isinstance(getattr(check, "hard", None), bool):
        raise _unavailable(point, "it needs `name`, `hard` and `run`")
    if getattr(check, "name", None) != point.name or point.name in RESERVED:
        raise _unavailable(point, f"its `name` must be the entry point's, and none of {', '.join(RESERVED)}")
    return check  # type: ignore[no-any-return]


def _unavailable(point: EntryPoint, why: str) -> CheckUnavailable:
    return CheckUnavailable(
        f"the check {point.name!r} ({point.value}{_origin(point)}) can't be used: {why}; "
        f"repair it, uninstall it, or leave it out: {LEFT_OUT}='[\"{point.name}\"]'"
    )


def _origin(point: EntryPoint) -> str:
    return f" of the package {point.dist.name}" if point.dist is not None else ""
