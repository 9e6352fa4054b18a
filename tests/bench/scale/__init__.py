"""Simulates an installation of one to a hundred engines, fixed and scaled by load: `make sim-scale`."""
