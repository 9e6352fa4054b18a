"""One kit for child processes: start, watch, log, restart, end; knows no engine, server or deliberation."""
