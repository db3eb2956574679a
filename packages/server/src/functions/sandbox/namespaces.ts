/**
 * What confines a function where the server can give no user ids: namespaces of the kernel, which any user may have on most
 * machines (unshare(1), user_namespaces(7), mount_namespaces(7), pid_namespaces(7)). The function stays the server's user, so
 * what it must not see is covered: the data folder, the other functions' folders, all other processes.
 */

const UNSHARE = '/usr/bin/unshare';

/** Folders as a process is to see them. */
export interface NamespaceFolders {
  /** Nothing is in it for the process. */
  readonly dataFolder: string;
  /** Of this folder it sees its own code and its own folder to write in, and the files that lie in it. */
  readonly workshop: string;
  readonly code: string;
  readonly temporary: string;
}

/**
 * Covers the data folder by one that is empty, with the process's own folders kept in it for a moment; covers the workshop;
 * puts the own folders back in their places; lets it write to none but one of them, for what the server's user may write
 * holds the server's own program, maybe. Then a second pair of namespaces: what the first has mounted is locked in it.
 */
const COVER = `set -e
data=$1 workshop=$2 code=$3 temporary=$4
shift 4
mount -t proc none /proc
mount -t tmpfs -o mode=0755,size=1m none "$data"
mkdir "$data/files" "$data/code" "$data/temporary"
find "$workshop" -maxdepth 1 -type f -exec cp {} "$data/files" ';'
mount --bind "$code" "$data/code"
mount --bind "$temporary" "$data/temporary"
mount -t tmpfs -o mode=0755,size=1m none "$workshop"
cp "$data/files/"* "$workshop"
mkdir "$code" "$temporary"
mount --bind "$data/code" "$code"
mount --bind "$data/temporary" "$temporary"
umount "$data/code" "$data/temporary"
rm -r "$data/files" "$data/code" "$data/temporary"
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777,size=64m none /dev/shm
while read -r _ _ _ _ point _ flags _; do
  point=$(printf %b "$point")
  case $point in "$temporary" | /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) continue ;; esac
  keep=$(printf %s "$flags" | tr , '\\n' | grep -E '^(nosuid|nodev|noexec|noatime|nodiratime|relatime)$' | paste -sd , -)
  mount -o "remount,bind,ro\${keep:+,$keep}" "$point"
done < /proc/self/mountinfo
cd "$code"
exec ${UNSHARE} --user --map-user=65534 --map-group=65534 --mount -- "$@"`;

/** The command within namespaces of its own. Its first process ends with the one that starts it, and all others with it. */
export const inNamespaces = (
  { dataFolder, workshop, code, temporary }: NamespaceFolders,
  command: readonly string[],
): readonly string[] => [
  ...[UNSHARE, '--user', '--map-root-user', '--mount', '--pid', '--ipc', '--fork', '--kill-child', '--', '/bin/sh', '-c', COVER],
  ...['sh', dataFolder, workshop, code, temporary, ...command],
];
