package p14mmapdb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Writers and readers that are killed at any moment leave no lock, no half of a transaction and
// no place in the table of readers.
func TestKilledWritersAndReadersAreInNobodysWay(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{NoSync: true})
	fill(t, db, 1000, "value")
	rng := rand.New(rand.NewPCG(14, 9))
	roles := []string{"writer", "writer", "reader", "reader", "reader"}
	running := make([]*child, len(roles))
	begin := func(i int) {
		running[i] = start(t, roles[i], db.path, "nosync")
		running[i].says(t) // it has begun
	}
	for i := range roles {
		begin(i)
	}
	commit := func(round int) {
		t.Helper()
		soon, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		require.NoError(t, db.Update(soon, func(tx *Tx) error {
			if _, err := number(tx); err != nil {
				return err
			}
			return putNumber(tx, fmt.Sprint(-round))
		}))
	}
	for round := range 40 {
		i := rng.IntN(len(roles))
		if roles[i] == "writer" { // it stops when nobody reads what it says
			for range rng.IntN(30) {
				running[i].says(t)
			}
		}
		running[i].killed(t)
		commit(round)
		begin(i)
		commit(round) // now there is no doubt which slots are of older states
		if round%8 == 7 {
			whole(t, db)
		}
	}
	for _, c := range running {
		c.killed(t)
	}
	commit(0)
	commit(0)
	s := db.session
	for i := range int(s.used.Load()) {
		assert.True(t, s.own[i] || s.slot(i).Load() == 0, "slot %d is still in transaction %d", i, s.slot(i).Load())
	}
	assert.LessOrEqual(t, int(s.used.Load()), 2*len(roles), "slots of the dead are given to others")
	whole(t, db)
}

// What only a killed reader needed is free for the very next transaction.
func TestTheNextTransactionMayTakeAllThatAKilledReaderHeld(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{})
	fill(t, db, 1000, "first")
	for range 10 {
		r := start(t, "reader", db.path)
		require.Equal(t, "reading", r.says(t))
		for i := range 3 {
			fill(t, db, 1000, fmt.Sprint("value ", i))
		}
		require.NotEmpty(t, db.free.waiting)
		held := db.free.count()
		r.killed(t)
		require.NoError(t, db.Update(ctx, func(tx *Tx) error {
			assert.Empty(t, db.free.waiting)
			assert.EqualValues(t, held, db.free.n)
			return tx.Put([]byte("after"), nil)
		}))
	}
	whole(t, db)
}
