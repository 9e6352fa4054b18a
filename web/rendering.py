"""Templates: every text is escaped for HTML, and hidden characters in it are shown by their escapes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from domain.text.visible import escaped
from domain.views.money import cost_line
from domain.views.why import label, number
from web.highlighting import highlighted

HERE = Path(__file__).parent
MOST_SHOWN = 20_000
"""Characters of one text within a page; the rest is a link away."""


def _shown(value: Any) -> Any:
    """Escape what hides in a text from outside; Markup is made of texts that went through here already."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escaped(value)


def moment(seconds: float | None) -> str:
    """Write epoch seconds as people read them."""
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def duration(seconds: float | None) -> str:
    """Write seconds with what matters of them: 0.4 s, 12 s, 3 min 05 s, 2 h 07 min."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def heat(score: float | None) -> str:
    """Return the class of a cell with that score, 1 to 9."""
    return "" if score is None else f"h{min(9, max(1, round(score)))}"


def plain(value: float) -> str:
    """Write a number without the zeros that say nothing: 3, 0.7."""
    return f"{value:.6g}"


def query(**fields: Any) -> str:
    """Write the query of a link, without what is empty."""
    return urlencode({name: value for name, value in fields.items() if value not in ("", None, 0)})


ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters.update(
    moment=moment,
    duration=duration,
    number=number,
    label=label,
    heat=heat,
    cost=cost_line,
    plain=plain,
    highlighted=highlighted,
)
ENVIRONMENT.globals.update(query=query, most_shown=MOST_SHOWN)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template; `nonce`, `caller` and `path` are of the request."""
    text = ENVIRONMENT.get_template(template).render(
        nonce=request.state.nonce,
        caller=request.state.caller,
        path=request.url.path,
        **values,
    )
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)
