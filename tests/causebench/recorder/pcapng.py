"""Takes out of a capture what dumpcap writes about the machine: processor, operating system, programs."""

import struct

SECTION, INTERFACE = 0x0A0D0D0A, 1
# What an interface's description may keep: its name, the resolution of its time stamps.
KEPT = {2, 9}


def forget_the_machine(path):
    """Rewrites the file at `path` (pcapng, little-endian) without those options."""
    data, out, at = path.read_bytes(), bytearray(), 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + length - 4]
        if kind == SECTION:
            body = body[:16]
        elif kind == INTERFACE:
            body = body[:8] + b"".join(options(body[8:]))
        out += struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        at += length
    path.write_bytes(bytes(out))


def options(raw):
    at = 0
    while at + 4 <= len(raw):
        code, length = struct.unpack_from("<HH", raw, at)
        size = 4 + (length + 3) // 4 * 4
        if code in KEPT or code == 0:
            yield raw[at : at + size]
        at += size
