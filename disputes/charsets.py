"""Bytes of mail as text, whatever they claim to be; nothing here raises (M23)."""

import binascii
import codecs

import re2
from charset_normalizer import from_bytes

_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
}
"""Codecs that hold everything the declared one does and what its users really send (M23)."""

_REFUSED = frozenset(("idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "mbcs", "oem"))
"""Text codecs that are no charsets of mail; two of them are slow on hostile input as well."""

_DETECT_BYTES = 20_000
_FOREIGN_SHARE = 0.3
_ASCII = bytes(range(128))
_NUL_AND_SURROGATES = {0: None} | dict.fromkeys(range(0xD800, 0xE000), "�")

_ENCODED_WORD = re2.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]*)\?=")


def decode_text(raw: bytes, declared: str | None) -> str:
    """Text in the declared charset, or its superset, or UTF-8, or what it looks like, in this order.

    Line ends become line feeds; characters no database takes (NUL, lone surrogates) are left out or replaced.
    """
    return storable(_decoded(raw, declared)).replace("\r\n", "\n").replace("\r", "\n")


def storable(text: str) -> str:
    """The text without the characters that PostgreSQL or UTF-8 cannot hold."""
    return text if "\0" not in text and _encodes(text) else text.translate(_NUL_AND_SURROGATES)


def _encodes(text: str) -> bool:
    """Whether nothing in it is a surrogate: trying is a hundred times quicker than looking at each character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(raw: bytes, declared: str | None) -> str:
    name = _codec(declared)
    if name == "cp1252" and (declared or "").lower() != "iso-8859-1":
        name = None if not raw.isascii() else name  # said to be ASCII and is not: look before believing
    for candidate in dict.fromkeys((name, "utf-8")):
        if candidate is not None and (text := _strictly(raw, candidate)) is not None:
            return text
    return _detected(raw) or _leniently(raw, name or "utf-8")


def _leniently(raw: bytes, codec: str) -> str:
    """The text with its bad bytes replaced, or as Windows' Western charset when more is bad than good."""
    text = raw.decode(codec, "replace")
    bad = text.count("\ufffd")
    good = sum(not character.isascii() for character in text) - bad
    return text if good > bad else raw.decode("cp1252", "replace")


def _codec(declared: str | None) -> str | None:
    """The codec for a declared charset, None when there is none."""
    try:
        info = codecs.lookup((declared or "").strip().strip("\"'")[:40])
    except (LookupError, ValueError):
        return None
    if info.name in _REFUSED or not getattr(info, "_is_text_encoding", True):
        return None
    return _SUPERSETS.get(info.name, info.name)


def _strictly(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except ValueError:
        return None


def _detected(raw: bytes) -> str | None:
    """What the detector makes of mostly foreign letters; of a few accents it makes anything at all."""
    sample = raw[:_DETECT_BYTES]
    if len(sample.translate(None, _ASCII)) < len(sample) * _FOREIGN_SHARE:
        return None
    best = from_bytes(sample).best()
    return raw.decode(best.encoding, "replace") if best is not None else None


def decode_header(value: bytes) -> str:
    """A header's value as people read it: unfolded, encoded words (RFC 2047) decoded, white space single.

    Words in a row are joined before decoding, since some programs cut a character in two.
    """
    text = _header_text(value)
    if "=?" in text:
        text = _decoded_words(text)
    return " ".join(storable(text).split())


def _header_text(value: bytes) -> str:
    if value.isascii():
        return value.decode("ascii")
    utf8 = _strictly(value, "utf-8")
    return utf8 if utf8 is not None else value.decode("cp1252", "replace")


def _decoded_words(text: str) -> str:
    pieces: list[str] = []
    run: list[tuple[str, bytes]] = []
    end = 0
    for word in _ENCODED_WORD.finditer(text):
        between = text[end : word.start()]
        if between.strip() or not run:
            pieces += [_joined(run), between]
            run = []
        run.append((word.group(1), _word_bytes(word.group(2), word.group(3))))
        end = word.end()
    return "".join((*pieces, _joined(run), text[end:]))


def _joined(run: list[tuple[str, bytes]]) -> str:
    parts: list[tuple[str, bytes]] = []
    for charset, content in run:
        if parts and parts[-1][0].lower() == charset.lower():
            parts[-1] = (charset, parts[-1][1] + content)
        else:
            parts.append((charset, content))
    return "".join(_decoded(content, charset) for charset, content in parts)


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    return base64_bytes(raw)


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64) - {ord("=")})


def base64_bytes(raw: bytes) -> bytes:
    """What base64 text holds, as far as it can be read: foreign characters skipped, a cut end accepted."""
    kept = raw.translate(None, _NOT_BASE64)
    try:
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4) if len(kept) % 4 else kept)
    except binascii.Error:
        kept = kept.replace(b"=", b"")
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4])
