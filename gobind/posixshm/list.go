package posixshm

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// directory is where Linux keeps the objects: shm_overview(7).
const directory = "/dev/shm"

// Stat is the state of an object.
type Stat struct {
	Name     string
	Bytes    int // its size
	Taken    int // bytes of memory that are taken for it
	Mode     uint32
	UID, GID int
	Changed  time.Time // made, or its size, mode or owner set
}

// Stat reads the state of the object.
func (o *Object) Stat() (Stat, error) {
	var st unix.Stat_t
	err := unix.Fstat(o.fd, &st)
	return newStat(o.name, &st), errs.Path("fstat", o.name, errs.Errno(err))
}

// List is the state of every object that has a name, in order of their names, whoever
// may open them. Named semaphores, which are kept in the same place, are left out.
// Error: *fs.PathError (the directory cannot be read).
func List() ([]Stat, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var all []Stat
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), "sem.") {
			continue
		}
		var st unix.Stat_t
		err := unix.Lstat(directory+"/"+e.Name(), &st)
		if errors.Is(err, fs.ErrNotExist) {
			continue // unlinked while we read
		}
		if err != nil {
			return nil, errs.Path("lstat", "/"+e.Name(), errs.Errno(err))
		}
		all = append(all, newStat("/"+e.Name(), &st))
	}
	return all, nil
}

func newStat(name string, st *unix.Stat_t) Stat {
	return Stat{
		Name: name, Bytes: int(st.Size), Taken: int(st.Blocks) * 512, Mode: st.Mode & 0o777,
		UID: int(st.Uid), GID: int(st.Gid), Changed: time.Unix(st.Ctim.Sec, st.Ctim.Nsec),
	}
}
