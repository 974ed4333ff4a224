package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
)

// ErrInUse is of a cache whose server is alive.
var ErrInUse = errors.New("a server that is alive has this cache")

// prefix begins the names of all caches.
const prefix = "/unpipc-kv-"

// Name is the name of the cache of this user's server with this id at this TCP port.
func Name(id string, port int) string {
	return fmt.Sprintf("%s%d-%s-%d", prefix, unix.Geteuid(), url.PathEscape(id), port)
}

// patience is how long Create waits for another process that makes or removes the object
// just now.
const patience = 5 * time.Second

// Create makes a cache of so many bytes, mode 0600, in the place of one whose server has
// ended. The memory is taken at once.
// Errors: *fs.PathError with [ErrInUse], EPERM (it is another user's), EINVAL (not between
// MinSize and MaxSize), ENOSPC, ENAMETOOLONG.
func Create(name string, size int) (*Writer, error) {
	if size < MinSize || size > MaxSize {
		return nil, &fs.PathError{Op: "create cache", Path: name, Err: unix.EINVAL}
	}
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		w, err := claim(name, size)
		if err == nil || !errors.Is(err, errAgain) || time.Now().After(until) {
			return w, err
		}
	}
}

var errAgain = errors.New("another process makes or removes it")

// claim makes the object, or removes an old one, which is errAgain.
func claim(name string, size int) (*Writer, error) {
	fail := func(err error) error { return &fs.PathError{Op: "create cache", Path: name, Err: err} }
	object, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	there := errors.Is(err, fs.ErrExist)
	if there {
		object, err = posixshm.Open(name, unix.O_RDWR, 0)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(errAgain)
	case errors.Is(err, fs.ErrPermission):
		return nil, fail(unix.EPERM)
	case err != nil:
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = object.Close()
		}
	}()
	// Who makes or removes has this lock; the kernel takes it from the dead.
	if !lock(object) || !linked(object) {
		err = fail(errAgain)
		return nil, err
	}
	if !there {
		var w *Writer
		if w, err = establish(object, size); err != nil {
			err = errors.Join(fail(err), posixshm.Unlink(name))
		}
		return w, err
	}
	if err = retire(object); err == nil {
		err = errors.Join(fail(errAgain), posixshm.Unlink(name))
	} else {
		err = fail(err)
	}
	return nil, err
}

func lock(o *posixshm.Object) bool {
	return unix.FcntlFlock(uintptr(o.Fd()), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}) == nil
}

func unlock(o *posixshm.Object) {
	_ = unix.FcntlFlock(uintptr(o.Fd()), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_UNLCK}) // held
}

// linked says whether the object still has its name.
func linked(o *posixshm.Object) bool {
	var st unix.Stat_t
	return unix.Fstat(o.Fd(), &st) == nil && st.Nlink > 0
}

// establish makes a cache in a new object, which is locked. The magic comes last.
func establish(object *posixshm.Object, size int) (w *Writer, err error) {
	h := newHeader(size)
	if err := object.Allocate(int(h.size)); err != nil {
		return nil, err
	}
	memory, err := object.Map(int(h.size), true)
	if err != nil {
		return nil, err
	}
	w = &Writer{
		object: object, memory: memory, parts: divide(memory, &h), slots: make([]slot, h.buckets*ways),
		reserved: h.capacity, // so that no position is 0
		scratch:  make([]uint64, longest),
	}
	mutex, err := pthread.InitMutex(memory[mutexAt:][:pthread.MutexSize], mutexAttr)
	if err == nil {
		w.owner, err = own(mutex, w.lifeWord())
	}
	if err != nil {
		return nil, errors.Join(err, posixshm.Unmap(memory))
	}
	w.parts.words[reservedAt] = w.reserved
	*(*header)(unsafe.Pointer(unsafe.SliceData(memory))) = h
	atomic.StoreUint64(&w.parts.words[0], *(*uint64)(unsafe.Pointer(&magic)))
	unlock(object)
	return w, nil
}

// retire makes sure that an old object is of no use to anybody: ErrInUse if its server
// lives. It may be anything.
func retire(object *posixshm.Object) error {
	var st unix.Stat_t
	if err := unix.Fstat(object.Fd(), &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Uid != uint32(unix.Geteuid()) {
		return unix.EPERM
	}
	h, err := readHeader(object)
	if err != nil || !h.fits(st.Size) {
		return nil
	}
	memory, err := object.Map(int(st.Size), true)
	if err != nil {
		return err
	}
	defer posixshm.Unmap(memory)
	if err := bury(memory[mutexAt:][:pthread.MutexSize]); err != nil {
		return err
	}
	atomic.StoreUint64(&divide(memory, &h).words[closedAt], 1)
	return nil
}

// readHeader reads it from the file, which cannot fault.
func readHeader(object *posixshm.Object) (h header, err error) {
	n, err := unix.Pread(object.Fd(), bytesOfHeader(&h), 0)
	if err == nil && n < headerSize {
		err = ErrUnfit
	}
	return h, err
}

// Find are the names of the caches of this user's servers at a TCP port: usually one.
func Find(port int) ([]string, error) {
	all, err := posixshm.List()
	if err != nil {
		return nil, err
	}
	var names []string
	begin, end := fmt.Sprintf("%s%d-", prefix, unix.Geteuid()), fmt.Sprintf("-%d", port)
	for _, o := range all {
		if len(o.Name) > len(begin)+len(end) && strings.HasPrefix(o.Name, begin) && strings.HasSuffix(o.Name, end) {
			names = append(names, o.Name)
		}
	}
	return names, nil
}
