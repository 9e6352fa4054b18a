"""Writing systems, as far as checks have to know them."""

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f"
"""Ranges of a regular expression's character class: kana, han and Thai, whose words are not parted by blanks."""
