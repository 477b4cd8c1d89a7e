"""A network of its own: a namespace whose loopback has the documentation addresses (RFC 5737, RFC 3849)."""

import os
import subprocess
import sys
import time

FLAG = "CAUSEBENCH_NAMESPACE"


def enter(arguments):
    """Runs this program again in namespaces of its own (user and network), unless it does already."""
    if os.environ.get(FLAG):
        return
    os.environ[FLAG] = "1"
    os.execvp("unshare", ["unshare", "--map-root-user", "--net", sys.executable, *arguments])


def prepare(mtu):
    """Addresses on the loopback, and its MTU."""
    commands = ["ip link set lo up"]
    commands += [f"ip addr add {net} dev lo" for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    commands += [f"ip addr add 2001:db8:{net}::{host:x}/128 dev lo" for net in "ab" for host in range(10, 42)]
    commands += [f"ip link set lo mtu {mtu}"]
    # A second file finds the addresses already there, which is no error then.
    batch = "".join(command.removeprefix("ip ") + "\n" for command in commands)
    subprocess.run(["ip", "-force", "-batch", "-"], input=batch, text=True, check=False, stderr=subprocess.DEVNULL)


def wait_for_port(host, port, tcp):
    """Until somebody has opened the port; looks at the kernel's table, so that no stray packet is recorded."""
    six = ":" in host
    table = f"/proc/net/{'tcp' if tcp else 'udp'}{'6' if six else ''}"
    if six:
        raw = b"".join(int.from_bytes(p, "big").to_bytes(4, "little") for p in words(packed(host)))
    else:
        raw = bytes(int(part) for part in host.split("."))[::-1]
    wanted = f"{raw.hex().upper()}:{port:04X}"
    for _ in range(500):
        with open(table, encoding="ascii") as rows:
            if any(row.split()[1] == wanted for row in rows.readlines()[1:]):
                return
        time.sleep(0.01)
    raise SystemExit(f"nobody listens on {host} port {port}")


def packed(host):
    import ipaddress

    return ipaddress.ip_address(host).packed


def words(raw):
    return [raw[at : at + 4] for at in range(0, len(raw), 4)]


class Dump:
    """dumpcap on the loopback, for as long as the block lasts."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        command = ["dumpcap", "-q", "-i", "lo", "-w", str(self.path)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        # It says where it writes once it listens.
        for line in self.process.stderr:
            if line.startswith("File:"):
                break
        else:
            raise SystemExit("dumpcap does not capture (apt-get install tshark; it may need rights)")
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.process.terminate()
        self.process.wait()
