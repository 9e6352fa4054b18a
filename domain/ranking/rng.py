"""A tiny generator of its own, so that a seed gives the same draws on every Python version, for ever."""

from __future__ import annotations

from itertools import repeat

_MASK = (1 << 64) - 1
_DIGITS = 8  # picks taken from one word; below 64 items their bias stays under 2**-16


class SplitMix64:
    """The SplitMix64 generator (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).

    >>> [SplitMix64(1234567).word(), SplitMix64(0).word()]
    [6457827717110365317, 16294208416658607535]
    """

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def word(self) -> int:
        """Return the next 64 random bits as an integer."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def picks(self, count: int, below: int) -> list[int]:
        """Draw `count` integers of 0 ≤ i < `below`, with replacement."""
        drawn: list[int] = []
        for _ in repeat(None, -(-count // _DIGITS)):
            word = self.word()
            for _ in range(_DIGITS):
                word, pick = divmod(word, below)
                drawn.append(pick)
        return drawn[:count]
