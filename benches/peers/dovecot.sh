#!/bin/bash
# Dovecot 2.3: dovecot.sh start|stop|pid|conf
#  FORMAT=maildir|sdbox|mdbox   MODE=tuned|shipped (login processes)   HIBERNATE=5s (else off)   FSYNC=optimized|always|never
#  UIDS=many: a uid for each user (with one uid, inotify's limit of 128 instances a user stops IDLE and hibernation beyond it)
#  ports: imap 14143, imaps 14993, pop3 14110, pop3s 14995, lmtp 14024 (also the socket run/lmtp), submission 14587 / 14465
set -eu
. "$(dirname "$(readlink -f "$0")")/lib.sh"
: "${UIDS:=one}" "${FORMAT:=maildir}" "${MODE:=tuned}" "${HIBERNATE:=}" "${FSYNC:=optimized}" "${RELAY_PORT:=2525}"
D=$PEERS_DIR/dovecot; C=$D/dovecot.conf
conf() {
  need dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-submissiond; vuser; certs
  mkdir -p "$D/run" "$D/state" "$PEERS_DIR/mail/dovecot-$FORMAT"; chown $VUSER "$PEERS_DIR/mail/dovecot-$FORMAT"
  chmod 755 "$PEERS_DIR" "$D" "$D/run" "$PEERS_DIR/mail"
  passwd_file > "$D/passwd"
  local userdb="driver = static
  args = uid=$VUSER gid=$VUSER home=$PEERS_DIR/mail/dovecot-$FORMAT/%u"
  if [ "$UIDS" = many ]; then
    userdb="driver = passwd-file
  args = username_format=%u $D/passwd"
    local i=0 l h
    while IFS= read -r l; do
      h=$PEERS_DIR/mail/dovecot-$FORMAT/${l%%:*}; mkdir -p "$h"; chown $((60000 + i)):$((60000 + i)) "$h"
      echo "$l:$((60000 + i)):$((60000 + i))::$h"; i=$((i + 1))
    done < "$D/passwd" > "$D/passwd.new"; mv "$D/passwd.new" "$D/passwd"
  fi
  chmod 644 "$D/passwd"
  # As shipped: one login process per connection. Tuned ("high-performance mode"): one per core, serving many.
  local login="service_count = 1
  process_limit = 8000"
  [ "$MODE" = shipped ] || login="service_count = 0
  process_min_avail = 2
  process_limit = 2
  client_limit = 12000"
  local box
  case $FORMAT in maildir) box="maildir:~/Maildir";; sdbox) box="sdbox:~/sdbox";; mdbox) box="mdbox:~/mdbox";; esac
  cat > "$C" <<X
base_dir = $D/run
state_dir = $D/state
instance_name = mbpeer
log_path = $D/log
listen = 127.0.0.1
protocols = imap pop3 lmtp submission
mail_location = $box
mail_fsync = $FSYNC
ssl = yes
ssl_cert = <$PEERS_DIR/tls/$CERT.crt
ssl_key = <$PEERS_DIR/tls/$CERT.key
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = username_format=%u $D/passwd
}
userdb {
  $userdb
}
first_valid_uid = 1
mail_max_userip_connections = 0
default_client_limit = 14000
default_process_limit = 9000
default_vsz_limit = 1G
submission_relay_host = 127.0.0.1
submission_relay_port = $RELAY_PORT
submission_relay_trusted = yes
namespace inbox {
  inbox = yes
}
service imap-login {
  $login
  inet_listener imap {
    port = 14143
  }
  inet_listener imaps {
    port = 14993
    ssl = yes
  }
}
service pop3-login {
  $login
  inet_listener pop3 {
    port = 14110
  }
  inet_listener pop3s {
    port = 14995
    ssl = yes
  }
}
service submission-login {
  $login
  inet_listener submission {
    port = 14587
  }
  inet_listener submissions {
    port = 14465
    ssl = yes
  }
}
service imap {
  process_limit = 9000
  extra_groups = dovecot
  unix_listener imap-master {
    user = dovecot
  }
}
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0660
    group = dovecot
  }
}
service lmtp {
  inet_listener lmtp {
    port = 14024
  }
  unix_listener lmtp {
    mode = 0666
  }
}
service anvil {
  client_limit = 30000
}
service auth {
  client_limit = 30000
}
service stats {
  client_limit = 30000
}
X
  if [ -n "$HIBERNATE" ]; then
    printf 'protocol imap {\n  imap_hibernate_timeout = %s\n}\n' "$HIBERNATE" >> "$C"
  fi
}
case ${1:-} in
  conf) conf;;
  start) conf; ulimit -n 20000; launch dovecot -c "$C"; wait_port 14143;;
  stop) running "$D/run/master.pid" && doveadm -c "$C" stop 2>/dev/null; for _ in $(seq 100); do running "$D/run/master.pid" || break; sleep 0.05; done;;
  pid) cat "$D/run/master.pid";;
  *) sed -n 2,6p "$0"; exit 2;;
esac
