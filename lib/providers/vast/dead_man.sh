# Ends this machine when nobody needs it any more, whatever happens to who rented it: it asks Vast to destroy it
# with the key that Vast gave to this machine alone. Runs under any POSIX shell. The lines before this one set
#   api       where Vast is asked
#   deadline  its end, in seconds since the epoch; life_s: the same from its start, for a clock that is wrong
#   lease_s   for how long it stays when nobody writes anything new into the file `lease`
#   nobody_s  for how long it stays when nobody ever wrote into it
#   tick_s    seconds between two looks; retry_s: after a try to end it
#   key       who may come in
# Lengths are told by the time since the host's start, which no setting of a clock changes.

# Without a word it only sees to it that the one with a word runs, and neither ends for any signal but KILL.
if [ -z "${1-}" ]; then
  trap '' HUP INT QUIT USR1 USR2 PIPE ALRM TERM
  while :; do
    sh "$0" watch
    sleep 1
  done
fi

d=$HOME/.job-runner
clock=${DEAD_MAN_UPTIME:-/proc/uptime}

up() {
  t=
  [ -r "$clock" ] && read -r t _ <"$clock"
  t=${t%%.*}
  [ -n "$t" ] || t=$(date +%s)
}

# Vast writes that file anew at times, and then nobody could come in any more.
admit() {
  a=$HOME/.ssh/authorized_keys
  grep -qxF "$key" "$a" 2>/dev/null && return
  mkdir -p "$HOME/.ssh"
  printf '\n%s\n' "$key" >>"$a"
  chmod 700 "$HOME/.ssh"
  chmod 600 "$a"
}

# With whichever program is there. The key is in no argument: those can be read by all.
destroy() {
  u=$api/api/v0/instances/$CONTAINER_ID/
  b="Authorization: Bearer $CONTAINER_API_KEY"
  printf 'header="%s"\n' "$b" | curl -K- -fsSm30 -o /dev/null -X DELETE -H 'Content-Type: application/json' -d '{}' "$u" && return
  python3 -c 'import os,sys,urllib.request as u
u.urlopen(u.Request(sys.argv[1],b"{}",{"Authorization":"Bearer "+os.environ["CONTAINER_API_KEY"],"Content-Type":"application/json"},method="DELETE"),timeout=30)' "$u" && return
  w=$d/wgetrc # it reads no pipe
  printf 'header=%s\n' "$b" >"$w"
  wget --config="$w" -T30 -t1 -qO /dev/null --method=DELETE --header='Content-Type: application/json' --body-data='{}' "$u"
  b=$?
  rm -f "$w"
  return $b
}

if [ -z "${CONTAINER_API_KEY-}" ]; then
  for n in CONTAINER_API_KEY CONTAINER_ID; do
    v=$(tr '\0' '\n' </proc/1/environ | sed -n "s/^$n=//p")
    export "$n=$v"
  done
fi

up
born=$t
if read -r b 2>/dev/null <"$d/born" && [ "$b" -le "$t" ]; then
  born=$b
else
  echo "$t" >"$d/born.new"
  mv "$d/born.new" "$d/born"
fi
last=$t
seen=
why=$(cat "$d/ending" 2>/dev/null)
while [ -z "$why" ]; do
  up
  new=$(cat "$d/lease" 2>/dev/null)
  if [ -n "$new" ] && [ "$new" != "$seen" ]; then
    seen=$new
    last=$t
  fi
  if [ $((t - born)) -ge "$life_s" ] || [ "$(date +%s)" -ge "$deadline" ]; then
    why='its time is over'
  elif [ -n "$seen" ] && [ $((t - last)) -ge "$lease_s" ]; then
    why='nobody renews its lease'
  elif [ -z "$seen" ] && [ $((t - born)) -ge "$nobody_s" ]; then
    why='nobody ever came'
  else
    admit
    sleep "$tick_s"
  fi
done
if [ ! -s "$d/ending" ]; then
  echo "$why" >"$d/ending"
  echo "$(date): $why"
  [ ! -x "$d/last-words" ] || timeout -s KILL 300 "$d/last-words"
fi
while :; do
  destroy && echo "$(date): destroyed"
  sleep "$retry_s"
done
