"""Read by Flower itself, not imported: every name below is one of its options.

What stands here goes before FLOWER_ variables, and the command line before both.
"""

import sys

from workers.flower import listening, queue_lengths
from workers.flower.options import COLUMNS, SAVE_EVERY_MS, database
from workers.settings import Settings, unknown_settings

listening.install()
queue_lengths.install()
for _unknown in unknown_settings():
    print(f"conclave: {_unknown}", file=sys.stderr)
_settings = Settings()

# Without logins of ours FLOWER_BASIC_AUTH stays in force.
if _settings.flower.logins:
    basic_auth = _settings.flower.logins

read_only = _settings.flower.read_only
persistent = True
db = database(_settings)
state_save_interval = SAVE_EVERY_MS
tasks_columns = COLUMNS
natural_time = False
