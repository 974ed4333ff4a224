package mechanism

import (
	"slices"
	"strings"

	"unpipc/projects/internal/report"
)

// rule is what one question demands of a mechanism.
type rule struct {
	question string
	// objection is why the mechanism does not do for the need; "" if it does.
	objection func(m *Mechanism, n *Need) string
}

// The order of what a killed process may do to the others, and of how long data lasts.
var (
	crashes = []string{"any", "survive", "notice"}
	lasting = []string{"open", "system", "disk"}
)

func below(order []string, has, wanted string) bool {
	return slices.Index(order, has) < slices.Index(order, wanted)
}

func unless(holds bool, objection string) string {
	if holds {
		return ""
	}
	return objection
}

// rules are all of them, in the order of the questions. A question that does not apply has
// no answer, and its rule no objection.
var rules = []rule{
	{"for", func(m *Mechanism, n *Need) string {
		return unless(slices.Contains(m.For, n.For), "is for something else")
	}},
	{"between", func(m *Mechanism, n *Need) string {
		return unless(slices.Contains(m.Between, n.Between), map[string]string{
			"related": "does not connect processes", "unrelated": "has no name by which unrelated processes find it",
			"threads": "belongs to a process, not to a thread", "machines": "does not leave the machine"}[n.Between])
	}},
	{"messages", func(m *Mechanism, n *Need) string {
		return unless(n.Messages != yes || m.Messages, "keeps no boundaries")
	}},
	{"size", func(m *Mechanism, n *Need) string {
		if m.Most > 0 && n.Size > m.Most {
			return "takes no message over " + report.Size(m.Most)
		}
		return unless(m.Shared == 0 || n.Writers != "many" || n.Size <= m.Shared, "mixes messages of several writers over "+report.Size(m.Shared))
	}},
	{"priority", func(m *Mechanism, n *Need) string {
		return unless(n.Priority != yes || m.Priority, "has no priorities")
	}},
	{"writers", func(m *Mechanism, n *Need) string {
		return unless(n.Writers != "many" || m.Writers == "many", "is for one writer")
	}},
	{"readers", func(m *Mechanism, n *Need) string {
		if n.Readers == "" || slices.Contains(m.Readers, n.Readers) {
			return ""
		}
		if n.For == Transfer && n.Readers == "all" {
			return "gives each message to one reader"
		}
		return "is for one reader at a time"
	}},
	{"keep", func(m *Mechanism, n *Need) string {
		if n.Keep == "" || !below(lasting, m.Keep, n.Keep) {
			return ""
		}
		if n.Keep == "disk" {
			return "is gone when the system goes down"
		}
		return "loses what is in it when nobody has it open"
	}},
	{"crash", func(m *Mechanism, n *Need) string {
		switch {
		case n.Crash == "" || !below(crashes, m.Crash, n.Crash):
			return ""
		case m.Crash == "any":
			return "can stay locked or broken after a kill"
		}
		return "does not tell the others that one was killed"
	}},
	{"speed", func(m *Mechanism, n *Need) string {
		return unless(n.Speed != "user" || m.User, "calls the kernel each time")
	}},
	{"poll", func(m *Mechanism, n *Need) string {
		return unless(n.Poll != yes || m.Poll, "is no descriptor that can be polled")
	}},
	{"descriptors", func(m *Mechanism, n *Need) string {
		return unless(n.Descriptors != yes || m.Descriptors, "carries no descriptors or credentials")
	}},
}

// Objection is why a mechanism does not do.
type Objection struct {
	Mechanism *Mechanism
	Reasons   []string
}

// Choice is the answer to a need.
type Choice struct {
	Need     Need
	Best     *Mechanism // nil: nothing fits
	Others   []*Mechanism
	Excluded []Objection // of the same purpose, the one that lacks least first
}

// Choose recommends the simplest mechanism that meets a need. It completes the need first.
func Choose(n Need) *Choice {
	n.Complete()
	c := &Choice{Need: n}
	for i := range Catalog {
		m := &Catalog[i]
		if !slices.Contains(m.For, n.For) {
			continue
		}
		reasons := m.objections(&n)
		switch {
		case len(reasons) > 0:
			c.Excluded = append(c.Excluded, Objection{m, reasons})
		case c.Best == nil:
			c.Best = m
		default:
			c.Others = append(c.Others, m)
		}
	}
	slices.SortStableFunc(c.Excluded, func(a, b Objection) int { return len(a.Reasons) - len(b.Reasons) })
	return c
}

func (m *Mechanism) objections(n *Need) []string {
	var reasons []string
	for _, r := range rules {
		if why := r.objection(m, n); why != "" {
			reasons = append(reasons, why)
		}
	}
	return reasons
}

// RunnerUp is what comes next, and why it does not come first. Where nothing else fits it
// is what lacks least.
func (c *Choice) RunnerUp() (m *Mechanism, why string) {
	switch {
	case len(c.Others) > 0:
		return c.Others[0], "it fits too, but " + c.Others[0].Watch
	case len(c.Excluded) > 0:
		return c.Excluded[0].Mechanism, "it " + sentence(c.Excluded[0].Reasons)
	}
	return nil, ""
}

// sentence joins reasons.
func sentence(reasons []string) string {
	text := reasons[0]
	for i, r := range reasons[1:] {
		if i == len(reasons)-2 {
			text += " and " + r
		} else {
			text += ", " + r
		}
	}
	return text
}

// Because is, where nothing fits, why: the reasons, and whom they exclude.
func (c *Choice) Because() []string {
	var order []string
	names := map[string][]string{}
	for _, o := range c.Excluded {
		why := sentence(o.Reasons)
		if names[why] == nil {
			order = append(order, why)
		}
		names[why] = append(names[why], o.Mechanism.Name)
	}
	var lines []string
	for _, why := range order {
		lines = append(lines, strings.Join(names[why], ", ")+": "+why)
	}
	return lines
}

// Relaxed is what would fit without one demand.
type Relaxed struct {
	Question string
	Answer   string // that would have to be given instead
	Best     *Mechanism
}

// Relax are, where nothing fits, the demands of which each one given up lets something fit.
func (c *Choice) Relax() []Relaxed {
	var found []Relaxed
	for i := range Questions {
		q := &Questions[i]
		if q.Name == "for" || q.Name == "between" || !q.Applies(&c.Need) {
			continue
		}
		others := []string{q.Default()}
		if len(q.Answers) > 2 {
			others = nil // the next best answer, not the least
			for _, a := range q.For(&c.Need) {
				others = append([]string{a.Name}, others...)
			}
		}
		for _, answer := range others {
			n := c.Need
			if q.Set(&n, answer) != nil || n == c.Need {
				continue
			}
			n.Complete()
			if best := Choose(n).Best; best != nil {
				found = append(found, Relaxed{q.Name, answer, best})
				break
			}
		}
	}
	return found
}
