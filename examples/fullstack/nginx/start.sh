# nginx looks its upstreams up once, at start, and exits if a name is unknown. The containers start together, so
# wait for the names, half a minute at most; then nginx says which one is missing.
tries=0
until getent hosts frontend >/dev/null && getent hosts backend >/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || break
  sleep 1
done
exec nginx -g 'daemon off;'
