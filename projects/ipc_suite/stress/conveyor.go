package stress

// A conveyor is a queue of one producer, worker 1, and one consumer, worker 0.

// conveyorRound runs the two and verifies that nothing is missing.
func (r *round) conveyorRound() error {
	var lost losses
	r.ended = func(i int, killed bool) error {
		if i == 0 && killed {
			r.inHands(0, &lost)
		}
		if i == 1 && !killed {
			r.page.over.Store(1)
		}
		return nil
	}
	if err := r.run(); err != nil {
		return err
	}
	return r.delivered([]int{1}, lost)
}

// conveyed notes that an item has come to the consumer. With repeats, the successor of a
// killed consumer may get again what that one had not given back.
func (w *worker) conveyed(op uint64, repeats bool) error {
	words := w.page.words[:]
	highest, seen, generation := &words[0], &words[1], &words[2]
	if generation.Swap(uint64(w.generation)) != uint64(w.generation) {
		seen.Store(0) // nothing by this worker
	}
	if err := w.verify(op > 0 && op <= w.ops && op > seen.Load(), "items come in order", "%d after %d", op, seen.Load()); err != nil {
		return err
	}
	if err := w.verify(op > highest.Load() || repeats && w.generation > 0, "only what was not given back is repeated",
		"%d after %d", op, highest.Load()); err != nil {
		return err
	}
	seen.Store(op)
	highest.Store(max(highest.Load(), op))
	w.page.seen[1][op].Store(1)
	return nil
}
