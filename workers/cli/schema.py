"""`conclave schema`: the contract as documents."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.output import say
from workers.cli.schema_documents import write


def schema(
    folder: Annotated[Path, typer.Argument(help="Where the documents go; made if missing.")] = Path("docs/schema"),
) -> None:
    """Write JSON Schema of every message and an AsyncAPI 3 document.

    Example:  conclave schema docs/schema
    """
    for path in write(folder, version("conclave-council")):
        say(str(path))
