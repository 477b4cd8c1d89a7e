"""Tones as G.711 µ-law, 8000 samples a second: what a called network plays instead of a person (ITU-T E.180)."""

import math
import random

RATE = 8000
# Name -> parts of (seconds, frequencies); played one after the other.
CADENCES = {
    "busy": [(0.5, [425]), (0.5, [])] * 5,
    "ringback": [(1.0, [425]), (4.0, []), (1.0, [425])],
    # Special information tone: three rising notes, then the words that are left out here.
    "sit": [(0.33, [950]), (0.33, [1400]), (0.33, [1800]), (1.0, [])] * 2,
}


def write(folder):
    """All of them as files for SIPp, and noise in the place of speech."""
    for name, parts in CADENCES.items():
        samples = [level for seconds, tones in parts for level in tone(seconds, tones)]
        (folder / f"{name}.ul").write_bytes(bytes(map(encode, samples)))
    rng = random.Random(7)
    (folder / "noise.ul").write_bytes(bytes(rng.randrange(256) for _ in range(2 * RATE)))


def tone(seconds, frequencies):
    for at in range(int(seconds * RATE)):
        yield int(sum(6000 * math.sin(2 * math.pi * hertz * at / RATE) for hertz in frequencies))


def encode(level):
    """One sample in µ-law (ITU-T G.711)."""
    sign, level = (0x80, -level) if level < 0 else (0, level)
    level = min(level, 32635) + 132
    exponent = level.bit_length() - 8
    mantissa = (level >> (exponent + 3)) & 15
    return ~(sign | exponent << 4 | mantissa) & 255
