# Speaks one sentence on a machine and writes the audio to stdout: read by `sh -s PROGRAM ENGINE TEXT`.
umask 077
place=$HOME/.local/share/job-runner/tmp
mkdir -p "$place" || exit 73
find "$place" -mindepth 1 -maxdepth 1 -mmin +60 -exec rm -rf {} + 2>/dev/null
folder=$(mktemp -d "$place/golden.XXXXXX") || exit 73
trap 'rm -rf "$folder"' EXIT
trap 'exit 75' HUP INT TERM
"$1" speak "$3" --engine "$2" --voices-dir "$folder" --out-exact "$folder/golden" \
    >/dev/null 2>"$folder/said" </dev/null || {
    status=$?
    tail -c 400 "$folder/said" >&2
    exit "$status"
}
cat "$folder/golden.wav"
