"""What callers are told when there is no answer: a page for people, JSON for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from web.api.openai_error import openai_error
from web.rendering import page

TITLES = {
    400: "This can't be understood",
    401: "You are not logged in",
    403: "You may not do this",
    404: "Nothing is here",
    409: "That can't be done any more",
    413: "That is too long",
    429: "That is too much at once",
}
CODES = {401: "no_login", 403: "no_right", 404: "not_found", 429: "too_many", 503: "away"}


def problem(request: Request, status: int, sentence: str) -> Response:
    """Tell why, in the shape that callers of that path read."""
    path = request.url.path
    if path.startswith("/api/") or path == "/mcp":
        return JSONResponse({"error": sentence}, status_code=status)
    if path.startswith("/v1/"):
        return JSONResponse(openai_error(sentence, status, CODES.get(status, "failed")), status_code=status)
    title = TITLES.get(status, "This does not work now")
    return page(request, "problem.html", status=status, title=title, sentence=sentence)


def away(request: Request) -> Response:
    """Tell that the store does not answer."""
    sentence = "The store does not answer. Try again in a moment; `conclave doctor` says why."
    response = problem(request, 503, sentence)
    response.headers["Retry-After"] = "5"
    return response
