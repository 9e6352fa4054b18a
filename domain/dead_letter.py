"""A dead letter: a message that was rejected, or never processed, with the reason."""

from __future__ import annotations

import base64

from domain.value import Value


class DeadLetter(Value):
    """A message that was rejected, or delivered as often as it may be."""

    sequence: int
    """Its place in the dead-letter stream; names it to `show`, `replay` and `purge`."""
    reason: str
    subject: str = ""
    """The original's; empty if the original of an advisory is gone."""
    stream: str = ""
    stream_sequence: int = 0
    """Where the original is, or was; empty and 0 where nothing tells."""
    delivered: int = 0
    """How often it had been delivered."""
    at: str
    """When it became a dead letter, ISO 8601."""
    headers: dict[str, str] = {}
    """The original's."""
    data: bytes | None = None
    """The original's bytes; None if they are gone."""

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON: the body as `data` if it is UTF-8, else as `data_base64`."""
        plain = self.model_dump(exclude={"data"})
        if self.data is None:
            return plain | {"data": None}
        try:
            return plain | {"data": self.data.decode("utf-8")}
        except UnicodeDecodeError:
            return plain | {"data_base64": base64.b64encode(self.data).decode()}

    @property
    def text(self) -> str | None:
        """The original as text, bytes that are none by their escapes; None if it is gone."""
        return None if self.data is None else self.data.decode("utf-8", "backslashreplace")
