package p14mmapdb

// Stats are figures of a database that cost nothing to get.
type Stats struct {
	Records     uint64
	Transaction uint64
	Durable     uint64 // the newest transaction known to be on the disk, 0: unknown
	Depth       int    // of the tree
	Pages       int    // up to the last one in use
	Free        int    // of these
	Log         int    // of these, for the list of free pages
	Readers     int    // transactions of [DB.View] at this moment, in all processes
	Size        int64  // of the file, in bytes
}

// Stat is the newest state in figures.
func (db *DB) Stat() (s Stats, err error) {
	err = db.View(func(t *Tx) error {
		st, err := db.f.Stat()
		if err != nil {
			return err
		}
		s = Stats{
			Records: t.records, Transaction: t.tx, Depth: int(t.depth), Pages: int(t.pages),
			Free: int(t.free), Log: int(t.logLen), Size: st.Size(),
		}
		if db.session != nil && !db.session.frozen {
			s.Durable = db.session.durable.Load() / 2
			s.Readers = db.session.readers()
		}
		return nil
	})
	return s, err
}
