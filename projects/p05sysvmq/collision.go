package p05sysvmq

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileID is what ftok looks at.
type fileID struct{ device, inode uint64 }

// identify is stat(2), which follows symbolic links, as ftok does.
func identify(path string) (fileID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileID{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return fileID{st.Dev, st.Ino}, nil
}

// collision is one of two files whose keys are the same.
type collision struct {
	twin string // a file with the key that was asked about, "" if none was found
	a, b string // else two files with a key of their own, "" if there are none
}

// searchAtMost bounds how many files are looked at.
const searchAtMost = 200_000

// search looks through the file system that path is on for another file with the same
// low 16 bits of the inode. looked is how many files it has seen.
func search(path string, file fileID) (found collision, looked int, err error) {
	top, err := topOf(path, file.device)
	if err != nil {
		return found, 0, err
	}
	first := map[uint16]identified{}
	walk := func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // not readable: there are others
		}
		info, err := entry.Info()
		if err != nil || info.Mode()&fs.ModeSymlink != 0 {
			return nil
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || st.Dev != file.device {
			return fs.SkipDir
		}
		if looked++; looked > searchAtMost {
			return fs.SkipAll
		}
		low := uint16(st.Ino)
		if low == uint16(file.inode) && st.Ino != file.inode {
			found.twin = name
			return fs.SkipAll
		}
		if other, seen := first[low]; !seen {
			first[low] = identified{name, st.Ino}
		} else if found.a == "" && other.inode != st.Ino {
			found.a, found.b = other.name, name
		}
		return nil
	}
	err = filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		result := walk(name, entry, err)
		if result == fs.SkipDir && !entry.IsDir() {
			return nil // a file that something is mounted on, not the rest of its directory
		}
		return result
	})
	return found, looked, err
}

type identified struct {
	name  string
	inode uint64
}

// topOf is the highest directory above path on the same device.
func topOf(path string, device uint64) (string, error) {
	top, err := filepath.EvalSymlinks(path)
	if err == nil {
		top, err = filepath.Abs(top)
	}
	if err != nil {
		return "", err
	}
	for top != "/" {
		above, err := os.Lstat(filepath.Dir(top))
		if err != nil {
			return "", err
		}
		if st, ok := above.Sys().(*syscall.Stat_t); !ok || st.Dev != device {
			break
		}
		top = filepath.Dir(top)
	}
	return top, nil
}
