"""Which bytes stand for which characters: marks first, then UTF-8, then what fits the language.

Where bytes are no UTF-8, charset-normalizer judges; two cases it leaves to chance on a table of a
few names are decided by how the encodings are built.
"""

from __future__ import annotations

import codecs
import itertools

__all__ = ["encoding_of"]

SAMPLE = 1 << 15  # bytes that a guess stands on
# legacy encodings of the places that CSV files come from
CANDIDATES = (
    "cp932", "gb18030", "cp949", "big5", "euc_jp", "cp1252", "cp1250", "cp1251", "koi8_r",
    "cp1253", "cp1254",
)  # fmt: skip
_NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 without a mark",
    "utf-16-be": "UTF-16 (big-endian) without a mark",
    "cp932": "Shift JIS (cp932)",
    "gb18030": "GB18030",
    "cp949": "EUC-KR (cp949)",
    "big5": "Big5",
    "euc_jp": "EUC-JP",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "koi8_r": "KOI8-R",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
}
# lead bytes of the characters that are in use: kana and kanji of level 1, hanzi of level 1, hangul
_COMMON = {
    "cp932": ((0x81, 0x83), (0x88, 0x97)),
    "euc_jp": ((0xA1, 0xA5), (0xB0, 0xCF)),
    "gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)),
    "big5": ((0xA1, 0xA3), (0xA4, 0xC6)),
    "cp949": ((0xA1, 0xA3), (0xB0, 0xC8)),
}


def encoding_of(raw: bytes, preferred: str = "") -> tuple[str, str]:
    """Return the codec of a file's bytes, and what to call it ("" for UTF-8).

    Parameters
    ----------
    raw : bytes
    preferred : str
        Tried after UTF-8 and before any guess: what the file was read as last time.

    Raises
    ------
    UnicodeError
        If the bytes are no text in any encoding that is known here.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", _NAMES["utf-16"]
    if wide := _without_mark(raw):
        return wide, _NAMES[wide]
    if b"\x00" in raw[: 1 << 16]:
        raise UnicodeError("it holds zero bytes")
    for codec in ("utf-8-sig", preferred):
        if codec and _decodes(raw, codec):
            return codec, "" if codec == "utf-8-sig" else _NAMES.get(codec, codec)
    codec = _guess(raw)
    return codec, _NAMES[codec]


def _without_mark(raw: bytes) -> str:
    """UTF-16 has a zero in every second byte of what is ASCII: commas, digits, line ends."""
    head = raw[:SAMPLE]
    if len(head) < 4:
        return ""
    even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / len(head[1::2])
    if odd > 0.1 and even < 0.2 * odd and _decodes(raw, "utf-16-le"):
        return "utf-16-le"
    if even > 0.1 and odd < 0.2 * even and _decodes(raw, "utf-16-be"):
        return "utf-16-be"
    return ""


def _decodes(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _guess(raw: bytes) -> str:
    sample = _telling_lines(raw)
    able = [codec for codec in CANDIDATES if _decodes(raw, codec)]
    if not able:
        return "cp1252"  # a byte or two that nothing knows: the rest is read
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=able).best()
    codec = best.encoding if best is not None and best.encoding in able else able[0]
    wide = {c: _common_share(sample, c) for c in able if c in _COMMON}
    if codec in wide and wide[codec] < max(wide.values()) - 0.3:
        codec = max(wide, key=lambda c: wide[c])
    if codec == "cp1252" and wide and max(wide.values()) > 0.98 and _dense(sample):
        codec = max(wide, key=lambda c: wide[c])
    # hangul lie among the hanzi that are in use, so that Korean reads as Chinese but not so well
    # the other way round
    if codec == "cp949" and wide[codec] < 0.97 and wide.get("gb18030", 0) > 0.98:
        codec = "gb18030"
    if codec in ("cp1250", "cp1252", "cp1254"):
        east = "cp1250" in able and _symbols_in_words(sample)
        codec = "cp1250" if east else "cp1252" if "cp1252" in able else codec
    return codec


def _telling_lines(raw: bytes) -> bytes:
    """Return lines with bytes beyond ASCII, which alone tell one encoding from another."""
    lines: list[bytes] = []
    size = 0
    for line in raw.splitlines(keepends=True):
        if line.isascii() and lines:
            continue
        lines.append(line)
        size += len(line)
        if size > SAMPLE:
            break
    return b"".join(lines)


def _symbols_in_words(sample: bytes) -> bool:
    """Whether Western reading puts signs (£, ³, ¿) into words, as for Polish or Czech letters."""
    text = sample.decode("cp1252", errors="replace")
    high = [i for i, ch in enumerate(text) if ch > "\x7f"]
    odd = sum(
        not text[i].isalpha() and (text[i - 1 : i] + text[i + 1 : i + 2]).strip(" ,;.\n").isalpha()
        for i in high
    )
    return odd > 0.05 * len(high)


def _dense(sample: bytes) -> bool:
    """Whether most bytes beyond ASCII stand side by side, as no Western language has them."""
    high = [i for i, byte in enumerate(sample) if byte >= 0x80]
    pairs = sum(b - a == 1 for a, b in itertools.pairwise(high))
    return len(high) >= 8 and pairs > 0.6 * len(high)


def _common_share(sample: bytes, codec: str) -> float:
    """Share of the double-byte characters that are in use in the language of an encoding."""
    text = sample.decode(codec, errors="ignore")
    leads = [lead[0] for ch in text if ch > "\x7f" and len(lead := ch.encode(codec, "ignore")) == 2]
    if not leads:
        return 0.0
    common = sum(any(low <= lead <= high for low, high in _COMMON[codec]) for lead in leads)
    return common / len(leads)
