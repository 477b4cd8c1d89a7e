"""One call's script becomes a SIPp scenario for each end.

Everything in a message is written out here (tags, branches, Call-ID), so that the same script gives the same call; SIPp
adds transport, time and repetition. Behind a proxy the headers that it adds are taken from what came (`routed`).
"""

from xml.sax.saxutils import quoteattr

PHRASES = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    199: "Early Dialog Terminated", 200: "OK", 202: "Accepted", 300: "Multiple Choices", 301: "Moved Permanently",
    302: "Moved Temporarily", 380: "Alternative Service", 400: "Bad Request", 401: "Unauthorized",
    402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 428: "Use Identity Header", 433: "Anonymity Disallowed",
    436: "Bad Identity Info", 437: "Unsupported Credential", 438: "Invalid Identity Header",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops",
    484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 491: "Request Pending", 493: "Undecipherable", 500: "Server Internal Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
    513: "Message Too Large", 580: "Precondition Failure", 600: "Busy Everywhere", 603: "Decline",
    604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}

CHALLENGE = 'Digest realm="example.org", nonce="7c1d9f30", algorithm=MD5, qop="auth"'
CREDENTIALS = (
    'Digest username="alice", realm="example.org", nonce="7c1d9f30", uri="sip:example.org", qop=auth, nc=00000001, '
    'cnonce="5e1a", response="00112233445566778899aabbccddeeff", algorithm=MD5'
)


