#!/bin/bash
# nginx as a bare TLS terminator, the reference for handshakes: nginx.sh start|stop|pid|conf
#  WORKERS=2; port 15443: https, answers 204
set -eu
. "$(dirname "$(readlink -f "$0")")/lib.sh"
: "${WORKERS:=2}"
D=$PEERS_DIR/nginx; C=$D/nginx.conf; P=$D/pid
conf() {
  need nginx-light; certs; mkdir -p "$D"
  cat > "$C" <<X
user root;
worker_processes $WORKERS;
pid $P;
error_log $D/errors crit;
daemon on;
events {
  worker_connections 8000;
}
http {
  access_log off;
  client_body_temp_path $D/body;
  proxy_temp_path $D/proxy;
  fastcgi_temp_path $D/fastcgi;
  uwsgi_temp_path $D/uwsgi;
  scgi_temp_path $D/scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:s:10m;
  ssl_session_tickets on;
  lingering_close off;
  server {
    listen 127.0.0.1:15443 ssl backlog=4096;
    ssl_certificate $PEERS_DIR/tls/$CERT.crt;
    ssl_certificate_key $PEERS_DIR/tls/$CERT.key;
    return 204;
  }
}
X
}
case ${1:-} in
  conf) conf;;
  start) conf; ulimit -n 20000; launch nginx -c "$C"; wait_port 15443;;
  stop) running "$P" && kill "$(cat "$P")"; for _ in $(seq 100); do running "$P" || break; sleep 0.05; done;;
  pid) cat "$P";;
  *) sed -n 2,3p "$0"; exit 2;;
esac
