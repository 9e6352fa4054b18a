"""Who deliberates for which role, what serves them now, and how councils are changed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.council import council_of
from domain.council_change import CouncilChange, council_changes, fingerprint
from domain.errors import InvalidCouncils
from domain.rights import Right
from domain.text.differences import difference
from web.form import read_form
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs
from web.standing import council_standing

MOST_BYTES = 256 * 1024
"""Of a form: sixteen councils with long personas, as browsers encode them."""
SAMPLE = """councils:
- role: DEV
  agents:
  - agent_id: dev-one
    persona: You look for the smallest change that solves the whole problem.
  - agent_id: dev-two
    persona: You begin with the data and with what must always be true of it.
"""
CHANGED = "Councils have changed meanwhile. This is the difference now."


def council_routes(ports: WebPorts, default_model: str) -> APIRouter:
    """Return the page of councils, and what edits them: text, preview, then the change."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/councils", dependencies=[needs(Right.READ)])
    def councils(request: Request) -> Response:
        engines = ports.engines.all()
        shown = council_standing(ports, engines, default_model)
        return page(request, "councils.html", councils=shown, engines=engines)

    @routes.get("/councils/edit", dependencies=[needs(Right.OPERATE)])
    def edit(request: Request, role: str = "") -> Response:
        by_role = {council.role: council for council in ports.councils.all()}
        chosen = council_of(role, by_role) if role else None
        if role and chosen is None:
            raise HTTPException(404, f"There is no council for the role {role[:200]}.")
        councils = [chosen] if chosen else list(by_role.values())
        text = ports.notation.write(councils) if councils else SAMPLE
        return page(request, "councils_edit.html", text=text, problem="")

    @routes.post("/councils/preview", dependencies=[needs(Right.OPERATE)])
    async def preview(request: Request) -> Response:
        fields = await read_form(request, most_bytes=MOST_BYTES)
        return await run_in_threadpool(_preview, request, ports, fields.get("text", ""))

    @routes.post("/councils/apply", dependencies=[needs(Right.OPERATE)])
    async def apply(request: Request) -> Response:
        fields = await read_form(request, most_bytes=MOST_BYTES)
        return await run_in_threadpool(_apply, request, ports, fields.get("text", ""), fields.get("seen", ""))

    return routes


def _preview(request: Request, ports: WebPorts, text: str, *, notice: str = "") -> Response:
    """Show what a text would change, or what is wrong with it."""
    try:
        changes = council_changes(ports.notation.read(text), ports.councils.all())
    except InvalidCouncils as error:
        return page(request, "councils_edit.html", status=400, text=text, problem=str(error))
    status = 409 if notice else 200
    return page(request, "councils_preview.html", status=status, notice=notice, **_shown(changes, text, ports))


def _apply(request: Request, ports: WebPorts, text: str, seen: str) -> Response:
    """Save what was previewed; if anything that it rests on has changed, show the difference anew instead."""
    try:
        changes = council_changes(ports.notation.read(text), ports.councils.all())
    except InvalidCouncils:
        return _preview(request, ports, text)
    if fingerprint(changes) != seen:
        return _preview(request, ports, text, notice=CHANGED)
    for change in changes:
        ports.councils.save(change.after)
    return RedirectResponse("/councils", status_code=303)


def _shown(changes: tuple[CouncilChange, ...], text: str, ports: WebPorts) -> dict[str, Any]:
    write = ports.notation.write
    return {
        "changes": [
            (
                change,
                difference(write([change.before]) if change.before else "", write([change.after])),
            )
            for change in changes
        ],
        # Written anew: a browser sends it back, and must not meet characters that show nothing.
        "text": write([change.after for change in changes]),
        "written": text,
        "seen": fingerprint(changes),
    }
