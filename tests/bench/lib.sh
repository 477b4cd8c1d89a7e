# What the measuring scripts share. Sourced, not run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${CALLBOX_BIN_DIR:-$ROOT/target/release}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/callbox-bench.XXXXXX")
STARTED=()

# Ends what was started, by process id, and removes the folder.
clean_up() {
  local id
  for id in "${STARTED[@]}"; do kill -KILL "$id" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [[ -n ${KEEP:-} ]] && echo "kept: $WORK" || rm -rf "$WORK"
}
trap clean_up EXIT

need() {
  command -v "$1" >/dev/null 2>&1 || { echo "$1 is not installed (Debian package $2)" >&2; exit 1; }
}

# scenario NAME: prints the path of a SIPp scenario of tests/sipp without its unset placeholders.
scenario() {
  sed -e '/^ *@[A-Z_]*@ *$/d' -e 's/@EXPECT@/./' "$ROOT/tests/sipp/$1.xml" >"$WORK/$1.xml"
  echo "$WORK/$1.xml"
}

# pinned CPU COMMAND...: on that core, where the machine has it and taskset is there.
pinned() {
  local cpu=$1
  shift
  if command -v taskset >/dev/null 2>&1 && ((cpu < $(nproc))); then exec taskset -c "$cpu" "$@"; fi
  exec "$@"
}

# cpu_ms PID: user and system time so far in milliseconds (resolution 10 ms).
cpu_ms() {
  awk -v hz="$(getconf CLK_TCK)" '{ sub(/^.*\) /, ""); print ($12 + $13) * 1000 / hz }' "/proc/$1/stat"
}

# measured COMMAND...: runs it with its output on stderr; prints the CPU seconds and the peak of resident memory (KiB) it took.
measured() {
  python3 - "$@" <<'PYTHON'
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss}")
sys.exit(code)
PYTHON
}

# median of the numbers on standard input, one a line.
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# written PID: bytes it sent to the block layer so far; memory_kb PID: resident memory.
written() { awk '$1 == "write_bytes:" { print $2 }' "/proc/$1/io"; }
memory_kb() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }

# start_callboxd STORE FLAGS...: sets PID, SIP and HTTP (ports) once it is ready.
start_callboxd() {
  local store=$1 line
  shift
  (pinned 1 "$BIN/callboxd" serve --store "$store" --listen udp:127.0.0.1:0 --http 127.0.0.1:0 "$@") \
    >"$WORK/callboxd.out" 2>"$WORK/callboxd.err" &
  PID=$!
  STARTED+=("$PID")
  for _ in $(seq 500); do
    line=$(grep -m1 '^ready ' "$WORK/callboxd.out" || true)
    [[ -z $line ]] || break
    sleep 0.02
  done
  [[ -n $line ]] || { cat "$WORK/callboxd.err" >&2; echo "callboxd did not get ready" >&2; exit 1; }
  SIP=$(sed -n 's/.* udp:[^ ]*:\([0-9]*\).*/\1/p' <<<"$line")
  HTTP=$(sed -n 's/.* http:[^ ]*:\([0-9]*\).*/\1/p' <<<"$line")
}

# free_port: a UDP port that the kernel's table does not show.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + RANDOM % 10000))
    grep -q ":$(printf %04X "$port") " /proc/net/udp || { echo "$port"; return; }
  done
  exit 1
}

# place_calls PORT CALLS RATE HOLD_MS: SIPp places the calls; fails if one failed. Sets RETRANSMITTED.
place_calls() {
  local port=$1 calls=$2 rate=$3 hold=$4 status=0
  (cd "$WORK" && pinned 0 sipp "127.0.0.1:$port" -sf "$(scenario uac_hangup)" -i 127.0.0.1 -p "$(free_port)" \
    -cp "$(free_port)" -m "$calls" -r "$rate" -l 100000 -d "$hold" -nostdin -timeout 600s -timeout_error \
    -trace_stat -stf "$WORK/stat.csv" -fd 1 -trace_err -error_file "$WORK/sipp.errors" >"$WORK/sipp.out" 2>&1) || status=$?
  RETRANSMITTED=$(awk -F';' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "Retransmissions(C)") c = i } END { print $c }' "$WORK/stat.csv")
  FAILED=$(awk -F';' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "FailedCall(C)") c = i } END { print $c }' "$WORK/stat.csv")
  SUCCEEDED=$(awk -F';' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "SuccessfulCall(C)") c = i } END { print $c }' "$WORK/stat.csv")
  if ((status != 0)); then head -20 "$WORK/sipp.errors" >&2 2>/dev/null || true; fi
  return "$status"
}
