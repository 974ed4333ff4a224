package mechanism

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

// Finding is a trade-off and what a run says about it.
type Finding struct {
	Title string // the trade-off
	Text  string // the figures of the run, in whole sentences
	Again string // the command that measures it again
}

// Findings are the trade-offs for which the run has figures. What it says follows from
// the figures: another machine may say the opposite.
func Findings(res *measure.Results) []Finding {
	f := FiguresOf(res)
	var all []Finding
	for _, find := range []func(*Figures) *Finding{
		smallMessages, largeMessages, batching, roundTrips, tails, queues, locking, undo, dyingOwners, calling, limits, languages,
	} {
		if found := find(f); found != nil {
			found.Again = "bin/ipc_suite benchmark " + found.Again
			all = append(all, *found)
		}
	}
	return all
}

// channel is a mechanism that carries messages, with its row at one size.
type channel struct {
	label string
	row   *measure.Result
}

func (c *channel) String() string {
	return fmt.Sprintf("%s (%s)", c.label, report.Figure(ours(c.row), c.row))
}

// channels are those of a kind of row, "bw_" or "lat_", at a size, best first. Procedure
// calls are none: each message of theirs waits for an answer.
func (f *Figures) channels(prefix string, size int) []*channel {
	var all []*channel
	for i := range f.all.Rows {
		r := &f.all.Rows[i]
		name, ok := strings.CutPrefix(r.Name, prefix)
		if !ok || r.Size != size || len(r.Variants) == 0 || strings.HasSuffix(name, "_framed") ||
			r.Group != "transfer" && name != "ring" || strings.HasPrefix(name, "rpc_") {
			continue
		}
		label, _ := Label(name)
		all = append(all, &channel{label, r})
	}
	slices.SortStableFunc(all, func(a, b *channel) int {
		if prefix == "lat_" {
			a, b = b, a
		}
		return cmp.Compare(ours(b.row), ours(a.row))
	})
	return all
}

// size is the smallest or the largest size that most channels were measured at; 0 if there
// are not two of them.
func (f *Figures) size(prefix string, large bool) int {
	count := map[int]int{}
	for i := range f.all.Rows {
		r := &f.all.Rows[i]
		if strings.HasPrefix(r.Name, prefix) && r.Group == "transfer" && len(r.Variants) > 0 && r.Size >= 16 {
			count[r.Size]++
		}
	}
	found := 0
	for size, n := range count {
		if n >= 2 && (found == 0 || large == (size > found)) {
			found = size
		}
	}
	return found
}

func smallMessages(f *Figures) *Finding {
	size := f.size("bw_", false)
	all := f.channels("bw_", size)
	if len(all) < 2 {
		return nil
	}
	text := fmt.Sprintf("At %s most goes through %s, least through %s, which is %s.", report.Size(size), all[0],
		all[len(all)-1], times(ours(all[0].row)/ours(all[len(all)-1].row)))
	if pipe := f.At("bw_pipe", size); pipe != nil && all[0].row != pipe {
		text += fmt.Sprintf(" The best carries %s what a pipe does (%s).", times(ours(all[0].row)/ours(pipe)), report.Figure(ours(pipe), pipe))
	}
	return &Finding{"Small messages: the call decides", text, fmt.Sprintf("--only '^bw_' --msg-size %s", flagSize(size))}
}

func largeMessages(f *Figures) *Finding {
	small, large := f.size("bw_", false), f.size("bw_", true)
	// Those that were measured at both sizes only.
	var few, many []*channel
	for _, c := range f.channels("bw_", large) {
		if r := f.At(c.row.Name, small); r != nil {
			few, many = append(few, &channel{c.label, r}), append(many, c)
		}
	}
	if small == large || len(many) < 2 {
		return nil
	}
	apart := func(all []*channel) float64 {
		slices.SortFunc(all, func(a, b *channel) int { return cmp.Compare(ours(b.row), ours(a.row)) })
		return ours(all[0].row) / ours(all[len(all)-1].row)
	}
	a, b := apart(few), apart(many)
	verdict := "so the choice matters less"
	if b >= a {
		verdict = "so on this machine the choice did not matter less"
	}
	best := many[0]
	return &Finding{"Large messages: the copy decides",
		fmt.Sprintf("At %s, %s leads with %s. The first and the last are %s apart; at %s the same ones were %s apart, %s.",
			report.Size(large), best.label, report.SI(ours(best.row)*float64(large), "B/s"), times(b), report.Size(small), times(a), verdict),
		fmt.Sprintf("--only '^bw_' --msg-size %s,%s", flagSize(small), flagSize(large))}
}

func batching(f *Figures) *Finding {
	var parts []string
	for _, name := range []string{"pipe", "unix_stream"} {
		framed, plain := f.At("bw_"+name+"_framed", 64), f.At("bw_"+name, 64)
		if framed != nil && plain != nil {
			label, _ := Label(name)
			parts = append(parts, fmt.Sprintf("%s: %s instead of %s, %s", label, report.Figure(ours(framed), framed),
				report.Figure(ours(plain), plain), times(ours(framed)/ours(plain))))
		}
	}
	if parts == nil {
		return nil
	}
	return &Finding{"Many small messages in one write", "Messages of 64 B, a buffer of them in one call. " +
		strings.Join(parts, "; ") + ". That is a matter of the program, not of the mechanism; the price is that a message waits for the others.",
		"--only '_framed$|^bw_(pipe|unix_stream)$' --msg-size 64"}
}

