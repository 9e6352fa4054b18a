"""Texts that try to steer councils: what they gain with a real engine, and what each defence is worth."""
