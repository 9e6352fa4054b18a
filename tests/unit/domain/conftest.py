"""Property tests have no deadline per example: on a shared machine that would be an assertion about time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
