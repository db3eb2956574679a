/** Code of functions that mean harm: what each way tries, and how it tells what came of it. */

/** A list of what was reached, a number of bytes that were held, or `refused`. */
export const PYTHON = `
import ctypes, errno, glob, mmap, os, signal, socket, sys, threading, time, urllib.request
MB = 1 << 20
STEP = 16 * MB
ALL = 704 * MB
libc = ctypes.CDLL(None, use_errno=True)
held = []

def fill(region, size=STEP):
    for at in range(0, size, 4096):
        region[at] = 1

def grow(step):
    total = 0
    try:
        while total < ALL:
            step()
            total += STEP
    except (OSError, MemoryError):
        return total
    time.sleep(1)
    return total

def anonymous(flags):
    def step():
        region = mmap.mmap(-1, STEP, flags=flags)
        fill(region)
        held.append(region)
    return step

def zero():
    region = mmap.mmap(os.open('/dev/zero', os.O_RDWR), STEP)
    fill(region)
    held.append(region)

def file(path, unlink=False):
    handle = open(path, 'wb', buffering=0)
    if unlink:
        os.unlink(path)
    held.append(handle)
    return lambda: handle.write(b'x' * STEP)

def memfd():
    number = 319 if os.uname().machine == 'x86_64' else 279
    fd = libc.syscall(number, b'm', 0)
    if fd < 0:
        return 0
    return grow(lambda: os.write(fd, b'x' * STEP))

def sysv():
    segment = libc.shmget(0, ctypes.c_size_t(ALL), 0o1600)
    return 0 if segment < 0 else ALL

def child(keep=True):
    region = mmap.mmap(-1, STEP, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    fill(region)
    while keep:
        time.sleep(1)

def dropped():
    # Shared memory that no process has resident any more, and that is there all the same.
    region = mmap.mmap(-1, STEP, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    fill(region)
    region.madvise(mmap.MADV_DONTNEED)
    held.append(region)

def forks():
    if os.fork() == 0:
        child()

def thread_forks():
    thread = threading.Thread(target=forks)
    thread.start()
    thread.join()

def double_fork():
    pid = os.fork()
    if pid == 0:
        if os.fork() == 0:
            os.setsid()
            child()
        os._exit(0)
    os.waitpid(pid, 0)

def unmapped():
    # All but a page of it is mapped by nobody, and it is there all the same.
    region = libc.mmap
    region.restype = ctypes.c_void_p
    at = region(None, ctypes.c_size_t(STEP), 3, 0x21, -1, ctypes.c_long(0))
    if at == ctypes.c_void_p(-1).value:
        raise OSError('refused')
    ctypes.memset(at, 1, STEP)
    libc.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(STEP - 4096))

def unmapped_zero():
    fd = os.open('/dev/zero', os.O_RDWR)
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(STEP), 3, 0x01, fd, ctypes.c_long(0))
    os.close(fd)
    if at == ctypes.c_void_p(-1).value:
        raise OSError('refused')
    ctypes.memset(at, 1, STEP)
    libc.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(STEP - 4096))

def hops():
    region = mmap.mmap(-1, ALL, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    if os.fork() == 0:
        end = time.time() + 3
        for at in range(0, ALL, STEP):
            fill(memoryview(region)[at:at + STEP])
            if os.fork() != 0:
                os._exit(0)
        while time.time() < end:
            if os.fork() != 0:
                os._exit(0)
        os._exit(0)
    time.sleep(3)
    for at in range(0, ALL, STEP):
        if region[at] == 0:
            return at
    return ALL

def hops_alone():
    # Nobody but the one that is on the move has it mapped.
    reader, writer = os.pipe()
    if os.fork() == 0:
        region = mmap.mmap(-1, ALL, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        end = time.time() + 3
        for at in range(0, ALL, STEP):
            fill(memoryview(region)[at:at + STEP])
            if os.fork() != 0:
                os._exit(0)
        while time.time() < end:
            if os.fork() != 0:
                os._exit(0)
        os.write(writer, b'x' if region[ALL - STEP] == 1 else b'-')
        os._exit(0)
    os.close(writer)
    return ALL if os.read(reader, 1) == b'x' else 0

def undumpable():
    libc.prctl(4, 0)
    return grow(lambda: held.append(bytearray(b'x' * STEP)))

def tables():
    # A page of each 2 MiB that is only read: no memory of its own, but a page of the page table.
    region = mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
    for at in range(0, 8 << 30, 2 * MB):
        region[at]
    held.append(region)

def sockets():
    # Each child holds what waits in its sockets, and none of it is memory of a process.
    reader, writer = os.pipe()
    for _ in range(8):
        if os.fork() == 0:
            count = 0
            try:
                while True:
                    pair = socket.socketpair()
                    held.append(pair)
                    for one in pair:
                        one.setblocking(False)
                        try:
                            while True:
                                count += one.send(b'x' * 65536)
                        except BlockingIOError:
                            pass
            except OSError:
                os.write(writer, b'%d\\n' % count)
            time.sleep(2)
            os._exit(0)
    os.close(writer)
    total = 0
    for _ in range(8):
        total += int(os.read(reader, 100).split()[0])
    time.sleep(1)
    return total

def attempt(reached, name, work):
    try:
        result = work()
    except Exception as error:
        return
    if result is not None and result is not False:
        reached.append([name, str(result)[:200]])

def content(path):
    with open(path, 'rb') as handle:
        return handle.read(100)

def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as one:
        one.settimeout(1)
        one.connect(address)
        return one.recv(100) or 'connected'

def secret_somewhere(event):
    paths = glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/root/tmp/*')
    paths += glob.glob('/tmp/*') + glob.glob('/dev/shm/*') + glob.glob('/var/tmp/*')
    for path in paths:
        try:
            if event['secret'].encode() in open(path, 'rb').read():
                return path
        except OSError:
            pass

def reach(event):
    reached = []
    for path in [event['data'], event['folder'], '/root', '/home', '/work', '/etc/shadow', '/etc/ssl/private', '/sys', '/run/thingkeep/..', '/boot', '/opt', '/srv', '/mnt']:
        attempt(reached, path, lambda: os.listdir(path) if path != '/run/thingkeep/..' else [name for name in os.listdir(path) if name != 'thingkeep'] or None)
        attempt(reached, path, lambda: content(path))
    for name in ['credentials', 'thingkeep.db', 'server.json', 'ca']:
        attempt(reached, name, lambda: content(event['data'] + '/' + name))
    attempt(reached, 'secret of this machine', lambda: content(event['folder'] + '/secret'))
    for pid in [event['server'], event['parent'], os.getppid() if os.getppid() != 1 else -2]:
        for name in ['environ', 'mem', 'maps', 'cmdline', 'root/etc/passwd', 'cwd/package.json']:
            attempt(reached, '%s %s' % (pid, name), lambda: content('/proc/%d/%s' % (pid, name)))
        attempt(reached, 'signal to %d' % pid, lambda: os.kill(pid, 0) or 'sent')
    attempt(reached, 'others', lambda: secret_somewhere(event))
    for uid in [0, 1, 60600, 65534]:
        attempt(reached, 'setuid', lambda: os.setuid(uid) or 'became %d' % os.getuid())
    attempt(reached, 'groups', lambda: os.setgroups([0]) or 'set')
    attempt(reached, 'capabilities', lambda: [line for line in open('/proc/self/status') if line.startswith('Cap') and int(line.split()[1], 16)] or None)
    for path in ['/usr/bin/x', '/etc/x', '/x', '/dev/x', '/var/task/x', '/var/runtime/x', '/run/thingkeep/x', '/run/x', '/proc/sys/kernel/hostname', '/proc/sys/kernel/core_pattern']:
        attempt(reached, path, lambda: open(path, 'w') and 'written')
    def setuid_file():
        with open('/tmp/suid', 'wb') as out:
            out.write(open('/usr/bin/id', 'rb').read())
        os.chmod('/tmp/suid', 0o6755)
        return None if b'euid' not in os.popen('/tmp/suid').read().encode() else 'runs with it'
    attempt(reached, 'setuid file', setuid_file)
    for program in ['/usr/bin/su', '/usr/bin/mount', '/usr/bin/passwd']:
        attempt(reached, program, lambda: os.system('%s --help >/dev/null 2>&1; %s -c id root </dev/null 2>&1 | grep -q uid=0' % (program, program)) == 0)
    for flags in [0x10000000, 0x20000, 0x40000000, 0x20000000]:
        attempt(reached, 'unshare %x' % flags, lambda: libc.unshare(flags) == 0)
    attempt(reached, 'mount', lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0)
    attempt(reached, 'ptrace', lambda: libc.ptrace(16, 1, 0, 0) == 0)
    attempt(reached, 'keys', lambda: libc.syscall(248 if os.uname().machine == 'x86_64' else 217, b'user', b'k', b'v', 1, -3) > 0)
    for port in [event['port'], event['mqtt'], 22, 80]:
        for address in ['127.0.0.1', 'localhost', '127.0.0.2']:
            attempt(reached, '%s:%d' % (address, port), lambda: connect(socket.AF_INET, (address, port)))
        attempt(reached, '[::1]:%d' % port, lambda: connect(socket.AF_INET6, ('::1', port)))
    attempt(reached, 'abstract', lambda: connect(socket.AF_UNIX, '\\0' + event['abstract']))
    for path in ['/run/dbus/system_bus_socket', '/var/run/docker.sock', '/run/systemd/private', '/dev/log']:
        attempt(reached, path, lambda: connect(socket.AF_UNIX, path))
    attempt(reached, 'link-local', lambda: connect(socket.AF_INET, ('169.254.169.254', 80)))
    attempt(reached, 'vsock', lambda: socket.socket(40, socket.SOCK_STREAM) and 'made')
    attempt(reached, 'packets', lambda: socket.socket(17, socket.SOCK_RAW) and 'made')
    return reached

def processes():
    count = 0
    try:
        while count < 10000:
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
            count += 1
    except OSError:
        return 'refused' if count < 1000 else count
    return count

def deep():
    os.chdir('/tmp')
    for depth in range(2000):
        os.mkdir('d' * 255)
        os.chdir('d' * 255)
    return 'refused'

def full():
    try:
        with open('/tmp/full', 'wb', buffering=0) as out:
            while True:
                out.write(b'x' * MB)
    except OSError as error:
        return 'refused' if error.errno in (errno.ENOSPC, errno.EFBIG) else str(error)

def files():
    count = 0
    try:
        for count in range(2000000):
            os.close(os.open('/tmp/%d' % count, os.O_CREAT))
    except OSError:
        return 'refused'
    return count

def signals():
    for one in [signal.SIGTERM, signal.SIGKILL]:
        for pid in [-1, 1, os.getppid()]:
            try:
                os.kill(pid, one)
            except OSError:
                pass
    return 'refused'

def health(event):
    return 'ok' if b'ok' in urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/health').read() else 'not'

WAYS = {
    'heap': lambda: grow(lambda: held.append(bytearray(b'x' * STEP))),
    'anonymous': lambda: grow(anonymous(mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)),
    'shared': lambda: grow(anonymous(mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)),
    'zero': lambda: grow(zero),
    'file': lambda: grow(file('/tmp/file')),
    'deleted': lambda: grow(file('/tmp/deleted', True)),
    'shm': lambda: grow(file('/dev/shm/file')),
    'memfd': memfd,
    'sysv': sysv,
    'forks': lambda: grow(forks),
    'thread-forks': lambda: grow(thread_forks),
    'double-fork': lambda: grow(double_fork),
    'hops': hops,
    'unmapped': lambda: grow(unmapped),
    'unmapped-zero': lambda: grow(unmapped_zero),
    'hops-alone': hops_alone,
    'dropped': lambda: grow(dropped),
    'undumpable': undumpable,
    'tables': lambda: grow(tables),
    'sockets': sockets,
    'processes': processes,
    'deep': deep,
    'full': full,
    'files': files,
    'signals': signals,
}

def handler(event, context):
    way = event['way']
    if way == 'reach':
        return reach(event)
    if way == 'health':
        return health(event)
    return WAYS[way]()
`;
