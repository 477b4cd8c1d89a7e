"""Programs of several makers that call each other: callboxd (E, F), baresip (P); and nobody (N).

`drive:` lines say who does what: `E dials P`, `P answers`, `P hangs`, `E rejects 486`, `E holds`, `+2s`. One call after
the other; the recorder waits between them, since nobody reports to it.
"""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request

HOSTS = {"E": "192.0.2.10", "F": "198.51.100.10", "P": "203.0.113.10", "N": "203.0.113.99"}


class Engine:
    """callboxd, by its control API; whom it calls, and who calls it, knows the call by the name in the user part."""

    def __init__(self, letter, folder, binaries, arguments):
        self.host, self.store, self.binaries = HOSTS[letter], folder / f"store-{letter}", binaries
        http = 8080 + ord(letter)
        self.api = f"http://127.0.0.1:{http}/v1/calls"
        command = [f"{binaries}/callboxd", "serve", "--store", str(self.store), "--listen", f"udp:{self.host}:5060"]
        command += ["--http", f"127.0.0.1:{http}", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if "ready" not in self.process.stdout.readline():
            raise SystemExit("callboxd does not start")
        self.call = None

    def ask(self, path="", body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.api + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def dials(self, name, peer, *options):
        body = {"to": f"sip:{peer.user or name}@{peer.host}", "from": f"sip:{name}@{self.host}"}
        if options:
            body["no_answer_ms"] = int(options[0])
        self.call = self.ask(body=body)["call_id"]

    def act(self, verb, body):
        call = self.call
        if call is None:
            live = self.ask("?state=live")
            incoming = [known for known in live if known["direction"] == "incoming"]
            call = max(incoming, key=lambda known: known["started_at"])["call_id"]
        self.ask(f"/{call}/{verb}", body)

    def answers(self):
        self.act("accept", {})

    def hangs(self):
        self.act("hangup", {"origin": "user"})

    def rejects(self, status):
        self.act("hangup", {"origin": "user", "status": int(status)})

    def holds(self):
        self.act("hold", {})

    def rest(self):
        self.call = None

    user = None

    def stop(self, recording=None):
        self.process.terminate()
        self.process.wait()
        if recording:
            export(self.binaries, self.store, recording)


def export(binaries, store, recording):
    """The record of an engine, as one file."""
    recording.unlink(missing_ok=True)
    command = [f"{binaries}/callbox", "export", "--format", "recording", "-o", str(recording), "--store", str(store)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


BARESIP = """sip_listen {host}:5060
call_local_timeout {patience}
call_max_calls 4
net_interface {host}
audio_source aubridge,nil
audio_player aubridge,nil
audio_alert aubridge,nil
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports 22000-22040
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:4444
"""


class Baresip:
    """baresip, by JSON in netstrings over TCP. It answers to one name only, so its callers bring the call's."""

    user = "bob"

    def __init__(self, letter, folder):
        self.host = HOSTS[letter]
        home = folder / "baresip"
        home.mkdir()
        (home / "config").write_text(BARESIP.format(host=self.host, patience=4))
        (home / "contacts").write_text("")
        account = f"<sip:bob@{self.host};transport=udp>;regint=0;audio_codecs=pcmu;answermode=manual\n"
        (home / "accounts").write_text(account)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(["baresip", "-4", "-f", str(home)], **quiet)
        time.sleep(2)

    def send(self, command, parameters=""):
        import socket

        body = json.dumps({"command": command, "params": parameters})
        with socket.create_connection(("127.0.0.1", 4444), timeout=5) as control:
            control.sendall(f"{len(body)}:{body},".encode())
            control.recv(4096)

    def dials(self, name, peer):
        self.send("dial", f"sip:{peer.user or name}@{peer.host}")

    def answers(self):
        self.send("accept")

    def hangs(self):
        self.send("hangup")

    def holds(self):
        self.send("hold")

    def rest(self):
        pass

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nobody:
    """An address where nothing runs."""

    user = None
    host = HOSTS["N"]

    def rest(self):
        pass

    def stop(self):
        pass


def binaries(root):
    """Where callboxd and callbox are: `CALLBOX_BIN_DIR`, or the release build."""
    folder = root / os.environ.get("CALLBOX_BIN_DIR", "target/release")
    if not (folder / "callboxd").is_file():
        raise SystemExit(f"no callboxd in {folder}: cargo build --release")
    return folder


def start(letters, folder, root):
    """The phones that a file needs."""
    made = {}
    for letter in sorted(letters):
        if letter in "EF":
            extra = ["--no-answer", "60"] if letter == "E" else ["--incoming", "ring", "--no-answer", "4"]
            made[letter] = Engine(letter, folder, binaries(root), extra)
        elif letter == "P" and shutil.which("baresip"):
            made[letter] = Baresip(letter, folder)
        elif letter == "N":
            made[letter] = Nobody()
        else:
            raise SystemExit(f"phone {letter} is not installed (apt-get install baresip-core)")
    return made


def drive(call, phones, problems):
    """Plays one call and lets everything come to rest."""
    for part in call.drive.split(";"):
        words = part.split()
        if pause := re.fullmatch(r"\+(\d+)(ms|s)", words[0]):
            time.sleep(int(pause[1]) / (1000 if pause[2] == "ms" else 1))
            continue
        who, verb, *rest = words
        arguments = [call.name, phones[rest[0]], *rest[1:]] if verb == "dials" else rest
        try:
            getattr(phones[who], verb)(*arguments)
        except (OSError, ValueError) as error:
            problems.append(f"{call.name}: {part.strip()}: {error}")
    time.sleep(1)
    for phone in phones.values():
        phone.rest()


def letters(calls):
    return {word for call in calls for word in call.drive.replace(";", " ").split() if re.fullmatch("[A-Z]", word)}
