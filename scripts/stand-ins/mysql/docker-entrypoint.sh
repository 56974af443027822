#!/bin/bash
# Sets up an empty data directory from MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD and
# /docker-entrypoint-initdb.d, then runs the server.
set -euo pipefail

readonly data=/var/lib/mysql socket=/run/mysqld/mysqld.sock

say() { printf 'mysql stand-in: %s\n' "$*" >&2; }

# A value inside a quoted SQL string.
text() { local v=${1//\\/\\\\}; printf "'%s'" "${v//\'/\'\'}"; }
# A name inside backquotes.
name() { printf '`%s`' "${1//\`/\`\`}"; }

accounts() {
  local root=${MYSQL_ROOT_PASSWORD:-}
  echo "ALTER USER root@localhost IDENTIFIED BY $(text "$root");"
  echo "CREATE USER root@'%' IDENTIFIED BY $(text "$root");"
  echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
  [ -z "${MYSQL_DATABASE:-}" ] || echo "CREATE DATABASE IF NOT EXISTS $(name "$MYSQL_DATABASE");"
  [ -n "${MYSQL_USER:-}" ] && [ "$MYSQL_USER" != root ] || return 0
  echo "CREATE USER $(text "$MYSQL_USER")@'%' IDENTIFIED BY $(text "${MYSQL_PASSWORD:-}");"
  [ -z "${MYSQL_DATABASE:-}" ] || echo "GRANT ALL ON $(name "$MYSQL_DATABASE").* TO $(text "$MYSQL_USER")@'%';"
}

client() { MYSQL_PWD=${MYSQL_ROOT_PASSWORD:-} mysql --protocol=socket --socket="$socket" -uroot "$@"; }

# The server while it is set up: reachable over its socket only, so that nobody meets a half-made database.
set_up() {
  if [ -z "${MYSQL_ROOT_PASSWORD:-}" ] && [ -z "${MYSQL_ALLOW_EMPTY_PASSWORD:-}" ]; then
    say 'set MYSQL_ROOT_PASSWORD (or MYSQL_ALLOW_EMPTY_PASSWORD=1)'
    exit 1
  fi
  mariadb-install-db --user=mysql --datadir="$data" --skip-test-db --auth-root-authentication-method=normal >/dev/null
  mysqld --user=mysql --skip-networking --socket="$socket" &
  local server=$!
  for _ in $(seq 300); do
    mysqladmin --socket="$socket" -uroot ping >/dev/null 2>&1 && break
    kill -0 "$server" || exit 1
    sleep 0.1
  done
  accounts | mysql --socket="$socket" -uroot
  run_init_files
  MYSQL_PWD=${MYSQL_ROOT_PASSWORD:-} mysqladmin --socket="$socket" -uroot shutdown
  wait "$server"
}

run_init_files() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sql) say "run $file"; client ${MYSQL_DATABASE:+"$MYSQL_DATABASE"} <"$file" ;;
      *.sql.gz) say "run $file"; gunzip -c "$file" | client ${MYSQL_DATABASE:+"$MYSQL_DATABASE"} ;;
      *.sh) say "run $file"; bash "$file" ;;
    esac
  done
}

case ${1:-mysqld} in
  -*) set -- mysqld "$@" ;;
  mysqld) ;;
  *) exec "$@" ;;
esac
say "this is $(mysqld --version), in MySQL's place"
chown mysql:mysql "$data" /run/mysqld
[ -d "$data/mysql" ] || set_up
exec "$@" --user=mysql --socket="$socket"
