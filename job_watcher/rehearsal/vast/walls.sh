# Makes everything but one folder read-only, for who runs this in namespaces of its own: `bash walls.sh FOLDER`.
# The folder's own host keys, users and shared memory stand where programs look for them. Fails where one wall
# cannot be put up. `-n`: nothing is noted in /run.
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
folder=$(readlink -f "$1")
mount -n --bind "$folder" "$folder"
[ ! -d /dev/shm ] || mount -n --bind "$folder/shm" /dev/shm
[ ! -d /etc/ssh ] || mount -n --bind "$folder/ssh" /etc/ssh
mount -n --bind "$folder/passwd" /etc/passwd
mount -n --bind "$folder/shadow" /etc/shadow
[ "$(id -u)" != 0 ] || [ -d /run/sshd ] || { mount -n -t tmpfs tmpfs /run && mkdir /run/sshd; } # sshd needs it
mount -n -t proc proc /proc
mount -n --bind /proc/sys /proc/sys
mount -n -o remount,bind,ro /proc/sys
while read -r _ at _ options _; do
    printf -v at %b "$at" # spaces are written as \040
    case $at in "$folder" | "$folder"/* | /proc | /proc/* | /dev/pts | /dev/shm) continue ;; esac
    [ -e "$at" ] || continue # hidden below another
    kept=                    # what an ordinary user may not take away
    for option in nosuid nodev noexec noatime nodiratime relatime; do
        case ",$options," in *",$option,"*) kept=$kept,$option ;; esac
    done
    case ",$options," in *,ro,*) continue ;; esac
    mount -n -o "remount,bind,ro$kept" "$at" || case $at in /sys/*) ;; *) exit 1 ;; esac
done < <(cat /proc/self/mounts)
