"""Read by Flower itself, not imported: every name below is one of its options.

What stands here goes before FLOWER_ variables, and the command line before both.
"""

from workers.flower.listening import install
from workers.flower.options import COLUMNS, SAVE_EVERY_MS, database, logins
from workers.settings import Settings

install()
_settings = Settings()

# Without logins of ours FLOWER_BASIC_AUTH stays in force.
if logins(_settings):
    basic_auth = logins(_settings)

read_only = _settings.flower_read_only
persistent = True
db = database(_settings)
state_save_interval = SAVE_EVERY_MS
tasks_columns = COLUMNS
natural_time = False
