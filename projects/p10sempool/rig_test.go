package p10sempool

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

// patient is for what takes milliseconds, on a machine that does much else.
const patient = time.Minute

// drop drops the manager's lock. A mapping keeps the open file, and so the lock, as the
// descriptor does.
func (c *claimed) drop(t *testing.T) {
	t.Helper()
	c.unmap()
	require.NoError(t, c.object.Close())
}

// newPool makes a pool without a manager, that the test sees to.
func newPool(t *testing.T, slots int) *claimed {
	t.Helper()
	c, err := claim("/"+ipctest.Name(t), slots, false)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.unmap()
		assert.NoError(t, c.object.Close())
		_ = posixshm.Unlink(c.name)
	})
	return c
}

// inspected is a look of a watcher, as a manager does it.
func inspected(t *testing.T, w *watcher) {
	t.Helper()
	require.NoError(t, w.pool.lock())
	w.inspect(0)
	w.pool.unlock()
}

func value(t *testing.T, p *pool) int {
	t.Helper()
	n, err := p.available.Value()
	require.NoError(t, err)
	return n
}

func join(t *testing.T, name string, number uint32) *Worker {
	t.Helper()
	w, err := Join(name, number, nil)
	require.NoError(t, err)
	t.Cleanup(w.unmap)
	return w
}
