"""Fifty proposals that try to steer their reviewers, and what they gain by it with a real engine."""
