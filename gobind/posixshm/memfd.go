package posixshm

import (
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Memfd makes an object, of size 0, that only its descriptor leads to: whoever inherits
// it or is sent it. It is gone with its last descriptor and mapping. The name is for
// /proc/PID/maps only. flags are 0 or unix.MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, and
// MFD_HUGETLB for huge pages, which the administrator must have set aside
// (vm.nr_hugepages; else ENOMEM when they are mapped). The descriptor is close-on-exec.
// See memfd_create(2). Errors: EINVAL (the name, over 249 bytes), EMFILE, ENOSYS.
func Memfd(name string, flags int) (*Object, error) {
	shown := "memfd:" + name
	if strings.IndexByte(name, 0) >= 0 {
		return nil, errs.Path("memfd_create", shown, unix.EINVAL)
	}
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_CLOEXEC)
	if err != nil {
		return nil, errs.Path("memfd_create", shown, errs.Errno(err))
	}
	return &Object{fd, shown}, nil
}

// FromFd is the object of a descriptor that was inherited or received, which is the
// object's from now on; name is for errors. Nothing is checked.
func FromFd(fd int, name string) *Object { return &Object{fd, name} }

// Seal forbids things for ever, to everybody: unix.F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE
// (EBUSY while there is a shared mapping for writing), F_SEAL_FUTURE_WRITE (mappings that
// are there may write), F_SEAL_SEAL. Who receives an object that cannot shrink may touch
// what he mapped without fear of SIGBUS. See fcntl(2).
// Errors: EPERM (sealing is not allowed, or no more), EBUSY, EINVAL.
func (o *Object) Seal(seals int) error {
	_, err := unix.FcntlInt(uintptr(o.fd), unix.F_ADD_SEALS, seals)
	return errs.Path("fcntl F_ADD_SEALS", o.name, errs.Errno(err))
}

// Seals are the seals there are. An object with a name has F_SEAL_SEAL: it takes none.
// Error: EINVAL (a file system that knows no seals).
func (o *Object) Seals() (int, error) {
	seals, err := unix.FcntlInt(uintptr(o.fd), unix.F_GET_SEALS, 0)
	return seals, errs.Path("fcntl F_GET_SEALS", o.name, errs.Errno(err))
}
