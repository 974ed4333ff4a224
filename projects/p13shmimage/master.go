package p13shmimage

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"time"

	"unpipc/gobind/sysvshm"
)

// Options are what the command line says.
type Options struct {
	Input, Output string
	Filter        Filter
	Sigma         float64 // of Blur, in pixels
	Workers       int
	Compare       bool  // also time one worker alone
	Portable      bool  // without the vector unit
	Memory        int64 // bytes that the segment may have
}

// Run filters the input into the output and says what it does on out.
func Run(ctx context.Context, o Options, out io.Writer) (err error) {
	asJPEG, err := IsJPEG(o.Output)
	if err != nil {
		return err
	}
	input, err := os.Open(o.Input)
	if err != nil {
		return err
	}
	defer input.Close()
	in := file{ctx, input}
	bound, err := readHeader(in)
	if err != nil {
		return err
	}
	need := int64(newLayout(bound, o.Filter, o.Workers+1).bytes)
	if need > o.Memory {
		return fmt.Errorf("%s: %d×%d pixels need %d MiB of shared memory, more than --memory allows (%d MiB)",
			o.Input, bound.Width, bound.Height, (need+1<<20-1)>>20, o.Memory>>20)
	}
	id, memory, err := newSegment(int(need))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sysvshm.Detach(memory)) }()
	s, err := load(in, memory, bound, &o)
	if err != nil {
		return err
	}
	if asJPEG && s.filter.Result(s.in).HasAlpha() {
		return fmt.Errorf("%s: JPEG has no transparency, which %s has", o.Output, o.Input)
	}
	fmt.Fprintf(out, "Shared Memory Image Processor\nImage: %dx%d (%s)\nWorkers: %d\nFilter: %s\n\n",
		s.in.Width, s.in.Height, megabytes(s.in.Bytes()), o.Workers, describe(&o))
	fmt.Fprintf(out, "[Master] Loaded image into shared memory (shmid=%d)\n", id)
	m := &master{ctx: ctx, shared: s, id: id, out: out}
	return m.run(&o, asJPEG)
}

func describe(o *Options) string {
	if o.Filter != Blur {
		return o.Filter.String()
	}
	return fmt.Sprintf("%s (sigma %g, %d taps)", o.Filter, o.Sigma, Taps(o.Sigma))
}

// load decodes the picture into the segment and completes its header. The kernel finds
// memory for the segment meanwhile.
func load(in file, memory []byte, bound Picture, o *Options) (*shared, error) {
	room := newLayout(bound, o.Filter, o.Workers+1)
	taken := make(chan error, 1)
	go func() { taken <- take(memory) }()
	p, err := readPicture(in, memory[room.sourceAt:][:bound.Bytes()])
	if err = errors.Join(err, <-taken); err != nil {
		return nil, err
	}
	// It may have turned out smaller than its header allowed for.
	l := newLayout(p, o.Filter, o.Workers+1)
	copy(memory[l.sourceAt:], memory[room.sourceAt:][:p.Bytes()])
	writeHeader(memory, p, l, o)
	return view(memory)
}

// run has the workers filter, times one alone, and has the workers compress.
func (m *master) run(o *Options, asJPEG bool) error {
	share(m.slots[:o.Workers], m.in.Height)
	for i := range o.Workers {
		fmt.Fprintf(m.out, "[Worker %d] Processing %s\n", i+1, span(&m.slots[i]))
	}
	bar := newProgress(m.slots[:o.Workers], m.in.Width*m.in.Height)
	total, err := m.phase(filterJob, 0, o.Workers, func(i int) {
		took := time.Duration(m.slots[i].Nanoseconds.Load())
		fmt.Fprintf(m.out, "[Worker %d] Done (%s)\n", i+1, milliseconds(took))
	})
	bar.end()
	if err != nil {
		return err
	}
	alone, err := m.alone(o)
	if err != nil {
		return err
	}
	fmt.Fprintln(m.out, "[Master] All workers complete, writing output")
	if err := m.write(o, asJPEG); err != nil {
		return err
	}
	if !o.Compare {
		_, err = fmt.Fprintf(m.out, "\nTotal time: %s\n", milliseconds(total))
		return err
	}
	_, err = fmt.Fprintf(m.out, "\nTotal time: %s (vs %s single-threaded)\nSpeedup: %.2fx with %s\n",
		milliseconds(total), milliseconds(alone), alone.Seconds()/total.Seconds(), count(o.Workers, "worker"))
	return err
}

// alone times one worker over all rows, which has to give the same bytes.
func (m *master) alone(o *Options) (time.Duration, error) {
	if !o.Compare {
		return 0, nil
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	before := crc32.Checksum(m.result, table)
	share(m.slots[o.Workers:], m.in.Height)
	took, err := m.phase(filterJob, o.Workers, o.Workers+1, func(int) {})
	if err == nil && crc32.Checksum(m.result, table) != before {
		err = errors.New("one worker alone gave other bytes than all together")
	}
	return took, err
}

func (m *master) write(o *Options, asJPEG bool) error {
	if asJPEG {
		return replace(o.Output, m.writeJPEG)
	}
	share(m.slots[:o.Workers], m.strips)
	if _, err := m.phase(compressJob, 0, o.Workers, func(int) {}); err != nil {
		return err
	}
	return replace(o.Output, m.writePNG)
}

// share gives each slot its part of n rows or strips, none more than one more than another.
func share(slots []slot, n int) {
	for i := range slots {
		slots[i].First = uint32(i * n / len(slots))
		slots[i].Last = uint32((i + 1) * n / len(slots))
	}
}

func span(s *slot) string {
	if s.First == s.Last {
		return "no rows"
	}
	return fmt.Sprintf("rows %d-%d", s.First, s.Last-1)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// megabytes is a size as the programs of this exercise print it.
func megabytes(n int) string {
	for _, unit := range []string{"B", "KB"} {
		if n < 1024 {
			return fmt.Sprintf("%d%s", n, unit)
		}
		n = (n + 512) / 1024
	}
	return fmt.Sprintf("%dMB", n)
}

// milliseconds is a time, with a decimal where it would else be a single digit.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", ms), ".0") + "ms"
	}
	return fmt.Sprintf("%.0fms", ms)
}
