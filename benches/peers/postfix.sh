#!/bin/bash
# Postfix 3.7: postfix.sh start|stop|pid|conf
#  DELIVER=virtual (maildir by Postfix's own agent) | lmtp (to dovecot.sh's LMTP) | hold (queue only)
#  FLOW=1s (in_flow_delay as shipped; 0 turns it off)    PROCS=100 (default_process_limit)
#  ports: smtp with STARTTLS 2525, implicit TLS 2465
set -eu
. "$(dirname "$(readlink -f "$0")")/lib.sh"
: "${DELIVER:=virtual}" "${FLOW:=1s}" "${PROCS:=100}"
D=$PEERS_DIR/postfix; C=$D/conf
conf() {
  need postfix; vuser; certs
  mkdir -p "$C" "$D/spool" "$D/data" "$PEERS_DIR/mail/postfix"
  chown postfix "$D/data"; chown $VUSER "$PEERS_DIR/mail/postfix"; chmod 755 "$PEERS_DIR" "$D" "$C"
  local tr=virtual
  case $DELIVER in lmtp) tr=lmtp:unix:$PEERS_DIR/dovecot/run/lmtp;; hold) tr=hold;; esac
  cat > "$C/main.cf" <<X
compatibility_level = 3.6
config_directory = $C
queue_directory = $D/spool
data_directory = $D/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $D/log
maillog_file_prefixes = $PEERS_DIR
syslog_name = mbpostfix
myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = bench.test
virtual_mailbox_base = $PEERS_DIR/mail/postfix
virtual_mailbox_maps = texthash:$C/boxmap
virtual_uid_maps = static:$(id -u $VUSER)
virtual_gid_maps = static:$(id -g $VUSER)
virtual_transport = $tr
message_size_limit = 52428800
virtual_mailbox_limit = 0
in_flow_delay = $FLOW
default_process_limit = $PROCS
smtpd_tls_security_level = may
smtpd_tls_chain_files = $PEERS_DIR/tls/$CERT.pem
smtpd_tls_session_cache_database = btree:\${data_directory}/smtpd_scache
smtpd_tls_loglevel = 0
alias_maps =
alias_database =
local_recipient_maps =
biff = no
X
  for ((i = 0; i < USERS; i++)); do echo "u$i@bench.test u$i/Maildir/"; done > "$C/boxmap"
  [ "$DELIVER" = hold ] && echo 'defer_transports = hold' >> "$C/main.cf"
  cat > "$C/master.cf" <<X
127.0.0.1:2525 inet n - n - - smtpd
127.0.0.1:2465 inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
hold unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
X
}
pid() { tr -d ' ' < "$D/spool/pid/master.pid"; }
case ${1:-} in
  conf) conf;;
  start) conf; ulimit -n 20000; launch postfix -c "$C" start; wait_port 2525;;
  stop) postfix -c "$C" stop >/dev/null 2>&1 || true; for _ in $(seq 100); do kill -0 "$(pid)" 2>/dev/null || break; sleep 0.05; done;;
  pid) pid;;
  *) sed -n 2,6p "$0"; exit 2;;
esac
