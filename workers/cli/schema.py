"""`conclave schema`: the contract as documents."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.output import say


def schema(
    folder: Annotated[Path, typer.Argument(help="Where the documents go; made if missing.")] = Path("docs/schema"),
) -> None:
    """Write JSON Schema of every message, an AsyncAPI 3 document and the page's OpenAPI.

    Example:  conclave schema docs/schema
    """
    from workers.cli.schema_documents import write

    for path in write(folder, version("conclave-council")):
        say(str(path))
