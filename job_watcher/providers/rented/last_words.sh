# Brings finished results into the store before this machine ends itself. Runs under any POSIX shell, and says
# nothing: what it knows would be read in a log. Beside it lies `$0.urls` with a line for each file that a job at
# hand may leave: a URL that was signed for it, a space, its path. The files of a result come before its
# `result.json`, which is put only where all of them are: who sees it sees a whole result.
umask 077
exec >/dev/null 2>&1
clock=${DEAD_MAN_UPTIME:-/proc/uptime}

up() {
  t=
  [ -r "$clock" ] && read -r t _ <"$clock"
  t=${t%%.*}
  [ -n "$t" ] || t=$(date +%s)
}

# With whichever program is there. The URL is in no argument: those can be read by all.
put() {
  printf 'url="%s"\n' "$1" | curl -K- -fsS --connect-timeout 10 -m "$left" -o /dev/null -T "$2" && return
  printf '%s\n' "$1" | python3 -c 'import os,sys,urllib.request as u
f=sys.argv[1]
h={"Content-Length":str(os.path.getsize(f)),"Content-Type":"application/octet-stream"}
u.urlopen(u.Request(sys.stdin.readline().strip(),open(f,"rb"),h,method="PUT"),timeout=20)' "$2" && return
  printf '%s\n' "$1" | wget -i- -T20 -t1 -qO /dev/null --method=PUT --body-file="$2"
}

up
end=$((t + 240)) # a minute before whoever runs this ends it
bad=
while read -r url file; do
  [ -f "$file" ] || continue
  folder=${file%/*}
  [ "$folder" != "$bad" ] || continue
  up
  left=$((end - t))
  [ "$left" -gt 0 ] || break
  put "$url" "$file" || bad=$folder
done <"$0.urls"
rm -f "$0.urls"
