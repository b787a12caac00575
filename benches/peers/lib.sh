# Sourced by the peer scripts. Everything they make lies under $PEERS_DIR; nothing outside it is changed but
# the Debian packages they need (and one system user, vmailbench).
: "${PEERS_DIR:=/var/tmp/dovetail-bench/peers}"
: "${CERT:=ec}"                 # ec | rsa: which of the two self-signed certificates a peer presents
: "${USERS:=100}"               # u0@bench.test .. u99@bench.test, all with the same password
: "${PASSWORD:=benchpass}"
: "${SCHEME:=PLAIN}"            # how passwords are stored: PLAIN, SHA512-CRYPT (5000 rounds) ... (Dovecot's names)
VUSER=vmailbench
export PEERS_DIR CERT USERS PASSWORD SCHEME DEBIAN_FRONTEND=noninteractive
umask 022

need() { # need package...: installs what is missing; --no-remove, as mail servers exclude one another; RUNLEVEL=1: don't start them
  local m=()
  for p in "$@"; do dpkg -s "$p" >/dev/null 2>&1 || m+=("$p"); done
  [ ${#m[@]} = 0 ] && return
  local get=(apt-get -o DPkg::Lock::Timeout=300 -q)
  # The package lists may be missing or old: fetch them when a first try fails.
  RUNLEVEL=1 "${get[@]}" install -y --no-remove --no-install-recommends "${m[@]}" >/dev/null 2>&1 && return
  "${get[@]}" update >/dev/null
  RUNLEVEL=1 "${get[@]}" install -y --no-remove --no-install-recommends "${m[@]}" >/dev/null
}

vuser() { id $VUSER >/dev/null 2>&1 || useradd -r -M -d /nonexistent -s /usr/sbin/nologin $VUSER; }

certs() {
  local d=$PEERS_DIR/tls
  [ -s "$d/rsa.crt" ] && return
  mkdir -p "$d"
  local x="-x509 -nodes -days 3650 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 $x -keyout "$d/ec.key" -out "$d/ec.crt" 2>/dev/null
  openssl req -newkey rsa:2048 $x -keyout "$d/rsa.key" -out "$d/rsa.crt" 2>/dev/null
  for k in ec rsa; do cat "$d/$k.key" "$d/$k.crt" > "$d/$k.pem"; done
  chmod 644 "$d"/*
}

passwd_file() { # user:hash lines
  local h="{PLAIN}$PASSWORD"
  [ "$SCHEME" = PLAIN ] || h=$(doveadm pw -s "$SCHEME" -p "$PASSWORD")
  for ((i = 0; i < USERS; i++)); do echo "u$i@bench.test:$h"; done
}

running() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
# WRAP: a command to run the server under (a tracer); it stays in the background and ends with the server.
launch() { if [ -n "${WRAP:-}" ]; then $WRAP "$@" </dev/null >/dev/null 2>&1 & else "$@" </dev/null >/dev/null 2>&1; fi; }
wait_port() { for _ in $(seq 400); do (exec 3<>/dev/tcp/127.0.0.1/"$1") 2>/dev/null && return 0; sleep 0.025; done; echo "port $1 does not open" >&2; return 1; }
