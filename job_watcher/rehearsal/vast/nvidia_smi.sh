# Shows the GPU that the offer named: there is none in a rehearsal. The lines before this set what is shown.
[ -n "$FAKE_GPU" ] && [ ! -e "$FAKE_GONE" ] || {
    echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver." >&2
    exit 9
}
columns= units=1
for word; do
    case $word in
        --query-gpu=*) columns=${word#*=} ;;
        --format=*nounits*) units=0 ;;
        -L) columns=-L ;;
    esac
done
number=0
while [ "$number" -lt "$FAKE_GPUS" ]; do
    case $columns in
        -L) echo "GPU $number: NVIDIA $FAKE_GPU (UUID: GPU-00000000-0000-0000-0000-00000000000$number)" ;;
        '') echo "| $number  NVIDIA $FAKE_GPU | ${FAKE_GPU_MIB}MiB | Driver $FAKE_DRIVER CUDA Version: $FAKE_CUDA |" ;;
        *)
            line=
            for column in $(echo "$columns" | tr , ' '); do
                case $column in
                    name | gpu_name) value="NVIDIA $FAKE_GPU" ;;
                    memory.total) value=$FAKE_GPU_MIB; [ $units = 0 ] || value="$value MiB" ;;
                    memory.free) value=$((FAKE_GPU_MIB - 300)); [ $units = 0 ] || value="$value MiB" ;;
                    memory.used) value=300; [ $units = 0 ] || value="$value MiB" ;;
                    driver_version) value=$FAKE_DRIVER ;;
                    compute_cap) value=$FAKE_COMPUTE ;;
                    index) value=$number ;;
                    count) value=$FAKE_GPUS ;;
                    *) value='[N/A]' ;;
                esac
                line="${line:+$line, }$value"
            done
            echo "$line"
            ;;
    esac
    number=$((number + 1))
done
