"""The embedded stack: real NATS, Valkey and llama.cpp beside Conclave's own processes, on one machine.

Knows how processes are started, watched and stopped; must not know what a deliberation is.
"""
