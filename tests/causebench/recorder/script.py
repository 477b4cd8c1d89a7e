"""Reads a file of the corpus: which calls are made, and what is cut from the capture afterwards.

The labels (`=`, `hides:`, `races:`, `own ...`) are for the scorer and are passed over here. README.md has the grammar.
"""

import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Step:
    """One message, a pause, or audio, in the order of the wire."""

    sender: str
    receiver: str
    kind: str  # "message", "pause", "audio"
    start: str = ""  # a method, or a status
    method: str = ""  # of a response: what it answers
    options: dict = field(default_factory=dict)
    headers: list = field(default_factory=list)
    flags: set = field(default_factory=set)
    millis: int = 0

    @property
    def is_request(self):
        return not self.start.isdigit()


@dataclass
class Call:
    """One labelled call."""

    name: str
    flags: set
    steps: list
    keep: str = ""
    drive: str = ""


@dataclass
class Script:
    """One file: its calls and how the network is set up for them."""

    calls: list
    settings: dict


def read(path):
    """The script in the file at `path`."""
    macros, settings, calls = {}, {}, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            take(line, macros, settings, calls)
        except (ValueError, IndexError, KeyError) as error:
            raise SystemExit(f"{path}:{number}: {error}") from error
    return Script(calls, settings)


def take(line, macros, settings, calls):
    if not line.strip() or line.startswith("#"):
        return
    if line.startswith("define "):
        name, text = line.removeprefix("define ").split("=", 1)
        macros[name.strip()] = text.strip()
    elif line.startswith("set "):
        _, name, value = line.split(None, 2)
        settings[name] = value
    elif not line.startswith(" "):
        name, *flags = line.split()
        calls.append(Call(name, set(flags), []))
    else:
        word, rest = line.strip().split(None, 1)
        if word == ">":
            calls[-1].steps += steps(expand(rest, macros))
        elif word == "keep:":
            calls[-1].keep = rest
        elif word == "drive:":
            calls[-1].drive = rest


def expand(text, macros):
    return re.sub(r"(?<!\S)@(\w+)", lambda found: expand(macros[found[1]], macros), text)


def steps(text):
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";")
    lexer.whitespace_split = True
    lexer.commenters = ""
    parts, current = [], []
    for token in lexer:
        if token == ";":
            parts.append(current)
            current = []
        else:
            current.append(token)
    parts.append(current)
    return [step(part) for part in parts if part]


def step(words):
    first = words[0]
    if pause := re.fullmatch(r"([ABC]?)\+(\d+)(ms|s)", first):
        return Step(pause[1], "", "pause", millis=millis(pause[2], pause[3]))
    ends = re.fullmatch(r"([A-Z])>([A-Z])", first)
    if not ends or len(words) < 2:
        raise ValueError(f"not a step: {' '.join(words)}")
    made = Step(ends[1], ends[2], "message", words[1])
    if words[1] == "audio":
        made.kind = "audio"
    for word in words[2:]:
        name, given, value = word.partition("=")
        if not given and word.isupper():
            made.method = word
        elif not given:
            made.flags.add(word)
        elif name == "missing":
            made.millis = millis(*re.fullmatch(r"(\d+)(ms|s)", value).groups())
        elif name == "h":
            made.headers.append(value)
        else:
            made.options[name] = value
    if not made.is_request and not made.method:
        made.method = "INVITE"
    return made


def millis(number, unit):
    return int(number) * (1000 if unit == "s" else 1)
