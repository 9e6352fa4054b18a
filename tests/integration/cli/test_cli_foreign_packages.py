"""A package of the current folder that has a name of ours is named in a sentence, however a process is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workers.own_packages import refuse_foreign_in

SCRIPTS = Path(sys.executable).parent
CELERY = (sys.executable, "-m", "celery", "-A", "workers.app", "report")
PLAIN_CELERY = (str(SCRIPTS / "celery"), "-A", "workers.app", "report")
COMMANDS = {
    name: (str(SCRIPTS / "conclave"), *name.split())
    for name in ("worker --control", "beat", "flower", "up", "demo")
}


def said(folder: Path, command: tuple[str, ...]) -> str:
    """Run a command in a folder where it must fail; return what it writes."""
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1, result
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    "command", [CELERY, PLAIN_CELERY, *COMMANDS.values()], ids=["python -m celery", "celery", *COMMANDS]
)
def test_a_foreign_module_is_named_with_its_path_and_the_remedy(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "tasks.py").write_text("")
    assert said(tmp_path, command) == (
        f"conclave: {tmp_path}/tasks.py takes the place of Conclave's own package `tasks`: "
        "give Conclave an environment of its own, or start it from another folder\n"
    )


@pytest.mark.parametrize("name", ["domain", "tasks", "bridge", "web"])
def test_every_name_of_ours_is_looked_at_and_folders_too(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    assert f"{tmp_path}/{name}/__init__.py takes the place" in said(tmp_path, PLAIN_CELERY)


def test_a_foreign_workers_package_is_named_before_celery_meets_it(tmp_path: Path) -> None:
    (tmp_path / "workers.py").write_text("")
    assert f"{tmp_path}/workers.py takes the place" in said(tmp_path, COMMANDS["beat"])


def test_a_folder_of_such_a_name_that_is_no_package_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    refuse_foreign_in(tmp_path)
    (tmp_path / "web" / "__init__.py").write_text("")
    with pytest.raises(SystemExit, match="takes the place"):
        refuse_foreign_in(tmp_path)


def test_a_folder_without_our_names_is_as_good_as_any(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text("")
    result = subprocess.run(PLAIN_CELERY, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert "conclave" not in result.stderr
