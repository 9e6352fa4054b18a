"""Why there is no answer, in the shape that OpenAI's clients read."""

from __future__ import annotations

from typing import Any

from domain.text.visible import escaped


def openai_error(sentence: str, status: int, code: str, deliberation_id: str = "") -> dict[str, Any]:
    """Return the body of a refusal with that HTTP status."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": escaped(sentence), "type": kind, "param": None, "code": code}
    return {"error": error | ({"deliberation_id": deliberation_id} if deliberation_id else {})}
