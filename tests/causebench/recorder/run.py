"""Records a file: all its calls at once under one dumpcap, then cuts out what its labels say was not captured."""

import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from . import network, pcapng, phones, scenario, script, tones
from .script import Call


PROXY = "203.0.113.30"


@dataclass
class End:
    """Who an end is: its address, and how it is called."""

    host: str
    port: int
    media: int
    user: str
    display: str
    agent: str

    @property
    def aor(self):
        return f"sip:{self.user}@example.org"

    def uri(self, transport):
        suffix = ";transport=tcp" if transport == "tcp" else ""
        return f"sip:{self.user}@{scenario.bracketed(self.host)}:{self.port}{suffix}"


def ends_of(call, index, calls=()):
    """Both ends of the call number `index` of its file: hosts of the documentation networks, example numbers.

    The second leg of a back-to-back user agent (`leg=NAME`) leaves the host where the first arrived, for the same people.
    """
    number = index + 10
    if first := next((flag.removeprefix("leg=") for flag in call.flags if flag.startswith("leg=")), None):
        at = next(at for at, other in enumerate(calls) if other.name == first)
        (before, onward), own = (ends_of(calls[at], at)[side] for side in "AB"), ends_of(Call("", set(), []), index)
        own["A"] = replace(before, host=onward.host, port=5080, media=own["A"].media, agent=onward.agent)
        own["B"] = replace(own["B"], user=onward.user)
        return own
    hosts = (f"2001:db8:a::{number:x}", f"2001:db8:b::{number:x}") if "ipv6" in call.flags else None
    a, b = hosts or (f"192.0.2.{number}", f"198.51.100.{number}")
    return {
        "A": End(a, 5060, 20000 + 4 * index, f"+1202555{100 + index:04}", '"Alice" ', "ExamplePhone/2.1"),
        "B": End(b, 5060, 30000 + 4 * index, f"+1303555{100 + index:04}", "", "ExampleGateway/7.0"),
        "C": End(f"198.51.100.{number + 100}", 5060, 35000 + 4 * index, "mobile", "", "ExampleMobile/4"),
        "P": End(PROXY, 5060, 0, "", "", ""),
    }


