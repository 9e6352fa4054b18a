"""Flower's options from our settings; knows nothing of Flower but their names."""

from __future__ import annotations

from pathlib import Path

from workers.settings import Settings

CONFIG = Path(__file__).with_name("flowerconfig.py")
"""The file that Flower's `--conf` takes."""
COLUMNS = "name,uuid,state,args,received,runtime,worker"
"""A task's id begins with its deliberation's; its args name plan, role, agent and model."""
SAVE_EVERY_MS = 60_000
"""What a killed Flower forgets; a stopped one saves first."""


def database(settings: Settings) -> str:
    """Return the file that keeps what Flower has seen, its folder made."""
    settings.state.mkdir(parents=True, exist_ok=True)
    return str(settings.state.absolute() / "flower.db")
