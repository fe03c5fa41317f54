# First process of a machine of the fake Vast: `bash init.sh FOLDER plain|WALLS [LESS...]`, its standard input a
# pipe that is closed when the fake ends, however it ends. Everything of the machine lies in FOLDER.
# With WALLS (walls.sh) it runs in namespaces of its own: what is not in FOLDER becomes read-only, and when this
# process ends, the kernel ends every other one of the machine. It goes on itself with the fewer rights of LESS.
folder=$1 walls=$2
shift 2
if [ "$walls" != plain ] && [ "$walls" != inside ]; then
    read -r number _ </proc/self/stat # its own, where the fake runs
    /bin/bash "$walls" "$folder" || {
        echo "this machine could not be confined to its folder and does not start"
        exit 97
    }
    exec "$@" /bin/bash "$0" "$folder" inside "$number"
fi
cd "$folder/home" || exit 97
[ ! -s "$folder/onstart" ] ||
    env -i /bin/bash -c '. "$1/environment"; exec /bin/bash "$1/onstart"' - "$folder" >>"$folder/log" 2>&1 </dev/null &
printf '%s\n' "${1:-$$}" >"$folder/ready.new" && mv "$folder/ready.new" "$folder/ready"
while read -r _; do :; done
[ "$walls" = inside ] || for each in /proc/[0-9]*; do # whatever carries this machine's mark ends with it
    pid=${each#/proc/}
    [ "$pid" != $$ ] && tr '\0' '\n' <"$each/environ" 2>/dev/null | grep -qx "FAKE_VAST_MACHINE=$FAKE_VAST_MACHINE" &&
        kill -9 "$pid"
done 2>/dev/null
exit 0
