package keyserver

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/projects/p17rpcauth/authdes"
)

// maxUsers fit into 16 KiB, which every user may lock.
const maxUsers = 16 << 10 / authdes.KeyBytes

// store has users' secret keys in memory that is never swapped, dumped or inherited.
type store struct {
	mu      sync.RWMutex
	memory  []byte
	secrets []authdes.SecretKey // in memory; zero: free
	users   map[uint32]*user
}

type user struct {
	secret *authdes.SecretKey // in memory
	public authdes.PublicKey
	name   string // "" if it is not known
}

func newStore() (*store, error) {
	memory, err := unix.Mmap(-1, 0, maxUsers*authdes.KeyBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	if err := unix.Mlock(memory); err != nil {
		_ = unix.Munmap(memory)
		return nil, fmt.Errorf("memory for secret keys: %w", os.NewSyscallError("mlock", err))
	}
	_ = unix.Madvise(memory, unix.MADV_DONTDUMP)
	_ = unix.Madvise(memory, unix.MADV_DONTFORK)
	return &store{
		memory:  memory,
		secrets: unsafe.Slice((*authdes.SecretKey)(unsafe.Pointer(&memory[0])), maxUsers),
		users:   map[uint32]*user{},
	}, nil
}

// close forgets everything.
func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.memory)
	clear(s.users)
	return os.NewSyscallError("munmap", unix.Munmap(s.memory))
}

// set keeps a user's keys in place of what it had; false: there is no room.
func (s *store) set(uid uint32, secret *authdes.SecretKey, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[uid]
	if u == nil {
		i := slices.Index(s.secrets, authdes.SecretKey{})
		if i < 0 {
			return false
		}
		u = &user{secret: &s.secrets[i]}
		s.users[uid] = u
	}
	*u.secret, u.public, u.name = *secret, secret.Public(), name
	return true
}

func (s *store) forget(uid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[uid]; u != nil {
		clear(u.secret[:])
		delete(s.users, uid)
	}
}

// with has do use a user's key; false: there is none.
func (s *store) with(uid uint32, do func(*user)) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[uid]
	if u != nil {
		do(u)
	}
	return u != nil
}
