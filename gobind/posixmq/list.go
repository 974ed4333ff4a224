package posixmq

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// List names the queues of this IPC namespace, each with its slash, in order. It reads
// a mount that nobody else sees, if this process may make one (CAP_SYS_ADMIN), and else
// /dev/mqueue, which may be another namespace's or not be mounted.
// Error: *fs.PathError.
func List() ([]string, error) {
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	for i := range names {
		names[i] = "/" + names[i]
	}
	slices.Sort(names)
	return names, nil
}

// mqueueMagic is the type of the mqueue file system: statfs(2).
const mqueueMagic = 0x19800202

func directory() (*os.File, error) {
	const path = "/dev/mqueue"
	fd, err := privateMount()
	if err == nil {
		return os.NewFile(uintptr(fd), path), nil
	}
	var st unix.Statfs_t
	if unix.Statfs(path, &st) == nil && st.Type == mqueueMagic {
		return os.Open(path)
	}
	return nil, &os.PathError{Op: "list", Path: path, Err: errors.Join(errors.New("not mounted"), err)}
}

// privateMount is the root of a mount that is in no directory: fsmount(2).
func privateMount() (int, error) {
	context, err := unix.Fsopen("mqueue", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, os.NewSyscallError("fsconfig", err)
	}
	mount, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("fsmount", err)
	}
	defer unix.Close(mount)
	// The mount itself is open as O_PATH; its root must be open to be read.
	fd, err := unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("openat", err)
	}
	return fd, nil
}
