"""The running processes: settings, adapters, the Celery app, the local stack and the command line."""