func roundTrips(f *Figures) *Finding {
	size := f.size("lat_", false)
	all := f.channels("lat_", size)
	if len(all) < 2 {
		return nil
	}
	first, last := all[0], all[len(all)-1]
	apart := ours(last.row) / ours(first.row)
	verdict := "Who sleeps is woken by the same kernel, whatever the mechanism."
	switch {
	case first.label == "ring" && ours(all[1].row) > 2*ours(first.row):
		verdict = "A ring looks before it sleeps and saves the wake-up; the others pay it."
	case apart > 4:
		verdict = "In this run more than the wake-up sets them apart."
	}
	return &Finding{"Round trips: the wake-up decides",
		fmt.Sprintf("A message of %s and its way back take from %s to %s: %s. %s", report.Size(size), first, last, times(apart), verdict),
		fmt.Sprintf("--only '^lat_' --msg-size %s", flagSize(size))}
}

func tails(f *Figures) *Finding {
	size := f.size("lat_", false)
	type tail struct {
		c     *channel
		ratio float64
	}
	var all []tail
	for _, c := range f.channels("lat_", size) {
		if t := c.row.Variants[0].Times; t != nil && t.P50 > 0 {
			all = append(all, tail{c, float64(t.P99) / float64(t.P50)})
		}
	}
	if len(all) < 2 {
		return nil
	}
	slices.SortFunc(all, func(a, b tail) int { return cmp.Compare(a.ratio, b.ratio) })
	a, b := all[0], all[len(all)-1]
	return &Finding{"The slowest hundredth belongs to the scheduler",
		fmt.Sprintf("One in a hundred round trips of %s takes %s the median or longer on the steadiest mechanism (%s), and %s on the least steady (%s). "+
			"Look at percentiles before a deadline is promised; the median tells nothing of them.",
			report.Size(size), times(a.ratio), a.c.label, times(b.ratio), b.c.label),
		fmt.Sprintf("--only '^lat_' --msg-size %s", flagSize(size))}
}

func queues(f *Figures) *Finding {
	size := f.size("bw_", false)
	p, s := f.At("bw_posix_mq", size), f.At("bw_sysv_mq", size)
	if p == nil || s == nil {
		return nil
	}
	text := fmt.Sprintf("Messages of %s: the POSIX queue carries %s, the System V queue %s, %s.", report.Size(size),
		report.Figure(ours(p), p), report.Figure(ours(s), s), compared(ours(p)/ours(s)))
	if p, s := f.At("lat_posix_mq", size), f.At("lat_sysv_mq", size); p != nil && s != nil {
		text += fmt.Sprintf(" Round trips take %s and %s.", report.Figure(ours(p), p), report.Figure(ours(s), s))
	}
	return &Finding{"POSIX queue against System V queue", text + " Speed seldom decides: the one has priorities and a descriptor to poll, the other types to choose by.",
		fmt.Sprintf("--only '_(posix|sysv)_mq$' --msg-size %s", flagSize(size))}
}

func locking(f *Figures) *Finding {
	mutex, semop, record := f.At("call_mutex", 0), f.At("call_semop", 0), f.At("call_reclock", 0)
	if mutex == nil || semop == nil {
		return nil
	}
	text := fmt.Sprintf("Nobody else there: %s on a mutex, %s on a System V semaphore; the mutex does %s as many, as it does not call the kernel.",
		report.Figure(ours(mutex), mutex), report.Figure(ours(semop), semop), times(ours(mutex)/ours(semop)))
	if ours(mutex) <= ours(semop) {
		text = fmt.Sprintf("Nobody else there: %s on a mutex, %s on a System V semaphore.", report.Figure(ours(mutex), mutex), report.Figure(ours(semop), semop))
	}
	if sem := f.At("call_sem", 0); sem != nil {
		text += fmt.Sprintf(" A POSIX semaphore does %s.", report.Figure(ours(sem), sem))
	}
	if record != nil {
		text += fmt.Sprintf(" A record lock does %s; it needs no memory in common and no name but the file's.", report.Figure(ours(record), record))
	}
	return &Finding{"Locks in user space against locks in the kernel", text, "--only '^call_(mutex|sem|semop|reclock)$'"}
}

func undo(f *Figures) *Finding {
	plain, undo := f.At("call_semop", 0), f.At("call_semop_undo", 0)
	if plain == nil || undo == nil {
		return nil
	}
	return &Finding{"What SEM_UNDO costs",
		fmt.Sprintf("%s without, %s with it: %s. It is what gives a dead process's units back.",
			report.Figure(ours(plain), plain), report.Figure(ours(undo), undo), change(ours(undo)/ours(plain))),
		"--only '^call_semop'"}
}

