package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

const storyKeys = 50

// told is the memory of a cache in which a story has been told.
func told(t testing.TB) ([]byte, story) {
	w, err := Create("/"+ipctest.Name(t), MinSize)
	require.NoError(t, err)
	defer w.Close()
	s := story{storyKeys}
	for i := range uint64(500) {
		s.do(w, i+1)
	}
	w.Beat(500, 0)
	return append([]byte(nil), w.memory...), s
}

// over is a reader of memory, which was damaged after the reader had looked at its header.
func over(t testing.TB, whole []byte, s story, damage func(memory []byte)) {
	object, err := posixshm.Memfd("cache", 0)
	require.NoError(t, err)
	defer object.Close()
	require.NoError(t, object.Truncate(len(whole)))
	memory, err := object.Map(len(whole), true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	copy(memory, whole)
	damage(memory)
	h := headerOf(whole)
	r := &Reader{name: "damaged", memory: memory, parts: divide(memory, &h)}
	_, err = r.Life()
	require.NoError(t, err)
	for i := range s.keys {
		key := keyName(uint64(i))
		f, err := r.Get([]byte(key))
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			continue
		}
		f.Index = f.Revision // a damaged index may lead to an old record, and the index of the log be any
		require.NoError(t, s.judge(key, f))
	}
}

func headerOf(memory []byte) (h header) {
	copy(bytesOfHeader(&h), memory)
	return h
}

func FuzzDamagedMemory(f *testing.F) {
	whole, s := told(f)
	f.Add([]byte{0, 16, 0, 255, 0, 16, 1, 255})
	f.Add([]byte{0, 0, 128, 1, 0, 0, 144, 255})
	// Three bytes say where, the fourth what is there then.
	f.Fuzz(func(t *testing.T, damage []byte) {
		over(t, whole, s, func(memory []byte) {
			for ; len(damage) >= 4; damage = damage[4:] {
				at := int(binary.BigEndian.Uint32(append([]byte{0}, damage[:3]...))) % len(memory)
				memory[at] = damage[3]
			}
		})
	})
}

func TestRandomDamageIsNoticedOrDoesNoHarm(t *testing.T) {
	whole, s := told(t)
	h := headerOf(whole)
	seed := rand.Uint64()
	t.Log("seed", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	begin := indexAt + int(h.buckets)*ways*wordSize
	for round := range 200 {
		over(t, whole, s, func(memory []byte) {
			for range 1 << chance.IntN(10) {
				switch part := memory[begin:]; round % 3 {
				case 0: // positions
					part = memory[indexAt:begin]
					binary.NativeEndian.PutUint64(part[chance.IntN(len(part)/8)*8:], chance.Uint64N(3*h.capacity))
				case 1: // one bit of a record
					part[chance.IntN(len(part))] ^= 1 << chance.IntN(8)
				case 2: // anything anywhere
					memory[chance.IntN(len(memory))] = byte(chance.Uint32())
				}
			}
		})
	}
}
