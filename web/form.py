"""Forms as browsers send them, bounded before they are read."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_FIELDS = 200


async def read_form(request: Request, *, most_bytes: int) -> dict[str, str]:
    """Return the fields of a form, the last value of each. Raises HTTPException for what is none, or too long."""
    fields = await read_fields(request, most_bytes=most_bytes)
    return {name: values[-1] for name, values in fields.items()}


async def read_fields(request: Request, *, most_bytes: int) -> dict[str, list[str]]:
    """Return the fields of a form, every value of each. Raises HTTPException for what is none, or too long."""
    body = await read_body(request, most_bytes=most_bytes)
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "this is no form") from error


async def read_body(request: Request, *, most_bytes: int) -> bytes:
    """Return a request's body. Raises HTTPException for one that is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413, f"this is longer than {most_bytes} bytes; shorten it")
    return bytes(body)