class Sipp:
    """One SIPp for one end of one call."""

    def __init__(self, folder, call, side, text, ends, transport, index):
        self.name = f"{call.name}-{side}"
        path = folder / f"{self.name}.xml"
        path.write_text(text)
        own, other = ends[side], ends["B" if side == "A" else "A"]
        control = 40000 + 3 * index + "ABC".index(side)
        command = ["sipp", "-sf", str(path), "-i", own.host, "-p", str(own.port), "-cp", str(control)]
        command += ["-t", "t1" if transport == "tcp" else "u1", "-m", "1", "-nostdin"]
        command += ["-default_behaviors", "none", "-mi", own.host, "-mp", str(own.media)]
        command += ["-cid_str", scenario.call_id(call), "-max_retrans", "14"]
        command += ["-key", "peer", scenario.bracketed(other.host)]
        command += ["-trace_err", "-error_file", str(folder / f"{self.name}.errors")]
        if side == "A":
            target = ends["P"] if "routed" in call.flags else other
            command.insert(1, f"{scenario.bracketed(target.host)}:{target.port}")
        self.may_fail = "fails" in call.flags
        self.deadline = time.monotonic() + 45 + sum(step.millis for step in call.steps) / 1000
        self.errors = folder / f"{self.name}.errors"
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if side != "A":
            network.wait_for_port(own.host, own.port, transport == "tcp")

    def finish(self):
        """Waits for its end; what went wrong, if anything."""
        try:
            status = self.process.wait(max(1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return f"{self.name}: sipp did not end"
        if status == 0 or self.may_fail:
            return None
        errors = self.errors.read_text(errors="replace") if self.errors.exists() else ""
        return f"{self.name}: sipp ended with {status}\n{errors[:1500]}"


def record(path, progress):
    """Records one file of the corpus."""
    plan = script.read(path)
    capture = path.with_suffix(".pcapng")
    network.prepare(plan.settings.get("mtu", "65536"))
    with tempfile.TemporaryDirectory(prefix="causebench-") as folder:
        folder = Path(folder)
        raw = folder / "raw.pcapng"
        tones.write(folder)
        with network.Dump(raw):
            if plan.settings.get("program") == "demo":
                problems = play_demo(folder, path)
            elif any(call.drive for call in plan.calls):
                problems = drive_phones(plan, folder, path)
            elif plan.settings.get("program") == "kamailio":
                problems = with_proxy(plan, folder, progress)
            else:
                problems = make_calls(plan, folder, progress)
        for problem in problems:
            print(problem)
        cut(raw, capture, plan)
    print(f"{capture.name}: {len(plan.calls)} calls, {capture.stat().st_size} bytes", flush=True)
    return not problems


def with_proxy(plan, folder, progress):
    """The same calls through Kamailio, which sees to all that a proxy does."""
    config = Path(__file__).with_name("kamailio.cfg")
    command = ["kamailio", "-f", config, "-DD", "-E", "-w", folder, "-Y", folder, "-m", "32", "-M", "4"]
    proxy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(folder / "kamailio.log").open("w"))
    try:
        network.wait_for_port(PROXY, 5060, False)
        return make_calls(plan, folder, progress)
    finally:
        proxy.terminate()
        proxy.wait()
        print((folder / "kamailio.log").read_text()[-1500:])


def drive_phones(plan, folder, path):
    problems = []
    made = phones.start(phones.letters(plan.calls), folder, path.parents[3])
    try:
        for call in plan.calls:
            print(f"  {call.name}", flush=True)
            phones.drive(call, made, problems)
        time.sleep(8)
    finally:
        for letter, phone in made.items():
            phone.stop(*([path.with_suffix(".recording")] if letter == "E" else []))
    return problems


def play_demo(folder, path):
    """The flows that `callboxd demo` plays between two engines and a server of its own."""
    binaries, store = phones.binaries(path.parents[3]), folder / "store"
    subprocess.run([binaries / "callboxd", "demo", "--store", store], check=True, stdout=subprocess.DEVNULL)
    time.sleep(3)
    phones.export(binaries, store, path.with_suffix(".recording"))
    return []


def make_calls(plan, folder, progress):
    peers = []
    try:
        start_calls(plan, folder, progress, peers)
        return [problem for peer in peers if (problem := peer.finish())]
    finally:
        for peer in peers:
            peer.process.kill()


def start_calls(plan, folder, progress, peers):
    for index, call in enumerate(plan.calls):
        transport = "tcp" if "tcp" in call.flags else "udp"
        ends = ends_of(call, index, plan.calls)
        texts = scenario.build(call, ends, transport)
        for side in ("C", "B", "A"):
            if side in texts:
                peers.append(Sipp(folder, call, side, texts[side], ends, transport, index))
        progress(f"{call.name}")
        time.sleep(0.02)


def cut(raw, capture, plan):
    """Keeps SIP, its fragments and audio; and of a call with `keep:` only what passes that filter."""
    hidden = []
    for index, call in enumerate(plan.calls):
        if call.keep:
            ends = ends_of(call, index, plan.calls)
            keep = call.keep.replace("{A}", ends["A"].host).replace("{B}", ends["B"].host)
            hidden.append(f'not (sip.Call-ID contains "{call.name}@" and not ({keep}))')
    if plan.settings.get("drop"):
        hidden.append(f"not ({plan.settings['drop']})")
    shown = " and ".join(hidden) or "frame"
    subprocess.run(["tshark", "-r", str(raw), "-Y", shown, "-w", str(capture)], check=True, stderr=subprocess.DEVNULL)
    pcapng.forget_the_machine(capture)
    capture.chmod(0o644)


def main(corpus, names):
    """Records the named files, or all."""
    paths = sorted(corpus.glob("*.txt"))
    if names:
        paths = [path for path in paths if path.stem in names]
    good = True
    for path in paths:
        print(f"{path.stem} ...", flush=True)
        good &= record(path, lambda name: None)
    raise SystemExit(0 if good else 1)
