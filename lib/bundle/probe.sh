# Says what a machine is: read by `sh -s`, writes lines of a word and values with a tab between.
# Nothing is changed. What is not there is not told.
say() { printf '%s\t%s\n' "$1" "$2"; }
LC_ALL=C; export LC_ALL
say probe 1
say system "$(uname -s 2>/dev/null)"
say processor "$(uname -m 2>/dev/null)"
say home "$HOME"
say cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null)"
say memory_kib "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo 2>/dev/null)"
say free_kib "$(df -Pk "$HOME" 2>/dev/null | sed -n '2p' | awk '{print $4}')"
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null)
case $glibc in
    glibc\ *) say libc "$glibc" ;;
    *) case $(ldd --version 2>&1) in
           *musl*) say libc "musl $(ldd --version 2>&1 | sed -n 's/^Version \([0-9]*\.[0-9]*\).*/\1/p')" ;;
       esac ;;
esac
for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
    path=$(command -v "$name" 2>/dev/null) || continue
    told=$("$path" -c '
import sys
try:
    import ensurepip, venv
    has = "venv"
except ImportError:
    has = "-"
kind = sys.implementation.name
if sys.maxsize < 2**32:
    kind += "-32bit" # on a processor of 64 bits, too
elif "t" in getattr(sys, "abiflags", ""):
    kind += "-freethreaded"
print("python\t%d.%d %s %s\t%s" % (*sys.version_info[:2], kind, has, sys.executable))
' 2>/dev/null </dev/null) || continue
    printf '%s\n' "$told"
    case $told in *"	3.1"[1-4]" cpython venv	"*) break ;; esac # the first that will do
done
[ -e /proc/driver/nvidia/version ] && say nvidia_driver yes
command -v nvidia-smi >/dev/null 2>&1 && say nvidia_smi yes
program=$(command -v voice-synth 2>/dev/null)
case $program in /*) say program "$(readlink -f "$program" 2>/dev/null || printf %s "$program")" ;; esac
say done 1
