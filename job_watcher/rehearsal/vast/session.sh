# What sshd runs for every session on a machine of the fake Vast: the program that was asked for, at home.
cd "$HOME" || exit 1
case ${SSH_ORIGINAL_COMMAND-} in
    '') exec /bin/bash ;;
    "$FAKE_VAST_SFTP") exec "$FAKE_VAST_SFTP" ;;
    *) exec /bin/bash -c "$SSH_ORIGINAL_COMMAND" ;;
esac
