"""The fixed shell scripts that run on a machine. What differs reaches them as words of argv, never as text.

They need a POSIX shell, /proc, and of programs only cat, mkdir, mkfifo, mv, rm, setsid and sleep: any Linux
has those, a bare container too. What a process is comes from /proc, where a number that another process got
meanwhile shows by its time of start; one that has ended and was not collected counts as ended, because
process 1 of a container often collects nothing.
"""

from __future__ import annotations

from typing import Final

#: Reports its process number as the first line, then becomes the program in its arguments.
REPORT_AND_RUN: Final = 'echo "$$"; exec "$@"'

#: What /proc says of a process, and the end of a session.
_PROCESSES: Final = r"""
look() { # sets state, group, session and started of the process $1; fails where there is none
    { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- ${line##*) }
    state=$1 group=$3 session=$4
    [ $# -ge 20 ] || return 1
    shift 19
    started=$1
}
members() { # the living processes of the session $1
    for each in /proc/[0-9]*; do
        look "${each#/proc/}" && [ "$session" = "$1" ] || continue
        case $state in Z | X) ;; *) echo "${each#/proc/}" ;; esac
    done
}
clock() { # sets now to the seconds since the host's start
    now=0
    { IFS=. read -r now _ </proc/uptime; } 2>/dev/null
}
end_session() { # ends the session $1 by the signal $2, then by KILL; fails where some of it lives on
    sent=$2 turns=0
    clock
    began=$now
    while [ "$turns" -lt 80 ]; do
        living=$(members "$1")
        [ -n "$living" ] || return 0
        clock # on a busy machine a turn takes far longer than its pause
        [ "$turns" -lt 20 ] && [ $((now - began)) -lt 3 ] || sent=KILL
        case $sent,$turns in KILL,* | *,0) kill "-$sent" $living 2>/dev/null ;; esac
        turns=$((turns + 1))
        sleep 0.1
    done
    return 1
}
"""

#: Ends the session that the process $1 leads; only that process, where it leads none.
END_SESSION: Final = (
    _PROCESSES
    + r"""
look "$1" || { [ -z "$(members "$1")" ] && exit 0; session=$1; }
if [ "$session" = "$1" ]; then
    end_session "$1" TERM
else
    kill -KILL "$1"
    sleep 0.1
    ! look "$1" || [ "$state" = Z ]
fi
"""
)

#: Stays with one worker in a session of its own, and writes down how it ended. $1 run folder, $2 spool,
#: $3 which worker this is, $4 which boot; then the worker's words.
SUPERVISE: Final = (
    _PROCESSES
    + r"""
run=$1 spool=$2 which=$3 boot=$4
shift 4
work=$run/work
look "$$"
echo "$$ $started $boot $which" >"$work/pid.new" && mv "$work/pid.new" "$work/pid" || exit 1
child=
trap '' HUP INT
trap '[ -z "$child" ] || kill -TERM "$child"' TERM
exec 3>&2 2>/dev/null # the last words are the worker's, not the shell's about it
"$@" </dev/null 2>&3 3>&- &
child=$!
while :; do
    wait "$child"
    status=$?
    kill -0 "$child" || break
done
echo "$status" >"$work/rc.new" && mv "$work/rc.new" "$work/rc"
[ -p "$spool/bell.client" ] && printf x 1<>"$spool/bell.client"
"""
)

#: The one session that a watcher keeps open on a machine. It passes on what rings at the spool's bell, and
#: answers orders, a line each. $1 spool, $2 run folder, $3 which worker, $4 SUPERVISE; then its words.
#: Orders: p how is it; s start the worker; q ask it to end; k end all of it now, if it lives; r ring it.
#: Each but r is answered by a line that begins with "="; on the bell "!" is a result, "x" the worker's end.
CONTROL: Final = (
    _PROCESSES
    + r"""
spool=$1 run=$2 which=$3 supervise=$4
shift 4
umask 077
work=$run/work
bell=$spool/bell.client
mkdir -p "$spool" "$run" || exit 73
IFS= read -r boot </proc/sys/kernel/random/boot_id
look 1 && boot=$boot.$started # a container that was started anew has the boot of its machine
rm -f "$spool"/inbox/.*.part "$spool"/cancel/.*.part "$spool"/tmp/.*.part
[ -p "$bell" ] && [ ! -L "$bell" ] || { rm -rf "$bell" && mkfifo -m 600 "$bell"; } || exit 73

ours() { # whether the supervisor that is written down still runs; sets pid
    { read -r pid begun where who <"$work/pid"; } 2>/dev/null || return 1
    [ "$where" = "$boot" ] && look "$pid" && [ "$started" = "$begun" ] && [ "$state" != Z ]
}
ended() { # whether it wrote down how it ended, which it does a moment before it ends itself; sets status
    { read -r status <"$work/rc"; } 2>/dev/null
}
report() {
    pid=- begun=- where=$boot asked=
    [ -e "$work/stopping" ] && asked=asked
    if [ ! -d "$work" ]; then echo "= none"
    elif ours && [ ! -e "$work/rc" ]; then echo "= running $pid $begun $who"
    elif [ "$pid" = - ]; then echo "= starting"
    elif ended; then echo "= ended $pid $begun $status $asked"
    elif [ "$where" != "$boot" ]; then echo "= rebooted $pid $begun - $asked"
    else echo "= lost $pid $begun - $asked"; fi
}
start() {
    if mkdir "$work" 2>/dev/null; then
        rm -f "$run/status"
        [ ! -f "$run/log" ] || mv -f "$run/log" "$run/log.1"
        setsid sh -c "$supervise" sh "$run" "$spool" "$which" "$boot" \
            "$@" \
            </dev/null >>"$run/log" 2>&1 3<&- &
    fi
    report
}
finish() {
    if [ -d "$work" ]; then
        echo >"$work/stopping"
        ours && kill -TERM "$pid"
    fi
    report
}
end_now() { # what is left of the worker's session ends, and what was noted of it goes
    pid=
    ours
    if [ -n "$pid" ] && [ "$where" = "$boot" ]; then
        if look "$pid" && [ "$started" != "$begun" ]; then :; # another process has its number by now
        elif ! end_session "$pid" KILL; then echo "= stuck"; return; fi
    fi
    rm -rf "$run/ended"
    [ ! -f "$work/rc" ] || mv -f "$work/rc" "$run/status" # for who waits for what this worker was asked
    [ ! -d "$work" ] || mv "$work" "$run/ended"
    rm -rf "$run/ended"
    report
}

# A listener that a broken connection left would take rings away from this one.
if { read -r pid begun where <"$run/listener"; } 2>/dev/null && [ "$where" = "$boot" ]; then
    if ! look "$pid" || { [ "$started" = "$begun" ] && [ "$session" = "$pid" ]; }; then
        end_session "$pid" KILL
    fi
fi
look "$$"
echo "$$ $started $boot" >"$run/listener"
exec 3<>"$bell"
cat <&3 &
listener=$!
trap 'kill "$listener"' EXIT
trap exit HUP INT PIPE TERM # a shell that dies of a signal would leave its listener behind
echo "= hello"
while read -r order; do
    case $order in
        p) report ;;
        s) start "$@" ;;
        q) finish ;;
        k) end_now ;;
        r) [ ! -p "$spool/bell.worker" ] || printf '!' 1<>"$spool/bell.worker" ;;
    esac
done
"""
)
