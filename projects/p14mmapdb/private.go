package p14mmapdb

import (
	"os"

	"golang.org/x/sys/unix"
)

// openPrivate opens a database that has no name yet, so that no other process can use it. It
// does not wait for the disk; f stays open.
func openPrivate(f *os.File) (db *DB, err error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	db = newDB(f.Name(), Options{NoSync: true})
	db.f = os.NewFile(uintptr(fd), f.Name())
	opened := db
	defer func() {
		if err != nil {
			_ = opened.Close()
		}
	}()
	db.file = osFile{db.f}
	if db.memory, err = reserve(db.f); err != nil {
		return nil, err
	}
	lock, err := unix.MemfdCreate("mmapdb-lock", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	s := &session{path: f.Name(), f: os.NewFile(uintptr(lock), "mmapdb-lock"), own: map[int]bool{}}
	db.session = s
	if _, err := s.attach(true); err != nil {
		return nil, err
	}
	return db, s.begin(db.setUp)
}
