"""Characters that people read as an ASCII letter, digit, dash or blank: wide, styled, accented, foreign."""

# ruff: noqa: RUF001 (characters that are easily taken for others are what this file is about)

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_DECOMPOSED = (
    *((0xB2, 0xB9), (0xC0, 0x24F), (0x2B0, 0x2B8), (0x2E0, 0x2E4), (0x370, 0x52F), (0x1D2C, 0x1D6A)),
    *((0x1E00, 0x1EFF), (0x2070, 0x209C), (0x2100, 0x214F), (0x2160, 0x217F), (0x2460, 0x24EA)),
    *((0xFE58, 0xFE63), (0xFF01, 0xFF5E), (0x1D400, 0x1D7FF), (0x1F130, 0x1F149)),
)
"""Ranges whose decompositions are older than any Python that runs us, and by Unicode's promise never change."""
_ALPHABETS = (0x1F150, 0x1F170, 0x1F1E6)
"""Beginnings of A to Z without a decomposition: in circles, in squares, for flags."""
_DIGITS = (0x660, 0x6F0, 0x966)
"""Beginnings of 0 to 9."""
_LIKE = (
    ("авсԁеһніјкӏӀмпорԛгѕтуүѵԝшхз", "abcdehhijkllmnopqrstyyvwwx3"),
    ("αβγεζηικλμνορστυχωϲϳ", "abyeznik1mvopotuxwcj"),
    ("ΖΗΙΚΜΝΡΤΥ", "zhikmnpty"),
    ("օոսհցզյ", "onuhgqj"),
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
    ("ɑɡıȷɩʋɾɯ", "agijivrw"),
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghijklmnoprstuvwxyz"),
    ("ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "abcdeghijklmprstvwz"),
    ("\u2010\u2011\u2012\u2043\u2212", "-----"),
    ("\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " " * 15),
)


def _table() -> Iterator[tuple[int, str]]:
    like = {sign: ascii_ for signs, plain in _LIKE for sign, ascii_ in zip(signs, plain, strict=True)}
    for first, last in _DECOMPOSED:
        for code in range(first, last + 1):
            letter = unicodedata.normalize("NFKD", chr(code))
            base = like.get(letter[0], like.get(letter[0].lower(), letter[0]))
            if base.isascii() and all(map(unicodedata.combining, letter[1:])):
                yield code, base
    for beginnings, letters in ((_ALPHABETS, "abcdefghijklmnopqrstuvwxyz"), (_DIGITS, "0123456789")):
        for beginning in beginnings:
            yield from zip(range(beginning, beginning + len(letters)), letters, strict=True)
    yield from ((ord(sign), ascii_) for sign, ascii_ in like.items())


_TABLE = dict(_table())


def folded(text: str) -> str:
    """Return the text in ASCII as far as it looks so, of the same length: places in one are those in the other."""
    return text if text.isascii() else text.translate(_TABLE)
