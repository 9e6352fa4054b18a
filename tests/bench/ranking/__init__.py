"""The ranking measured: time, the development set, simulated councils."""
