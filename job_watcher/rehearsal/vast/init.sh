# First process of a machine of the fake Vast: `bash init.sh FOLDER confined|plain [LESS...]`, its standard input a
# pipe that is closed when the fake ends, however it ends. Everything of the machine lies in FOLDER.
# `confined` runs in namespaces of its own: what is not in FOLDER becomes read-only, and when this process
# ends, the kernel ends every other one of the machine.
folder=$1 mode=$2
shift 2 # what is left is the command by which onstart runs with fewer rights
read -r outside _ </proc/self/stat # its number where the fake runs
if [ "$mode" = confined ]; then
    mount --bind "$folder" "$folder" || exit 97 # before anything in it is opened: what is, keeps its mount writable
    (
        set -e
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        [ ! -d /dev/shm ] || mount --bind "$folder/shm" /dev/shm
        [ ! -d /etc/ssh ] || mount --bind "$folder/ssh" /etc/ssh
        mount --bind "$folder/passwd" /etc/passwd
        mount --bind "$folder/shadow" /etc/shadow
        [ -d /run/sshd ] || { mount -t tmpfs tmpfs /run && mkdir /run/sshd; }
        mount -t proc proc /proc
        mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
        own=$(readlink -f "$folder")
        while read -r _ at options _; do
            at=$(printf '%b' "$at") # spaces are written as \040
            case $at in "$own" | "$own"/* | /proc | /proc/* | /dev/pts | /dev/shm) continue ;; esac
            [ -e "$at" ] || continue # hidden below another
            mount -o remount,bind,ro "$at" || [ "${options%%,*}" = ro ] || case $at in /sys/*) ;; *) exit 1 ;; esac
        done < <(cut -d' ' -f1-3 </proc/self/mounts)
    ) >>"$folder/log" 2>&1 || {
        echo "this machine could not be confined to its folder and does not start" >>"$folder/log"
        exit 97
    }
fi
cd "$folder/home" || exit 97
[ ! -s "$folder/onstart" ] ||
    "$@" env -i /bin/bash -c '. "$1/environment"; exec /bin/bash "$1/onstart"' - "$folder" >>"$folder/log" 2>&1 </dev/null &
printf '%s\n' "$outside" >"$folder/ready.new" && mv "$folder/ready.new" "$folder/ready"
while read -r _; do :; done
[ "$mode" = confined ] || for each in /proc/[0-9]*; do # whatever carries this machine's mark ends with it
    pid=${each#/proc/}
    [ "$pid" != $$ ] && tr '\0' '\n' <"$each/environ" 2>/dev/null | grep -qx "FAKE_VAST_MACHINE=$FAKE_VAST_MACHINE" &&
        kill -9 "$pid"
done 2>/dev/null
exit 0
