package main

import (
	"os"

	"unpipc/projects/p14mmapdb"
)

func (p *program) bench([]string) error {
	if p.records < 1 {
		p.BadUsage("--records is 1 or more")
	}
	return p14mmapdb.Bench(os.Stdout, p.dir, p.records, p.noSync)
}