class Dialog:
    """What both ends know, as the script goes on."""

    def __init__(self, call, ends, transport):
        self.call, self.ends, self.transport = call, ends, transport
        self.call_id = call_id(call)
        self.cseq = {"A": 0, "B": 100, "C": 200}
        self.requests = {}  # (sender, method) -> (cseq, branch, what the To header was)
        self.callee_tag = None
        self.answered = False
        self.failed = None
        self.count = 0

    def text(self, step):
        """The whole message of `step`."""
        return self.request(step) if step.is_request else self.response(step)

    def request(self, step):
        sender, method = step.sender, step.start
        self.count += 1
        branch = f"z9hG4bK-{self.call.name}-{self.count}"
        if method == "INVITE" and "auth" in step.flags or method not in ("ACK", "CANCEL"):
            self.cseq[sender] += 1
        cseq = int(step.options.get("cseq", self.cseq[sender]))
        in_dialog = self.answered or method not in ("INVITE", "CANCEL", "ACK")
        tag = step.options.get("tag", self.callee_tag) if in_dialog else None
        if method in ("ACK", "CANCEL"):
            cseq, earlier, _ = self.requests[(sender, "INVITE")]
            if method == "CANCEL" or self.failed:
                branch = earlier
            if method == "ACK" and self.failed:
                tag = self.failed
            self.failed = None if method == "ACK" else self.failed
        self.requests[(sender, method)] = (cseq, branch, tag)
        own, other = self.header(sender, tag), self.header("B" if sender == "A" else "A", tag)
        uri = step.options.get("uri") or self.ends[target_of(step)].uri(self.transport)
        lines = [
            f"{method} {uri} SIP/2.0",
            self.via(sender, branch),
            "Max-Forwards: 70",
            f"From: {own}",
            f"To: {other}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
        ]
        if method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE"):
            lines.append(f"Contact: <{self.ends[sender].uri(self.transport)}>")
        if "routed" in self.call.flags and self.answered and method in ("ACK", "BYE", "INVITE", "UPDATE"):
            lines.append("[routes]")
        if "auth" in step.flags:
            lines.append(f"Authorization: {CREDENTIALS}")
        return self.finish(step, lines)

    def response(self, step):
        sender, status = step.sender, int(step.start)
        requester = "A" if step.receiver == "P" else step.receiver
        cseq, branch, to_tag = self.requests.get((requester, step.method), (1, "", None))
        if sender in "BC" and status > 100 and "notag" not in step.flags:
            to_tag = step.options.get("tag", to_tag or self.callee_tag or f"{sender.lower()}-{self.call.name}")
            first = self.callee_tag is None and "routed" not in self.call.flags
            if step.method == "INVITE" and status < 300 and (status >= 200 or first):
                self.callee_tag = to_tag
        lines = [
            f"SIP/2.0 {status} {step.options.get('phrase', PHRASES.get(status, 'Unknown'))}",
            self.via(requester, branch),
            f"From: {self.header(requester, self.callee_tag if requester != 'A' else None)}",
            f"To: {self.header(sender, to_tag)}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {step.method}",
        ]
        if "blindvia" in step.flags:
            lines[1] = f"Via: SIP/2.0/{self.transport.upper()} :5060;branch={branch}"
        if "routed" in self.call.flags:
            lines[1] = "[last_Via:]" if step.method != "INVITE" else "Via:[$via]\nVia:[$before]"
            if step.method == "INVITE" and 101 <= status < 300:
                lines.append("Record-Route:[$route]")
        if step.method in ("INVITE", "UPDATE") and 101 <= status < 300:
            contact = f"<{step.options.get('contact') or self.ends[sender].uri(self.transport)}>"
            lines.append(f"Contact: {contact}{step.options.get('feature', '')}")
        if status in (401, 407):
            lines.append(f"{'WWW' if status == 401 else 'Proxy'}-Authenticate: {CHALLENGE}")
        if step.method == "INVITE" and status >= 200:
            self.answered = self.answered or status < 300
            self.failed = to_tag if status >= 300 else None
        return self.finish(step, lines)

    def finish(self, step, lines):
        default = self.ends[step.sender].agent
        agent = step.options.get("agent", default)
        if agent:
            lines.append(f"{'User-Agent' if step.is_request else 'Server'}: {agent}")
        lines += [f"Reason: {step.options['reason']}"] if "reason" in step.options else []
        lines += [header.replace("{C}", self.ends["C"].host) for header in step.headers]
        if "pad" in step.options:
            size = int(step.options["pad"])
            lines += [f"X-Filler-{n}: {'0123456789' * 10}" for n in range(size // 100)]
        body = []
        if "sdp" in step.flags or "sdp" in step.options:
            body = self.sdp(step)
            lines.append("Content-Type: application/sdp")
        elif "body" in step.options:
            body = [step.options["body"]]
            lines.append(f"Content-Type: {step.options.get('type', 'message/sipfrag;version=2.0')}")
        lines.append("Content-Length: [len]" if body else "Content-Length: 0")
        return "\n".join(lines + [""] + body)

    def sdp(self, step):
        end = self.ends[step.sender]
        host, family = step.options.get("media", end.host), "IP6" if ":" in end.host else "IP4"
        origin = step.options.get("origin", "-")
        lines = ["v=0", f"o={origin} 1 {self.count + 1} IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0"]
        lines += [f"m=audio {end.media} RTP/AVP 0", "a=rtpmap:0 PCMU/8000"]
        return lines + ([f"a={step.options['sdp']}"] if "sdp" in step.options else [])

    def header(self, side, tag):
        # A fork answers in the name that was called.
        end = self.ends["B" if side == "C" else side]
        if side == "A":
            tag = "a-" + self.call.name
        return f"{end.display}<{end.aor}>" + (f";tag={tag}" if tag else "")

    def via(self, sender, branch):
        end = self.ends[sender]
        return f"Via: SIP/2.0/{self.transport.upper()} {bracketed(end.host)}:{end.port};branch={branch}"


def call_id(call):
    return f"{call.name}@example.org"


def bracketed(host):
    return f"[{host}]" if ":" in host else host


def build(call, ends, transport):
    """The scenarios of all ends, by letter; an end that only listens has none."""
    dialog = Dialog(call, ends, transport)
    parts = {"A": [], "B": [], "C": [], "P": []}
    for index, step in enumerate(call.steps):
        rest = call.steps[index + 1 :]
        if step.kind == "pause":
            owner = step.sender or next_sender(rest)
            parts[owner].append(f'  <pause milliseconds="{step.millis}"/>')
        elif step.sender == "P" or "also" in step.flags:
            # The proxy speaks for itself.
            parts[step.receiver].append(receive(step, call))
        elif step.kind == "audio":
            stream = quoteattr(f"{step.options['file']}.ul,1,0,PCMU/8000")
            parts[step.sender].append(f"  <nop><action><exec rtp_stream={stream}/></action></nop>")
        elif step.millis:
            parts[step.receiver].append(miss(step, index))
        else:
            text = spelled(dialog.text(step), ends, step)
            parts[step.sender].append(send(step, text, rest))
            if "lost" not in step.flags and step.receiver != "P":
                parts[step.receiver].append(receive(step, call))
    if "routed" in call.flags:
        # SIPp refuses a variable that a scenario fills and does not use.
        for side in "BC":
            parts[side] += ['  <Reference variables="via,before,route"/>'] if parts[side] else []
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return {
        side: head + f'<scenario name="{call.name}">\n' + "\n".join(steps) + "\n</scenario>\n"
        for side, steps in parts.items()
        if steps and side != "P"
    }


def spelled(text, ends, step):
    """SIPp takes what stands in brackets for a word of its own, so an IPv6 address is left to it."""
    for side, word in ((step.sender, "[local_ip]"), (target_of(step), "[peer]")):
        if ":" in ends[side].host:
            text = text.replace(bracketed(ends[side].host), word)
    return text


def target_of(step):
    return "B" if step.receiver == "P" else step.receiver


def next_sender(rest):
    """A pause belongs to who speaks next; at the end of a script, to the caller."""
    speaks = (step.sender for step in rest if step.kind != "pause" and not step.millis and step.sender != "P")
    return next(speaks, "A")


def send(step, text, rest):
    """SIPp repeats a message until the next one comes, and sends nothing else meanwhile: so only where one comes."""
    final = not step.is_request and step.method == "INVITE" and int(step.start) >= 200
    repeats = step.is_request and step.start != "ACK" or final
    following = next((later for later in rest if step.sender in (later.sender, later.receiver)), None)
    comes = following is not None and following.receiver == step.sender
    attribute = ' retrans="500"' if repeats and comes else ""
    return f"  <send{attribute}><![CDATA[\n{text}\n]]></send>"


def miss(step, index):
    """Waits for what never comes, repeating what was said before, and then goes on."""
    what = f'request="{step.start}"' if step.is_request else f'response="{step.start}"'
    timeout = f'timeout="{step.millis}" ontimeout="{index}"'
    return f'  <recv {what} {timeout}/>\n  <label id="{index}"/>'


def receive(step, call):
    if not step.is_request:
        extra = ' rrs="true"' if "routed" in call.flags else ""
        optional = ' optional="true"' if "maybe" in step.flags else ""
        return f'  <recv response="{step.start}"{optional}{extra}/>'
    attribute = ' rrs="true"' if "routed" in call.flags else ""
    if "routed" in call.flags and step.start == "INVITE":
        keep = "".join(
            f'<ereg regexp=".*" search_in="hdr" header="{header}:" occurrence="{nth}" assign_to="{name}"/>'
            for header, nth, name in (("Via", 1, "via"), ("Via", 2, "before"), ("Record-Route", 1, "route"))
        )
        return f'  <recv request="INVITE"{attribute}><action>{keep}</action></recv>'
    return f'  <recv request="{step.start}"{attribute}/>'