func dyingOwners(f *Figures) *Finding {
	plain, robust := f.At("call_mutex", 0), f.At("call_mutex_robust", 0)
	if plain == nil || robust == nil {
		return nil
	}
	return &Finding{"What a robust mutex costs",
		fmt.Sprintf("Nobody else there: %s plain, %s robust: %s. It is what tells the next one that the owner has died inside.",
			report.Figure(ours(plain), plain), report.Figure(ours(robust), robust), change(ours(robust)/ours(plain))),
		"--only '^call_mutex(_robust)?$'"}
}

func calling(f *Figures) *Finding {
	plain := f.Near("lat_unix_stream", 64)
	if plain == nil {
		return nil
	}
	rpc, tcp := f.Near("lat_rpc_unix", plain.Size), f.Near("lat_rpc_tcp", plain.Size)
	if rpc == nil {
		return nil
	}
	verdict := compared(ours(rpc) / ours(plain))
	if ours(rpc) < 0.9*ours(plain) {
		verdict = "the marshalling does not show beside the wake-ups"
	}
	text := fmt.Sprintf("A call over a Unix socket takes %s, a bare round trip of %s over one %s: %s.",
		report.Figure(ours(rpc), rpc), report.Size(plain.Size), report.Figure(ours(plain), plain), verdict)
	if tcp != nil {
		text += fmt.Sprintf(" Over TCP it takes %s, and would work from another machine.", report.Figure(ours(tcp), tcp))
	}
	return &Finding{"What a remote procedure call costs", text, "--only '^lat_(rpc|unix_stream)' --msg-size 64"}
}

// limits tells what the machine did not allow, which is a property of the mechanism too.
func limits(f *Figures) *Finding {
	var order []string
	from := map[string]int{} // the smallest that did not fit
	for i := range f.all.Rows {
		r := &f.all.Rows[i]
		name, ok := strings.CutPrefix(r.Name, "bw_")
		if !ok || r.Skipped == "" || r.Group != "transfer" {
			continue
		}
		label, _ := Label(name)
		if from[label] == 0 {
			order = append(order, label)
			from[label] = r.Size
		}
		from[label] = min(from[label], r.Size)
	}
	if order == nil {
		return nil
	}
	for i, label := range order {
		order[i] = fmt.Sprintf("%s from %s on", label, report.Size(from[label]))
	}
	return &Finding{"What does not fit", "Not possible on this machine as it is set: " + strings.Join(order, "; ") +
		". The limits of queues are the administrator's, those of packets and calls their protocol's; a stream has none.",
		"--only '^bw_.*_mq$' --msg-size 16KiB"}
}

// languages is Go beside C over all rows: the median of the ratios, a rate's as it is and a
// time's inverted.
func languages(f *Figures) *Finding {
	var small, large []float64
	goals, met := 0, 0
	for i := range f.all.Rows {
		r := &f.all.Rows[i]
		for _, v := range r.Variants {
			if v.Ratio == nil {
				continue
			}
			if v.Ratio.Met != nil {
				goals++
				if *v.Ratio.Met {
					met++
				}
			}
			speed := v.Ratio.Median
			if r.LowerIsBetter {
				speed = 1 / speed
			}
			switch {
			case v.Name != "C" || r.Group != "transfer":
			case r.Size >= 1<<10:
				large = append(large, speed)
			default:
				small = append(small, speed)
			}
		}
	}
	var parts []string
	for _, c := range []struct {
		what   string
		speeds []float64
	}{{"below 1 KiB", small}, {"of 1 KiB and more", large}} {
		if len(c.speeds) > 0 {
			slices.Sort(c.speeds)
			parts = append(parts, fmt.Sprintf("for messages %s Go has %.2f times the speed of C (median of %d rows)",
				c.what, c.speeds[len(c.speeds)/2], len(c.speeds)))
		}
	}
	if parts == nil {
		return nil
	}
	text := strings.Join(parts, "; ")
	text = strings.ToUpper(text[:1]) + text[1:] + "."
	if goals > 0 {
		text += fmt.Sprintf(" %d of %d goals are met.", met, goals)
	}
	return &Finding{"Go beside C", text, "--only transfer"}
}

// flagSize is a size as --msg-size takes it: "16KiB".
func flagSize(n int) string { return strings.ReplaceAll(report.Size(n), " ", "") }

// times is a factor in words: "3.1 times", "1,200 times".
func times(x float64) string {
	switch {
	case x >= 9.95:
		return fmt.Sprintf("%.0f times", x)
	case x >= 0.995:
		return fmt.Sprintf("%.1f times", x)
	}
	return fmt.Sprintf("%.2f times", x)
}

// compared is how far two figures are apart that have both been told.
func compared(x float64) string {
	if x > 0.9 && x < 1/0.9 {
		return "about the same"
	}
	return fmt.Sprintf("a factor of %.1f", max(x, 1/x))
}

// change of a rate.
func change(x float64) string {
	switch {
	case x > 0.95 && x < 1/0.95:
		return "about the same"
	case x > 1:
		return fmt.Sprintf("%.0f %% more, so this run shows no cost", 100*(x-1))
	}
	return fmt.Sprintf("%.0f %% fewer", 100*(1-x))
}
