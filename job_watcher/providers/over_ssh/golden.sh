# Has the worker in the folder $1 speak the sentence $2 and writes the audio to stdout: read by `sh -s`; $3 is
# what the files of this try are named by, $4 how many seconds it takes at most. Where the worker ends first: its
# last words, and its exit status. Where the connection ends, whose server started this, nobody waits any more.
umask 077
spool=$1/spool run=$1/run
place=$spool/sample
mkdir -p "$place" || exit 73
find "$place" -mindepth 1 -maxdepth 1 -mmin +60 -exec rm -rf {} + 2>/dev/null
callers= each=$PPID # shells between, and the server of the connection: looked up before anybody can know of this
for level in 1 2 3; do
    [ "$each" -gt 1 ] && { read -r line <"/proc/$each/stat"; } 2>/dev/null || break
    callers="$callers /proc/$each/stat"
    set -- "$1" "$2" "$3" "$4" ${line##*) }
    each=$6
done
ask=$place/$3
trap 'rm -f "$ask".*; rm -f "$ask".*' EXIT # twice: a worker that sees the ask gone puts nothing more there
trap 'exit 75' HUP INT TERM
printf %s "$2" >"$ask.new" && mv "$ask.new" "$ask.ask" || exit 73
[ ! -p "$spool/bell.worker" ] || printf '!' 1<>"$spool/bell.worker"
now() { # whole seconds, of a clock that nobody sets where there is one
    { read -r now _ </proc/uptime; } 2>/dev/null && now=${now%%.*} || now=$(date +%s)
}
now
end=$((now + $4))
while now && [ "$now" -lt "$end" ] && { [ -z "$callers" ] || cat $callers >/dev/null 2>&1; }; do
    if [ -f "$ask.wav" ]; then
        cat "$ask.wav"
        exit 0
    elif [ -f "$ask.error" ]; then
        tail -c 400 "$ask.error" >&2
        exit 70
    fi
    for ended in "$run/status" "$run/work/rc"; do
        { read -r status <"$ended"; } 2>/dev/null || continue
        case $status in '' | 0 | *[!0-9]*) status=75 ;; esac
        log=$run/log
        [ -s "$log" ] || log=$log.1 # the next one has begun already
        tail -c 400 "$log" >&2
        exit "$status"
    done
    sleep 0.1
done
exit 75
